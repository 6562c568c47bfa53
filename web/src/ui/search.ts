// The search bar over the terminal.

import type { Terminal } from "../terminal/terminal.ts";
import { button, element, input } from "./dom.ts";

export class Search {
  readonly #bar = element("search", HTMLElement);
  readonly #text = input("search-text");
  readonly #case = button("search-case");
  readonly #count = element("search-count", HTMLElement);
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#text.addEventListener("input", () => this.#find({ typing: true }));
    this.#bar.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      else if (event.key === "Enter" && event.target === this.#text) this.#find({ back: !event.shiftKey });
      else return;
      event.preventDefault();
    });
    // Up is older output: where a search in a terminal starts.
    // The focus goes back to the text, so that the next key is not the button's.
    button("search-up").addEventListener("click", () => this.#clicked({ back: true }));
    button("search-down").addEventListener("click", () => this.#clicked({}));
    button("search-close").addEventListener("click", () => this.close());
    this.#case.addEventListener("click", () => {
      const on = this.#case.getAttribute("aria-pressed") !== "true";
      this.#case.setAttribute("aria-pressed", String(on));
      this.#clicked({ typing: true });
    });
  }

  open(): void {
    this.#bar.hidden = false;
    const selected = this.#terminal.selection;
    if (selected !== "" && !selected.includes("\n")) this.#text.value = selected;
    this.#text.focus();
    this.#text.select();
    if (this.#text.value !== "") this.#find({ typing: true });
  }

  close(): void {
    this.#bar.hidden = true;
    this.#count.textContent = "";
    this.#terminal.endFind();
    this.#terminal.focus();
  }

  found(index: number, count: number): void {
    if (this.#bar.hidden || this.#text.value === "") return;
    this.#count.textContent = count === 0 ? "none" : index < 0 ? `${count}+` : `${index + 1} of ${count}`;
  }

  #clicked(how: { back?: boolean; typing?: boolean }): void {
    this.#find(how);
    this.#text.focus();
  }

  #find(how: { back?: boolean; typing?: boolean }): void {
    if (this.#text.value === "") {
      this.#count.textContent = "";
      this.#terminal.endFind();
      return;
    }
    const caseSensitive = this.#case.getAttribute("aria-pressed") === "true";
    this.#terminal.find(this.#text.value, { ...how, caseSensitive, back: how.back || how.typing || false });
  }
}
