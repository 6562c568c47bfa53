// One payload, looked at: as text, as JSON that folds, or in hex.

import { choice, make } from "./dom.ts";
import { hexDump, jsonOf, looseText, shown, textOf, Written } from "./content.ts";

/// Entries of a list or an object that are shown; the rest is counted.
const MOST_ENTRIES = 500;
const MOST_TEXT = 262_144;
/// Levels that are open at first, for as long as there are few entries in them.
const OPEN = 2;
const MOST_OPEN = 1000;
/// Of a string in JSON, in UTF-16 units.
const MOST_STRING = 10_000;

type Look = "auto" | "text" | "json" | "hex";

export class Payload {
  readonly choice: HTMLSelectElement;
  readonly body = make("div", { class: "payload", tabindex: "0", role: "region", "aria-label": "Message" });
  #bytes = new Uint8Array();

  constructor() {
    this.choice = choice({ "aria-label": "Show as", onchange: () => this.#draw() }, [
      ["auto", "Automatic"],
      ["text", "Text"],
      ["json", "JSON"],
      ["hex", "Hex"],
    ]);
  }

  show(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#draw();
  }

  #draw(): void {
    this.body.replaceChildren(draw(this.#bytes, this.choice.value as Look));
  }
}

function draw(bytes: Uint8Array, look: Look): Node {
  if (bytes.length === 0) return make("p", { class: "hint" }, "It is empty.");
  const value = look === "auto" || look === "json" ? jsonOf(bytes) : undefined;
  if (value !== undefined) return json(value, 0, { open: MOST_OPEN });
  if (look === "json") return make("p", { class: "hint" }, "This is no JSON object or list.");
  const text = look === "hex" ? null : look === "text" ? looseText(bytes) : textOf(bytes);
  return make("pre", text === null ? { class: "hex" } : {}, text === null ? hexDump(bytes) : cut(text, MOST_TEXT));
}

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most)}\n… ${text.length - most} characters more` : text;

/// A value, which folds if there is something in it. The folded part isn't made before it is opened.
/// `left`: how many entries may be shown at first.
function json(value: unknown, depth: number, left: { open: number }, name = ""): HTMLElement {
  const label = name === "" ? [] : [make("span", { class: "key" }, shown(name)), ": "];
  if (value instanceof Written) return make("div", { class: "leaf" }, ...label, make("span", { class: "number" }, value.digits));
  if (typeof value !== "object" || value === null) {
    const kind = value === null ? "null" : typeof value;
    return make("div", { class: "leaf" }, ...label, make("span", { class: kind }, cut(JSON.stringify(value), MOST_STRING)));
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, close] = isList ? "[]" : "{}";
  if (entries.length === 0) return make("div", { class: "leaf" }, ...label, `${open}${close}`);
  const count = `${entries.length} ${isList ? "item" : "field"}${entries.length === 1 ? "" : "s"}`;
  const summary = make("summary", {}, ...label, make("span", { class: "fold" }, `${open} ${count} ${close}`));
  const box = make("details", {}, summary);
  const fill = (): void => {
    if (box.childElementCount > 1) return;
    const begin = entries.slice(0, MOST_ENTRIES).map(([key, inner]) => json(inner, depth + 1, left, key));
    const more = entries.length - begin.length;
    box.append(make("div", { class: "inner" }, ...begin, ...(more > 0 ? [make("p", { class: "hint" }, `… ${more} more`)] : [])));
  };
  box.addEventListener("toggle", () => box.open && fill());
  if (depth < OPEN && left.open > 0) {
    left.open -= Math.min(entries.length, MOST_ENTRIES);
    fill();
    box.open = true;
  }
  return box;
}
