// Tells the server how much the terminal has drawn, so that little is on its way: docs/terminal-protocol.md, `ack`.
//
// Once a frame is enough, and costs a tenth of doing it for each message. But a client that acknowledges a window a frame
// caps the rate at window x 60/s, so 64 KiB are a reason too; and tabs that aren't shown have no frames.

export interface Clock {
  /// Calls it soon, at the next frame at best, and whether a frame comes or not.
  soon(call: () => void): void;
  /// `true` if frames come.
  readonly shown: boolean;
}

export class Acks {
  readonly #send: (bytes: number) => void;
  readonly #clock: Clock;
  #on = false;
  /// The bytes that came before this connection.
  #before = 0;
  #drawn = 0;
  #told = 0;
  #waits = false;

  constructor(send: (bytes: number) => void, clock: Clock = FRAMES) {
    this.#send = send;
    this.#clock = clock;
  }

  /// Another connection: `received` bytes came over those before. Those of them that aren't drawn yet come first.
  begin(received: number): void {
    this.#on = false;
    this.#before = received;
    this.#drawn = 0;
    this.#told = 0;
  }

  /// The server takes acks.
  start(): void {
    this.#on = true;
    this.#send(this.#drawn);
    this.#told = this.#drawn;
  }

  /// So many bytes were drawn in all.
  parsed(bytes: number): void {
    this.#drawn = Math.max(0, bytes - this.#before);
    if (!this.#on || this.#drawn === this.#told) return;
    if (this.#drawn - this.#told >= MOST || !this.#clock.shown) return this.#tell();
    if (this.#waits) return;
    this.#waits = true;
    this.#clock.soon(() => {
      this.#waits = false;
      if (this.#on && this.#drawn > this.#told) this.#tell();
    });
  }

  #tell(): void {
    this.#told = this.#drawn;
    this.#send(this.#drawn);
  }
}

const MOST = 64 * 1024;
const LATE_MS = 50;

const FRAMES: Clock = {
  soon(call) {
    let done = false;
    const once = (): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      call();
    };
    // A tab that was hidden meanwhile has no more frames.
    const timer = setTimeout(once, LATE_MS);
    requestAnimationFrame(once);
  },
  get shown() {
    return !document.hidden;
  },
};
