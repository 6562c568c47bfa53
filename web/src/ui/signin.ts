// The form for a name and a password, in front of a terminal that they open.

import { element, input } from "./dom.ts";

export class SignIn {
  readonly #panel = element("sign-in", HTMLElement);
  readonly #words = element("sign-in-words", HTMLElement);
  readonly #name = input("sign-in-name");
  readonly #password = input("sign-in-password");
  #asking = false;

  /// `signIn`: returns why it failed, or null. `done`: it did not.
  constructor(signIn: (name: string, password: string) => Promise<string | null>, done: () => void) {
    element("sign-in-plain", HTMLElement).hidden = isSecureContext;
    const form = element("sign-in-form", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#asking) return;
      this.#asking = true;
      // Emptied first, so that a screen reader repeats the same words.
      this.#say("");
      void signIn(this.#name.value, this.#password.value).then((wrong) => {
        this.#asking = false;
        this.#password.value = "";
        if (wrong === null) return done();
        this.#say(wrong);
        this.#password.focus();
      });
    });
  }

  get isShown(): boolean {
    return !this.#panel.hidden;
  }

  /// Shows it with why it is there again, if there is a reason.
  show(words: string): void {
    this.#panel.hidden = false;
    this.#say(words);
    this.focus();
  }

  hide(): void {
    this.#panel.hidden = true;
  }

  focus(): void {
    (this.#name.value === "" ? this.#name : this.#password).focus();
  }

  #say(words: string): void {
    this.#words.textContent = words;
  }
}
