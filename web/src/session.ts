// The session: one connection after the other, until it ended as it was meant to.
//
//   connecting ──> connected ──> ended        (1000, an exit, a refusal)
//       │  ^            │
//       │  └─ waiting <─┘                      (broke; could not be opened)
//       └────────^
//
// `out`, where the user has to sign in first, is left as `ended` is.
//
// Connecting begins with being let in, and an attempt that fails ends with the question why.

import type { FromPage, FromServer } from "./wire/control.ts";
import type { Ending } from "./wire/ending.ts";
import { Backoff } from "./wire/backoff.ts";
import { Connection } from "./wire/connection.ts";

export type State =
  | { kind: "idle" }
  | { kind: "connecting"; again: boolean }
  | { kind: "connected"; subprotocol: string }
  | { kind: "waiting"; words: string; seconds: number }
  /// `needsLink`: no attempt would fare better before the page is opened with another link.
  | { kind: "ended"; words: string; needsLink?: true }
  /// The user has to sign in. `words` has why again, or nothing.
  | { kind: "out"; words: string };

export interface Address {
  url: string;
  protocols: string[];
}

export interface Callbacks {
  /// Asked anew for each attempt: the terminal's size is part of it, and what lets in is good for one.
  address(): Promise<Address | Ending>;
  /// Why an attempt came to nothing, and what would help: `seen` is all that the WebSocket reported.
  why(seen: Ending): Promise<Ending>;
  state(state: State): void;
  data(bytes: Uint8Array, text: boolean): void;
  control(message: FromServer): void;
  /// The session is there and the server doesn't answer, or it answers again.
  silent(on: boolean): void;
}

/// A server that accepts and at once breaks off shall not be asked every second for ever.
const STABLE_MS = 5000;

export class Session {
  readonly #callbacks: Callbacks;
  readonly #backoff = new Backoff();
  #connection: Connection | undefined;
  #state: State = { kind: "idle" };
  #openedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /// Counts attempts: the results of an earlier one don't matter any more.
  #turn = 0;

  constructor(callbacks: Callbacks) {
    this.#callbacks = callbacks;
  }

  get state(): State {
    return this.#state;
  }

  /// Connects now, whatever was before.
  connect(): void {
    this.#stop();
    this.#attempt(this.#state.kind !== "idle");
  }

  /// The machine was asleep, or the network is back: connects now if it would anyway, and asks whether the server is still
  /// there otherwise.
  wake(): void {
    if (this.#state.kind === "waiting") this.connect();
    else this.#connection?.wake();
  }

  /// Asks whether the server is still there.
  look(): void {
    this.#connection?.wake();
  }

  /// Ends it. `words` say why, if it wasn't the user's wish.
  disconnect(words = "disconnected"): void {
    this.#stop();
    this.#enter({ kind: "ended", words });
  }

  /// Sends one message.
  send(bytes: Uint8Array<ArrayBuffer>, text = false): void {
    this.#connection?.send(bytes, text);
  }

  /// Bytes that were sent and are still here.
  get waiting(): number {
    return this.#connection?.waiting ?? 0;
  }

  control(message: FromPage): void {
    this.#connection?.control(message);
  }

  #attempt(again: boolean): void {
    this.#enter({ kind: "connecting", again });
    const turn = ++this.#turn;
    void this.#callbacks.address().then((address) => {
      if (turn !== this.#turn) return;
      if ("words" in address) this.#ended(address);
      else this.#open(address, turn);
    });
  }

  #open({ url, protocols }: Address, turn: number): void {
    try {
      this.#connection = new Connection(url, protocols, {
        opened: (subprotocol) => {
          this.#openedAt = Date.now();
          this.#enter({ kind: "connected", subprotocol });
        },
        data: (bytes, text) => this.#callbacks.data(bytes, text),
        control: (message) => this.#callbacks.control(message),
        silent: (on) => this.#callbacks.silent(on),
        ended: (seen, told) => {
          if (told) return this.#ended(seen);
          void this.#callbacks.why(seen).then((why) => {
            if (turn === this.#turn) this.#ended(why);
          });
        },
      });
    } catch (error) {
      // No attempt of the same kind would fare better.
      this.#enter({ kind: "ended", words: error instanceof Error ? error.message : String(error) });
    }
  }

  #ended(why: Ending): void {
    this.#connection = undefined;
    if (!why.retry) {
      this.#backoff.reset();
      if (why.signIn) return this.#enter({ kind: "out", words: why.words });
      return this.#enter({ kind: "ended", words: why.words, ...(why.needsLink && { needsLink: true }) });
    }
    if (this.#state.kind === "connected" && Date.now() - this.#openedAt >= STABLE_MS) this.#backoff.reset();
    this.#wait(why.words, Date.now() + this.#backoff.next());
  }

  #wait(words: string, until: number): void {
    const left = until - Date.now();
    if (left <= 0) return this.#attempt(true);
    const seconds = Math.ceil(left / 1000);
    this.#enter({ kind: "waiting", words, seconds });
    // To the next whole second, so that the countdown doesn't stutter.
    this.#timer = setTimeout(() => this.#wait(words, until), left - (seconds - 1) * 1000);
  }

  #stop(): void {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#connection?.abandon();
    this.#connection = undefined;
  }

  #enter(state: State): void {
    this.#state = state;
    this.#callbacks.state(state);
  }
}
