// The title of the page and of the toolbar: what the program says, as text, and a mark for a bell
// that rang while nobody looked.

import { element } from "./dom.ts";

const MOST = 200;

export class Title {
  readonly #shown = element("title", HTMLElement);
  readonly #usual = document.title;
  #text = "";
  #rang = false;

  constructor() {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#rang = false;
      this.#update();
    });
  }

  set(text: string): void {
    this.#text = text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").trim().slice(0, MOST);
    this.#update();
  }

  bell(): void {
    if (document.hidden) this.#rang = true;
    this.#update();
  }

  #update(): void {
    const text = this.#text || this.#usual;
    document.title = this.#rang ? `● ${text}` : text;
    this.#shown.textContent = text;
    this.#shown.title = text;
  }
}
