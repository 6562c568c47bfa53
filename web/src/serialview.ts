// Views of a serial line's bytes: as they are, with line ends made whole, with the time before each line, or in hex.
// The bytes themselves are kept as they came, for a log.

export type Newlines = "auto" | "as-is" | "lf" | "cr";

export interface Shown {
  newlines: Newlines;
  timestamps: boolean;
  hex: boolean;
}

const LF = 10;
const CR = 13;
/// Bytes of a log; older ones are forgotten.
export const LOG_MOST = 8 * 1024 * 1024;
/// A device sends a byte at a time: an array for each would be many times what is in it.
const BLOCK = 64 * 1024;
const HEX_WIDTH = 16;

export class SerialView {
  #shown: Shown = { newlines: "auto", timestamps: false, hex: false };
  /// `true` if a CR has come: then the device knows how a line ends.
  #knowsCr = false;
  #lastWasCr = false;
  #lineBegins = true;
  /// Bytes of the line in hex.
  #row: number[] = [];
  /// Blocks, of which the last is filled so far.
  #log: Uint8Array[] = [];
  #filled = BLOCK;
  readonly #time: () => Date;

  constructor(time: () => Date = () => new Date()) {
    this.#time = time;
  }

  show(shown: Shown): void {
    if (shown.hex !== this.#shown.hex) this.#row = [];
    // Chosen anew, it is found out anew: a boot loader's line ends are often not those of what it has loaded.
    if (shown.newlines !== this.#shown.newlines) this.#knowsCr = false;
    this.#shown = shown;
  }

  /// Another session.
  begin(): void {
    this.#knowsCr = false;
    this.#lastWasCr = false;
    this.#lineBegins = true;
    this.#row = [];
  }

  /// Takes received bytes, and returns those for the terminal.
  take(bytes: Uint8Array): Uint8Array {
    this.#keep(bytes);
    if (this.#shown.hex) return new TextEncoder().encode(this.#hex(bytes));
    const { newlines, timestamps } = this.#shown;
    if (newlines === "as-is" && !timestamps) return bytes;
    const out: number[] = [];
    const stamp = timestamps ? [...new TextEncoder().encode(this.#stamp())] : [];
    for (const byte of bytes) {
      // A CR that no LF follows, where it ends a line.
      if (newlines === "cr" && this.#lastWasCr && byte !== LF) out.push(LF);
      if (this.#lineBegins && byte !== LF && byte !== CR) {
        out.push(...stamp);
        this.#lineBegins = false;
      }
      if (byte === CR) this.#knowsCr = true;
      if (byte === LF) {
        const adds = newlines === "lf" || (newlines === "auto" && !this.#knowsCr);
        if (adds && !this.#lastWasCr) out.push(CR);
        this.#lineBegins = true;
      }
      if (newlines === "cr" && byte === CR) this.#lineBegins = true;
      this.#lastWasCr = byte === CR;
      out.push(byte);
    }
    return Uint8Array.from(out);
  }

  /// The received bytes, the last of them if they are more than is kept.
  get log(): Uint8Array[] {
    return this.#log.map((block, at) => (at === this.#log.length - 1 ? block.subarray(0, this.#filled) : block));
  }

  #keep(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === BLOCK) {
        this.#log.push(new Uint8Array(BLOCK));
        this.#filled = 0;
        if (this.#log.length * BLOCK > LOG_MOST) this.#log.shift();
      }
      const piece = bytes.subarray(at, at + BLOCK - this.#filled);
      this.#log.at(-1)?.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
    }
  }

  #hex(bytes: Uint8Array): string {
    let text = "";
    for (const byte of bytes) {
      if (this.#row.length === 0 && this.#shown.timestamps) text += this.#stamp();
      this.#row.push(byte);
      text += `${byte.toString(16).padStart(2, "0")} `;
      if (this.#row.length === HEX_WIDTH || byte === LF) {
        const printed = this.#row.map((one) => (one >= 0x20 && one < 0x7f ? String.fromCharCode(one) : "."));
        text += `${"   ".repeat(HEX_WIDTH - this.#row.length)} ${printed.join("")}\r\n`;
        this.#row = [];
      }
    }
    return text;
  }

  #stamp(): string {
    const time = this.#time();
    const two = (value: number): string => String(value).padStart(2, "0");
    const ms = String(time.getMilliseconds()).padStart(3, "0");
    return `\x1b[2m${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}\x1b[22m `;
  }
}
