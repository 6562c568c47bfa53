// Keys that a phone's keyboard hasn't: a bar below the terminal, where there is no better pointer than a finger.

import { button, element } from "./dom.ts";

export interface Keys {
  /// As if it was typed.
  type(text: string): void;
  /// `true` if cursor keys are to be sent as an application wants them (DECCKM).
  readonly application: boolean;
  paste(): void;
  focus(): void;
}

const ARROWS = { up: "A", down: "B", right: "C", left: "D" } as const;

export class KeyBar {
  readonly #keys: Keys;
  readonly #ctrl = button("key-ctrl");
  readonly #alt = button("key-alt");

  constructor(keys: Keys, canPaste: boolean) {
    this.#keys = keys;
    const bar = element("keybar", HTMLElement);
    // A key takes the focus nowhere: the keyboard on the screen would close.
    for (const event of ["mousedown", "pointerdown"]) bar.addEventListener(event, (down) => down.preventDefault());
    const on = (id: string, act: () => void): void => button(id).addEventListener("click", act);
    on("key-esc", () => this.#type("\x1b"));
    on("key-tab", () => this.#type("\t"));
    on("key-paste", () => keys.paste());
    button("key-paste").hidden = !canPaste;
    for (const arrow of Object.keys(ARROWS) as (keyof typeof ARROWS)[]) {
      on(`key-${arrow}`, () => this.#arrow(ARROWS[arrow]));
    }
    for (const sticky of [this.#ctrl, this.#alt]) {
      sticky.addEventListener("click", () => {
        this.#hold(sticky, sticky.getAttribute("aria-pressed") !== "true");
        keys.focus();
      });
    }
    const coarse = matchMedia("(hover: none) and (pointer: coarse)");
    const show = (): void => {
      bar.hidden = !coarse.matches;
    };
    coarse.addEventListener("change", show);
    show();
  }

  /// Returns the typed character, changed by the keys that are held, and releases them. A longer text stays as it is,
  /// and the keys stay held.
  typed(text: string): string {
    const [ctrl, alt] = [this.#held(this.#ctrl), this.#held(this.#alt)];
    if ((!ctrl && !alt) || [...text].length !== 1) return text;
    this.#release();
    return (alt ? "\x1b" : "") + (ctrl ? controlled(text) : text);
  }

  #type(text: string): void {
    const alt = this.#held(this.#alt);
    this.#release();
    this.#keys.type((alt ? "\x1b" : "") + text);
  }

  #arrow(letter: string): void {
    // xterm's modifiers: 1, and 2 for Alt, 4 for Ctrl.
    const modifier = 1 + (this.#held(this.#alt) ? 2 : 0) + (this.#held(this.#ctrl) ? 4 : 0);
    this.#release();
    if (modifier > 1) this.#keys.type(`\x1b[1;${modifier}${letter}`);
    else this.#keys.type(`\x1b${this.#keys.application ? "O" : "["}${letter}`);
  }

  #held = (key: HTMLButtonElement): boolean => key.getAttribute("aria-pressed") === "true";

  #hold(key: HTMLButtonElement, on: boolean): void {
    key.setAttribute("aria-pressed", String(on));
  }

  #release(): void {
    this.#hold(this.#ctrl, false);
    this.#hold(this.#alt, false);
  }
}

/// A character with Ctrl, as terminals send it.
export function controlled(text: string): string {
  const code = text.toUpperCase().charCodeAt(0);
  if (text === " " || text === "2") return "\0";
  if (text === "?") return "\x7f";
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code - 0x40) : text;
}
