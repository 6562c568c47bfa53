// The bytes on their way from the connection to the terminal.
//
// xterm.js takes any amount at once, parses it in slices of 12 ms and throws away what is beyond
// 50 MB. So it is given at most WINDOW bytes that it hasn't parsed yet, in pieces that keep the page
// alive; the rest waits here, in order. Nothing is dropped. Acknowledgements to the server (acks.ts) hang
// on `parsed`: it counts the server's bytes that were really taken in.

export interface Sink {
  write(bytes: Uint8Array, done: () => void): void;
}

export interface Counts {
  /// Bytes that came from the server.
  received: number;
  /// Bytes of these that the terminal has parsed.
  parsed: number;
  /// Bytes that it was given and hasn't parsed.
  unparsed: number;
  /// Bytes that wait.
  waiting: number;
}

interface Piece {
  bytes: Uint8Array;
  /// How many of the server's bytes are told with it.
  from: number;
  remote: boolean;
}

export const WINDOW = 256 * 1024;
const PIECE = 64 * 1024;

export class Feed {
  readonly #sink: Sink;
  #queue: Piece[] = [];
  /// The queue's front; shifting an array costs its length.
  #front = 0;
  #counts: Counts = { received: 0, parsed: 0, unparsed: 0, waiting: 0 };
  /// Sees every piece of the server's data that the terminal is given: for tests.
  tap: ((bytes: Uint8Array) => void) | undefined;
  /// Called when `parsed` has grown.
  onparsed: (() => void) | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  get counts(): Readonly<Counts> {
    return { ...this.#counts };
  }

  /// Takes bytes of the server's: those to be shown, of `from` bytes.
  data(bytes: Uint8Array, from = bytes.length): void {
    this.#counts.received += from;
    // Bytes of which nothing is seen are counted all the same.
    this.#push(bytes, true, from);
  }

  /// From the server, and shown elsewhere than in the terminal.
  elsewhere(bytes: number): void {
    this.#counts.received += bytes;
    this.#counts.parsed += bytes;
    this.onparsed?.();
  }

  /// From the page itself, such as local echo: shown behind what came before it.
  local(text: string): void {
    this.#push(new TextEncoder().encode(text), false, 0);
  }

  #push(bytes: Uint8Array, remote: boolean, from: number): void {
    const same = from === bytes.length;
    for (let at = 0; at < bytes.length || (at === 0 && from > 0); at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      // Shown otherwise than it came, all of it is told with the last piece.
      const told = same ? piece.length : at + PIECE >= bytes.length ? from : 0;
      this.#queue.push({ bytes: piece, from: remote ? told : 0, remote });
      this.#counts.waiting += piece.length;
    }
    this.#pour();
  }

  #pour(): void {
    for (;;) {
      const piece = this.#queue[this.#front];
      if (!piece || this.#counts.unparsed + piece.bytes.length > WINDOW) break;
      this.#front += 1;
      const { bytes, from, remote } = piece;
      this.#counts.waiting -= bytes.length;
      this.#counts.unparsed += bytes.length;
      if (remote) this.tap?.(bytes);
      this.#sink.write(bytes, () => {
        this.#counts.unparsed -= bytes.length;
        if (remote) {
          this.#counts.parsed += from;
          this.onparsed?.();
        }
        this.#pour();
      });
    }
    // Once in a while, so that what was shown can be freed.
    if (this.#front === this.#queue.length || this.#front > 1024) {
      this.#queue = this.#queue.slice(this.#front);
      this.#front = 0;
    }
  }
}
