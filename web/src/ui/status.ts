// The state of the session in words, for eyes and for screen readers.

import type { State } from "../session.ts";
import { button, element } from "./dom.ts";

export class Status {
  readonly #box = element("status", HTMLElement);
  readonly #text = element("status-text", HTMLElement);
  readonly #countdown = element("status-countdown", HTMLElement);
  readonly #reconnect = button("reconnect");
  readonly #other = button("other");
  #everConnected = false;

  constructor(reconnect: () => void, elsewhere: () => void) {
    this.#reconnect.addEventListener("click", reconnect);
    this.#other.addEventListener("click", elsewhere);
  }

  show(state: State, note = ""): void {
    const { dataset } = document.documentElement;
    dataset["state"] = state.kind;
    if (note === "") delete dataset["note"];
    else dataset["note"] = "";
    // The countdown stands outside the live region, so that screen readers don't read every second out.
    this.#set(this.#text, words(state, this.#everConnected) + (note && ` · ${note}`));
    this.#set(this.#countdown, state.kind === "waiting" ? `reconnecting in ${state.seconds} s` : "");
    this.#box.title = this.#text.textContent;
    this.#everConnected ||= state.kind === "connected";
    this.#reconnect.hidden = state.kind !== "ended" && state.kind !== "waiting";
    // Perhaps the page came from a server that is only a web server.
    this.#other.hidden = this.#reconnect.hidden || this.#everConnected;
    this.#reconnect.textContent = state.kind === "waiting" ? "Reconnect now" : "Reconnect";
  }

  /// Only if it changed: setting the same text makes some screen readers repeat it.
  #set(where: HTMLElement, text: string): void {
    if (where.textContent !== text) where.textContent = text;
  }
}

/// `began`: `true` if there was a session that could end.
function words(state: State, began: boolean): string {
  switch (state.kind) {
    case "idle":
      return "Not connected";
    case "connecting":
      return state.again ? "Reconnecting…" : "Connecting…";
    case "connected":
      return "Connected";
    case "waiting":
      return capital(state.words);
    case "ended":
      return began ? `Ended: ${state.words}` : `Not connected: ${state.words}`;
    case "out":
      return "Not signed in";
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
