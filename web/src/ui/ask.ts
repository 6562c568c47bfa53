// A question with two answers, and the text that it is about shown as text. One at a time: a program
// that asks in a loop gets no while another question is open.

import { button, dialog, element } from "./dom.ts";

export interface Question {
  title: string;
  text: string;
  yes: string;
  /// The text that it is about; only the beginning is shown.
  about: string;
}

const SHOWN = 2000;

export class Ask {
  readonly #dialog = dialog("ask");
  readonly #title = element("ask-title", HTMLElement);
  readonly #text = element("ask-text", HTMLElement);
  readonly #about = element("ask-about", HTMLElement);
  readonly #yes = button("ask-yes");
  readonly #after: () => void;

  /// `after`: where the focus goes.
  constructor(after: () => void) {
    this.#after = after;
  }

  ask(question: Question): Promise<boolean> {
    if (this.#dialog.open) return Promise.resolve(false);
    this.#title.textContent = question.title;
    this.#text.textContent = question.text;
    this.#about.textContent =
      question.about.length > SHOWN ? `${question.about.slice(0, SHOWN)}…` : question.about;
    this.#yes.textContent = question.yes;
    this.#dialog.returnValue = "no";
    this.#dialog.showModal();
    return new Promise((answer) => {
      this.#dialog.addEventListener(
        "close",
        () => {
          answer(this.#dialog.returnValue === "yes");
          this.#after();
        },
        { once: true },
      );
    });
  }
}
