// Tools for a serial line: its settings and modem lines, how its bytes are shown, and a log of them.
//
// The choices for the line itself are kept for this tab and sent again after a reload; a device begins each session
// with the settings of its descriptor. DTR and RTS aren't kept: they reset boards.

import type { FromPage, Line, Modem } from "../wire/control.ts";
import type { Store } from "../settings/store.ts";
import { button, dialog, element, select } from "./dom.ts";

const BREAK_MS = 250;
const RATES = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1000000, 1500000];
const DRIVEN = ["dtr", "rts"] as const;
const LAMPS = ["cts", "dsr", "dcd", "ri"] as const;
const KEY = "endpointforward.line:";

export class Serial {
  readonly #tools = element("serial-tools", HTMLElement);
  readonly #modem = element("modem", HTMLElement);
  readonly #baud = select("baud");
  readonly #send: (message: FromPage) => void;
  /// The settings that were chosen here.
  #chosen: Line = remembered();
  /// Those that the device has not answered yet.
  #asked: Line = {};
  #on = false;

  constructor(store: Store, send: (message: FromPage) => void, save: () => void, after: () => void) {
    this.#send = send;
    for (const rate of RATES) this.#add(rate);
    this.#baud.value = "";
    this.#baud.addEventListener("change", () => {
      this.#choose({ baud: Number(this.#baud.value) });
      after();
    });
    const on = (id: string, act: () => void): void =>
      button(id).addEventListener("click", () => {
        act();
        after();
      });
    on("break", () => send({ type: "break", ms: BREAK_MS }));
    for (const line of DRIVEN) {
      on(line, () => send({ type: "modem", [line]: button(line).getAttribute("aria-pressed") !== "true" }));
    }
    on("save-log", () => {
      dialog("line").close();
      save();
    });
    const box = dialog("line");
    button("open-line").addEventListener("click", () => box.showModal());
    box.addEventListener("close", after);
    const form = element("line-form", HTMLFormElement);
    form.addEventListener("change", (event) => {
      const field = event.target;
      if (field instanceof HTMLSelectElement && field.dataset["line"] !== undefined) {
        this.#choose(settings(field.name, field.value));
      } else if (field instanceof HTMLInputElement && field.type === "checkbox") {
        store.change({ [field.name]: field.checked });
      } else if (field instanceof HTMLSelectElement) {
        store.change({ [field.name]: field.value });
      }
    });
    store.watch((kept) => {
      for (const field of form.elements) {
        if (field instanceof HTMLInputElement && field.type === "checkbox") {
          field.checked = kept[field.name as keyof typeof kept] === true;
        } else if (field instanceof HTMLSelectElement && field.dataset["line"] === undefined) {
          field.value = String(kept[field.name as keyof typeof kept]);
        }
      }
    });
  }

  /// A session began.
  show(on: boolean): void {
    this.#tools.hidden = !on;
    this.#modem.hidden = true;
    this.#on = on;
    if (!on) return;
    if (Object.keys(this.#chosen).length > 0) this.#send({ type: "line", ...this.#chosen });
    this.#send({ type: "query", what: "modem" });
  }

  /// Shows the settings of the device, which the server reports.
  line(line: Line): void {
    const refused = refusals(this.#asked, line);
    if (Object.keys(this.#asked).length > 0) {
      element("line-note", HTMLElement).textContent = refused.map(({ words }) => words).join("; ");
    }
    // It isn't asked for again after a reload.
    for (const { name } of refused) delete this.#chosen[name];
    if (refused.length > 0) this.#keep();
    this.#asked = {};
    if (line.baud !== undefined) {
      const value = String(line.baud);
      if (![...this.#baud.options].some((option) => option.value === value)) this.#add(line.baud);
      this.#baud.value = value;
    }
    if (line.bits !== undefined) select("bits").value = String(line.bits);
    if (line.parity !== undefined) select("parity").value = line.parity;
    if (line.stop !== undefined) select("stop").value = String(line.stop);
    if (line.rtscts !== undefined || line.xonxoff !== undefined) {
      select("flow").value = line.rtscts ? "rtscts" : line.xonxoff ? "xonxoff" : "none";
    }
  }

  /// Shows the modem lines, those that are known.
  modem(modem: Modem): void {
    this.#modem.hidden = !this.#on;
    for (const name of DRIVEN) {
      const value = modem[name];
      if (value !== undefined) button(name).setAttribute("aria-pressed", String(value));
    }
    for (const name of LAMPS) {
      const value = modem[name];
      if (value === undefined) continue;
      const lamp = element(name, HTMLElement);
      lamp.dataset["on"] = String(value);
      lamp.setAttribute("aria-label", `${name.toUpperCase()} ${value ? "on" : "off"}`);
    }
  }

  #choose(line: Line): void {
    this.#chosen = { ...this.#chosen, ...line };
    this.#asked = { ...this.#asked, ...line };
    this.#keep();
    this.#send({ type: "line", ...line });
  }

  #keep(): void {
    try {
      sessionStorage.setItem(KEY + location.pathname, JSON.stringify(this.#chosen));
    } catch {
      // For as long as the page is open.
    }
  }

  #add(rate: number): void {
    this.#baud.add(new Option(String(rate), String(rate)));
  }
}

/// The settings that were asked for and that the device reports otherwise, in words. The speed may be rounded.
export function refusals(asked: Line, kept: Line): { name: keyof Line; words: string }[] {
  const found: { name: keyof Line; words: string }[] = [];
  for (const name of Object.keys(asked) as (keyof Line)[]) {
    const [wanted, has] = [asked[name], kept[name]];
    if (wanted === undefined || has === undefined || wanted === has) continue;
    const near = name === "baud" && Math.abs(Number(wanted) - Number(has)) <= Number(wanted) / 20;
    if (!near) found.push({ name, words: `The device keeps ${name} ${has}` });
  }
  return found;
}

function settings(name: string, value: string): Line {
  switch (name) {
    case "bits":
      return { bits: Number(value) };
    case "parity":
      return { parity: value as NonNullable<Line["parity"]> };
    case "stop":
      return { stop: Number(value) };
    default:
      return { rtscts: value === "rtscts", xonxoff: value === "xonxoff" };
  }
}

function remembered(): Line {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(KEY + location.pathname) ?? "{}");
    // The server passes over what isn't right.
    return typeof found === "object" && found !== null ? found : {};
  } catch {
    return {};
  }
}
