// Chooses the view of a session: the terminal, or one of messages, whose code is loaded when it is first needed.
//
// Data that comes before it is loaded waits here, in order. It is acknowledged only when it is shown, so a server of
// ours sends no more than a window of it.

import type { Face } from "../wire/control.ts";
import { load as loadConsole } from "../console/index.ts?chunk";
import { load as loadMqtt } from "../mqtt/index.ts?chunk";
import type { Host, Module, View } from "./view.ts";

export type Name = "terminal" | "console" | "mqtt";

const NAMES: readonly Name[] = ["terminal", "console", "mqtt"];
const LOADERS: Record<Exclude<Name, "terminal">, () => Promise<unknown>> = { console: loadConsole, mqtt: loadMqtt };

/// Returns the view that the page's own address asks for (`?face=console`), if it does.
export function askedFor(page: string): Name | null {
  const asked = new URL(page).searchParams.get("face");
  return NAMES.find((name) => name === asked) ?? null;
}

/// The view of a face, if nothing else was asked for.
export function usual(face: Face): Name {
  return face === "messages" ? "console" : face === "mqtt" ? "mqtt" : "terminal";
}

export class Views {
  readonly #main: HTMLElement;
  readonly #host: Host;
  /// So many bytes were taken in.
  readonly #taken: (bytes: number) => void;
  readonly #failed: (words: string) => void;
  readonly #loaded = new Map<Name, View>();
  #name: Name = "terminal";
  #view: View | null = null;
  #waiting: ((view: View) => void)[] = [];
  #fontSize = 15;
  /// `true` if the view's code could not be loaded. Data that comes is lost then, and the user is told.
  #missing = false;

  constructor(main: HTMLElement, host: Host, taken: (bytes: number) => void, failed: (words: string) => void) {
    this.#main = main;
    this.#host = host;
    this.#taken = taken;
    this.#failed = failed;
  }

  get name(): Name {
    return this.#name;
  }

  /// null while the terminal is shown, or the view is being loaded.
  get view(): View | null {
    return this.#view;
  }

  show(name: Name): void {
    // One that could not be loaded is tried again.
    if (name === this.#name && !this.#missing) return;
    this.#name = name;
    this.#missing = false;
    this.#waiting = [];
    if (this.#view) this.#view.place.hidden = true;
    this.#view = null;
    if (name === "terminal") return;
    const loaded = this.#loaded.get(name);
    if (loaded) return this.#enter(loaded);
    LOADERS[name]()
      .then((module) => {
        const view = (module as Module).open(this.#host);
        this.#loaded.set(name, view);
        this.#main.append(view.place);
        view.place.hidden = true;
        if (this.#name === name) this.#enter(view);
      })
      .catch(() => {
        if (this.#name !== name) return;
        this.#missing = true;
        this.#waiting = [];
        this.#failed("a part of the page could not be loaded; load the page again");
      });
  }

  /// Tells the view, now or when it is there. Nothing happens while the terminal is shown.
  tell(what: (view: View) => void): void {
    if (this.#view) what(this.#view);
    else if (this.#name !== "terminal" && !this.#missing) this.#waiting.push(what);
  }

  received(bytes: Uint8Array<ArrayBuffer>, text: boolean): void {
    this.tell((view) => {
      view.received(bytes, text);
      this.#taken(bytes.length);
    });
  }

  fontSize(pixels: number): void {
    this.#fontSize = pixels;
    this.#view?.fontSize(pixels);
  }

  #enter(view: View): void {
    this.#view = view;
    view.fontSize(this.#fontSize);
    view.place.hidden = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell(view);
    // The terminal is inert by now, but browsers take the focus away from it only with the next frame.
    const active = document.activeElement;
    if (active === null || active === document.body || active.closest("[inert]")) view.focus();
  }
}
