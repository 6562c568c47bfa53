// The title of the page and of the toolbar: the destination, or the program's own title once there is one, as text,
// and a mark for a bell that rang while the page was hidden.

import { element } from "./dom.ts";

const MOST = 200;

export class Title {
  readonly #shown = element("title", HTMLElement);
  readonly #plain = document.title;
  #usual = document.title;
  #text = "";
  #rang = false;

  constructor() {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#rang = false;
      this.#update();
    });
  }

  /// Sets the program's title, which takes the place of the destination's name.
  set(text: string): void {
    this.#text = clean(text);
    this.#update();
  }

  /// Sets the kind of destination and its place, each if it is known.
  name(what: string, where: string): void {
    this.#usual = [clean(what), where].filter((part) => part !== "").join(" — ") || this.#plain;
    this.#update();
  }

  get text(): string {
    return this.#text || this.#usual;
  }

  bell(): void {
    if (document.hidden) this.#rang = true;
    this.#update();
  }

  #update(): void {
    const text = this.#text || this.#usual;
    const title = this.#rang ? `● ${text}` : text;
    // Programs set the same title, and ring, thousands of times a second, and each change costs a layout.
    if (document.title !== title) document.title = title;
    if (this.#shown.title === text) return;
    this.#shown.textContent = text;
    this.#shown.title = text;
  }
}

const clean = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").trim().slice(0, MOST);
