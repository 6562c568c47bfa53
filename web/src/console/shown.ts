// Which entries are listed: all of them, or those that a filter takes; up to where the list was paused.

import { line } from "../views/content.ts";
import type { Entry, History, Kind } from "./history.ts";

export type Which = "all" | Kind;

export class Shown {
  readonly #history: History;
  #text = "";
  #which: Which = "all";
  /// Numbers of the entries, if some are left out.
  #numbers: number[] | null = null;
  #front = 0;
  /// The number before which it was paused.
  #until: number | null = null;

  constructor(history: History) {
    this.#history = history;
  }

  get length(): number {
    if (this.#numbers !== null) return this.#numbers.length - this.#front;
    return this.#until === null ? this.#history.length : Math.max(0, this.#until - this.#first);
  }

  at(index: number): Entry | undefined {
    if (this.#numbers === null) return this.#history.at(index);
    return this.#history.numbered(this.#numbers[this.#front + index] ?? -1);
  }

  get isPaused(): boolean {
    return this.#until !== null;
  }

  /// How many came since it was paused.
  get held(): number {
    return this.#until === null ? 0 : this.#history.next - Math.max(this.#until, this.#first);
  }

  filter(text: string, which: Which): void {
    this.#text = text.toLowerCase();
    this.#which = which;
    this.#refill();
  }

  pause(on: boolean): void {
    this.#until = on ? this.#history.next : null;
    this.#refill();
  }

  clear(): void {
    if (this.#until !== null) this.#until = this.#history.next;
    this.#refill();
  }

  /// One was added, and `gone` others dropped. How many of those were listed.
  added(gone: number): number {
    if (this.#numbers === null) return gone;
    const before = this.#front;
    while ((this.#numbers[this.#front] ?? Infinity) < this.#first) this.#front += 1;
    const last = this.#history.at(this.#history.length - 1);
    if (last !== undefined && this.#until === null && this.#takes(last)) this.#numbers.push(last.number);
    const dropped = this.#front - before;
    if (this.#front > 10_000) {
      this.#numbers = this.#numbers.slice(this.#front);
      this.#front = 0;
    }
    return dropped;
  }

  get #first(): number {
    return this.#history.at(0)?.number ?? this.#history.next;
  }

  #refill(): void {
    this.#front = 0;
    this.#numbers = null;
    if (this.#text === "" && this.#which === "all") return;
    this.#numbers = [];
    for (const entry of this.#history) {
      if (entry.number >= (this.#until ?? Infinity)) break;
      if (this.#takes(entry)) this.#numbers.push(entry.number);
    }
  }

  #takes(entry: Entry): boolean {
    if (this.#which !== "all" && entry.kind !== this.#which) return false;
    return this.#text === "" || line(entry.bytes, entry.text).toLowerCase().includes(this.#text);
  }
}
