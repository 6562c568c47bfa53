// The data sent and received, bounded by count and by bytes: the oldest goes first.

export type Kind = "in" | "out" | "err" | "note";

export interface Entry {
  /// Counts all entries, from 0.
  number: number;
  /// Milliseconds since 1970.
  at: number;
  kind: Kind;
  text: boolean;
  bytes: Uint8Array<ArrayBuffer>;
}

export const MOST_ENTRIES = 100_000;
export const MOST_BYTES = 32 * 1024 * 1024;

export class History {
  #entries: Entry[] = [];
  /// Entries at the front of the array that are gone: shifting costs its length.
  #front = 0;
  #bytes = 0;
  #messages = 0;
  #payload = 0;
  #next = 0;

  get length(): number {
    return this.#entries.length - this.#front;
  }

  /// Messages among the entries.
  get messages(): number {
    return this.#messages;
  }

  /// Bytes of these messages.
  get payload(): number {
    return this.#payload;
  }

  /// The number that the next entry gets.
  get next(): number {
    return this.#next;
  }

  at(index: number): Entry | undefined {
    return this.#entries[this.#front + index];
  }

  /// By its number; undefined if it is gone.
  numbered(number: number): Entry | undefined {
    const first = this.#entries[this.#front]?.number ?? this.#next;
    return number < first ? undefined : this.#entries[this.#front + number - first];
  }

  /// Adds an entry. How many old ones had to go for it.
  add(kind: Kind, bytes: Uint8Array<ArrayBuffer>, text: boolean, at = Date.now()): number {
    this.#entries.push({ number: this.#next++, at, kind, text, bytes });
    this.#count(kind, bytes.length, 1);
    let gone = 0;
    while (this.length > MOST_ENTRIES || (this.#bytes > MOST_BYTES && this.length > 1)) {
      const oldest = this.#entries[this.#front] as Entry;
      this.#count(oldest.kind, -oldest.bytes.length, -1);
      // Entries that are gone shall be freed before the array is.
      delete this.#entries[this.#front++];
      gone += 1;
    }
    if (this.#front > 10_000 && this.#front * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#front);
      this.#front = 0;
    }
    return gone;
  }

  clear(): void {
    this.#entries = [];
    this.#front = 0;
    this.#bytes = this.#messages = this.#payload = 0;
  }

  #count(kind: Kind, bytes: number, one: 1 | -1): void {
    this.#bytes += bytes;
    if (kind !== "in" && kind !== "out") return;
    this.#messages += one;
    this.#payload += bytes;
  }

  *[Symbol.iterator](): Iterator<Entry> {
    for (let index = 0; index < this.length; index++) yield this.at(index) as Entry;
  }
}
