// Tools for a serial line: break, and the speed.

import type { FromPage, Line } from "../wire/control.ts";
import { button, element, select } from "./dom.ts";

const BREAK_MS = 250;
const RATES = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1000000, 1500000];

export class Serial {
  readonly #tools = element("serial-tools", HTMLElement);
  readonly #baud = select("baud");

  constructor(send: (message: FromPage) => void, after: () => void) {
    for (const rate of RATES) this.#add(rate);
    this.#baud.value = "";
    this.#baud.addEventListener("change", () => {
      send({ type: "line", baud: Number(this.#baud.value) });
      after();
    });
    button("break").addEventListener("click", () => {
      send({ type: "break", ms: BREAK_MS });
      after();
    });
  }

  show(on: boolean): void {
    this.#tools.hidden = !on;
  }

  /// What the device is set to, as the server says.
  line(line: Line): void {
    if (line.baud === undefined) return;
    const value = String(line.baud);
    if (![...this.#baud.options].some((option) => option.value === value)) this.#add(line.baud);
    this.#baud.value = value;
  }

  #add(rate: number): void {
    this.#baud.add(new Option(String(rate), String(rate)));
  }
}
