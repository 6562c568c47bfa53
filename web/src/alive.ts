// Checks that the server is still there, where the WebSocket doesn't tell: after the machine slept, or if a router on
// the way has forgotten the connection. docs/terminal-protocol.md, "Checking the connection".
//
// The server is asked and answers. A destination that takes no input holds up the question, too, behind what was typed
// for it: so silence means an end only if all data before the question was read, which an earlier answer tells.
// Otherwise the user is told of the silence and decides.

export interface Watched {
  /// Sends the question.
  ask(): void;
  /// It hasn't answered for long, and may be busy; or it answers again.
  silent(on: boolean): void;
  /// It is gone.
  lost(): void;
}

/// How often to look. Ticks are counted, and not time: a machine that sleeps has none, a tab that isn't shown has fewer,
/// and each of them has left the browser time to deliver what had come.
export const TICK_MS = 5000;
/// Ticks without a message after a question.
export const PATIENCE = 3;
/// Ticks without a message before there is a question.
export const QUIET = 6;

export class Alive {
  readonly #watched: Watched;
  readonly #now: () => number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #last = 0;
  /// Ticks since something came.
  #quiet = 0;
  /// Data messages: how many were sent, and of how many it is known that they were read.
  #sent = 0;
  #read = 0;
  /// How many were sent before the question that has no answer yet.
  #question: number | null = null;
  #silent = false;

  constructor(watched: Watched, now: () => number = () => Date.now()) {
    this.#watched = watched;
    this.#now = now;
  }

  /// A session began whose server answers.
  begin(): void {
    this.end();
    this.#last = this.#now();
    this.#timer = setInterval(() => this.tick(), TICK_MS);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#quiet = this.#sent = this.#read = 0;
    this.#question = null;
    this.#silent = false;
  }

  /// Data was sent.
  sent(): void {
    this.#sent += 1;
  }

  /// Something came.
  heard(): void {
    this.#quiet = 0;
    if (this.#silent) this.#watched.silent(false);
    this.#silent = false;
  }

  /// The answer came.
  answered(): void {
    this.#read = this.#question ?? this.#read;
    this.#question = null;
  }

  /// Something happened that connections don't survive, as a rule: it is asked now.
  wake(): void {
    if (this.#timer === undefined) return;
    this.#last = this.#now();
    this.#quiet = 0;
    if (this.#question === null) this.#ask();
  }

  tick(): void {
    const now = this.#now();
    if (now - this.#last > 3 * TICK_MS) this.wake();
    this.#last = now;
    this.#quiet += 1;
    if (this.#question === null) {
      if (this.#sent > this.#read || this.#quiet >= QUIET) this.#ask();
    } else if (this.#quiet >= PATIENCE) {
      if (this.#question === this.#read) return this.#watched.lost();
      if (!this.#silent) this.#watched.silent(true);
      this.#silent = true;
    }
  }

  #ask(): void {
    this.#quiet = 0;
    this.#question = this.#sent;
    this.#watched.ask();
  }
}
