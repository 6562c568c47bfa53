// Lines typed in the terminal for a destination of messages: each is one message, sent when Enter is pressed.

export class Lines {
  #line = "";

  forget(): void {
    this.#line = "";
  }

  /// Takes typed text, and returns the messages that are complete by it.
  typed(text: string): string[] {
    const whole: string[] = [];
    for (const c of text) {
      if (c === "\r") {
        whole.push(this.#line);
        this.#line = "";
      } else if (c === "\x7f" || c === "\b") {
        this.#line = Array.from(this.#line).slice(0, -1).join("");
      } else {
        this.#line += c;
      }
    }
    return whole;
  }
}
