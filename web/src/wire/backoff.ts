// How long to wait before the next attempt: 1 s, half as much again each time, at most 30 s. Up to a
// fifth more at random, so that many pages don't come back to a restarted server in step.

const FIRST_MS = 1000;
const FACTOR = 1.5;
const MOST_MS = 30_000;
const JITTER = 0.2;

export class Backoff {
  #failures = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /// Milliseconds until the next attempt.
  next(): number {
    const wait = Math.min(MOST_MS, FIRST_MS * FACTOR ** this.#failures);
    this.#failures += 1;
    return Math.round(wait * (1 + JITTER * this.#random()));
  }

  reset(): void {
    this.#failures = 0;
  }
}
