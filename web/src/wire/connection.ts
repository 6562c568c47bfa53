// One WebSocket, from attempt to end. Messages are taken apart here; nothing is retried here.

import { Alive } from "../alive.ts";
import type { FromPage, FromServer } from "./control.ts";
import { ending, UNAUTHENTICATED, type Closed, type Ending } from "./ending.ts";
import { framing, V1, type Framing } from "./framing.ts";

export interface Events {
  opened(subprotocol: string): void;
  data(bytes: Uint8Array, text: boolean): void;
  control(message: FromServer): void;
  /// It is open and doesn't answer, or answers again.
  silent(on: boolean): void;
  /// Exactly once, last, whatever happened; not after [`Connection.abandon`]. `told` is false if the server did not
  /// tell why it could not be opened, or what would open it.
  ended(why: Ending, told: boolean): void;
}

/// How long an attempt may take: browsers wait for minutes where packets are dropped silently. A server
/// may answer only when it has reached the destination, so it isn't short either.
const OPEN_MS = 30_000;

/// A server that sends nothing first has begun all the same.
const HELLO_MS = 3000;

export class Connection {
  readonly #socket: WebSocket;
  readonly #events: Events;
  #framing: Framing = framing("");
  #opened = false;
  #exit: Closed["exit"];
  #begun = false;
  #over = false;
  #timer: ReturnType<typeof setTimeout>;
  readonly #alive = new Alive({
    ask: () => this.control({ type: "query", what: "alive" }),
    silent: (on) => this.#events.silent(on),
    lost: () => this.#end({ code: 1006, reason: "" }, "connection lost: the server doesn't answer any more"),
  });

  /// Throws what `new WebSocket` throws: a URL or a subprotocol that can't be, or ws: from https:.
  constructor(url: string, protocols: string[], events: Events) {
    this.#events = events;
    this.#socket = new WebSocket(url, protocols);
    this.#socket.binaryType = "arraybuffer";
    this.#timer = setTimeout(() => this.#end({ code: 1006, reason: "" }), OPEN_MS);
    this.#socket.onopen = () => {
      clearTimeout(this.#timer);
      this.#opened = true;
      this.#framing = framing(this.#socket.protocol);
      // With a protocol of ours, a Close with the reason of a refusal may come at once. `hello` comes first otherwise.
      if (this.#socket.protocol !== V1) return this.#begin();
      this.#timer = setTimeout(() => this.#begin(), HELLO_MS);
    };
    this.#socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.#message(event.data);
    this.#socket.onclose = (event) => this.#end(event);
  }

  /// One message.
  send(bytes: Uint8Array<ArrayBuffer>, text: boolean): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    for (const message of this.#framing.data(bytes, text)) this.#socket.send(message);
    this.#alive.sent();
  }

  /// The machine was asleep, or the network is another one: is the server still there?
  wake(): void {
    this.#alive.wake();
  }

  /// Bytes that were sent and haven't left this machine's browser.
  get waiting(): number {
    return this.#socket.bufferedAmount;
  }

  control(message: FromPage): void {
    const text = this.#framing.control(message);
    if (text !== null && this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /// Closes it without a report to this side.
  abandon(): void {
    this.#leave();
    this.#socket.close(1000);
  }

  #begin(): void {
    if (this.#begun || this.#over) return;
    this.#begun = true;
    clearTimeout(this.#timer);
    this.#events.opened(this.#socket.protocol);
  }

  #message(message: string | ArrayBuffer): void {
    if (this.#over) return;
    this.#begin();
    this.#alive.heard();
    const received = this.#framing.receive(message);
    if (received === null) return;
    if ("data" in received) {
      this.#events.data(received.data, received.text);
    } else {
      const { control } = received;
      // The Close frame that follows may have less detail than this.
      if (control.type === "exit") this.#exit = control;
      if (control.type === "hello" && control.alive) this.#alive.begin();
      if (control.type === "alive") this.#alive.answered();
      else this.#events.control(control);
    }
  }

  #leave(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#alive.end();
  }

  /// `words`: the reason of the end, if it is more than the code tells.
  #end({ code, reason }: { code: number; reason: string }, words?: string): void {
    if (this.#over) return;
    this.#leave();
    this.#socket.close();
    const closed: Closed = { code, reason, opened: this.#opened };
    if (this.#exit) closed.exit = this.#exit;
    const why = ending(closed);
    this.#events.ended(words ? { ...why, words } : why, this.#opened && code !== UNAUTHENTICATED);
  }
}
