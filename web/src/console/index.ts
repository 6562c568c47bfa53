// A session of messages: the data sent and received, one line a message, and a line to type.

import { clock, line, looseText, size } from "../views/content.ts";
import { choice, make, style } from "../views/dom.ts";
import { Payload } from "../views/payload.ts";
import { Rows } from "../views/rows.ts";
import type { Host, View } from "../views/view.ts";
import views from "../views/views.css?inline";
import own from "./console.css?inline";
import { EntryLine } from "./entry.ts";
import { History, type Entry, type Kind } from "./history.ts";
import { log } from "./log.ts";
import { Shown, type Which } from "./shown.ts";

const WAYS: Record<Kind, { sign: string; said: string }> = {
  in: { sign: "↓", said: "received" },
  out: { sign: "↑", said: "sent" },
  err: { sign: "!", said: "standard error" },
  note: { sign: "·", said: "session" },
};

export function open(host: Host): View {
  style(views + own);
  return new Console(host);
}

class Console implements View {
  readonly place: HTMLElement;
  readonly #history = new History();
  readonly #shown = new Shown(this.#history);
  readonly #rows: Rows<Entry>;
  readonly #entry: EntryLine;
  readonly #payload = new Payload();
  readonly #filter = make("input", {
    class: "filter",
    type: "search",
    placeholder: "Filter",
    "aria-label": "Filter",
    oninput: () => this.#refilter(),
  });
  readonly #which = choice({ "aria-label": "Which messages", onchange: () => this.#refilter() }, [
    ["all", "All"],
    ["in", "Received"],
    ["out", "Sent"],
    ["err", "Standard error"],
  ]);
  readonly #pause = make("button", { type: "button", "aria-pressed": "false", onclick: () => this.#paused() }, "Pause");
  readonly #count = make("span", { class: "count" });
  readonly #empty = make("p", { class: "empty" }, "No message yet.");
  readonly #meta = make("span", { class: "count" });
  readonly #detail: HTMLElement;
  #looked: Entry | undefined;

  constructor(host: Host) {
    this.#rows = new Rows<Entry>("Messages", draw, (index) => this.#look(this.#shown.at(index)));
    this.#rows.list.append(this.#empty);
    this.#entry = new EntryLine((bytes, text) => {
      host.send(bytes, text);
      this.#add("out", bytes, text);
    });
    const button = (label: string, act: () => void): HTMLButtonElement =>
      make("button", { type: "button", onclick: act }, label);
    this.#detail = make(
      "section",
      { class: "detail", "aria-label": "The message chosen", hidden: true },
      make(
        "div",
        { class: "tools-row" },
        this.#payload.choice,
        this.#meta,
        make("span", { class: "spring" }),
        button("Copy", () => this.#looked && host.copy(looseText(this.#looked.bytes))),
        button("Save", () => this.#looked && host.save([this.#looked.bytes], "message.bin")),
        button("Close", () => {
          this.#look(undefined);
          this.#rows.select(-1);
          this.#rows.list.focus();
        }),
      ),
      this.#payload.body,
    );
    this.place = make(
      "section",
      { class: "view console", "aria-label": "Messages" },
      make(
        "div",
        { class: "tools-row" },
        this.#filter,
        this.#which,
        this.#pause,
        button("Clear", () => this.#clear()),
        button("Save…", () => host.save(log(this.#history), `${host.title.replace(/[^\w.-]+/g, "-")}.jsonl`)),
        make("span", { class: "spring" }),
        this.#count,
      ),
      this.#rows.list,
      this.#detail,
      this.#entry.form,
      this.#entry.problem,
    );
    this.#rows.show(this.#shown);
    this.#counted();
  }

  connected(on: boolean): void {
    this.#entry.enable(on);
  }

  received(bytes: Uint8Array<ArrayBuffer>, text: boolean): void {
    this.#add("in", bytes, text);
  }

  stderr(line: string): void {
    this.#add("err", new TextEncoder().encode(line), true);
  }

  note(words: string): void {
    this.#add("note", new TextEncoder().encode(words), true);
  }

  fontSize(pixels: number): void {
    this.place.style.setProperty("--view-font", `${pixels - 1}px`);
    this.#rows.height(Math.round((pixels - 1) * 1.7));
  }

  focus(): void {
    this.#entry.focus();
  }

  search(): void {
    this.#filter.focus();
  }

  text(): string {
    const lines: string[] = [];
    for (let index = 0; index < this.#shown.length; index++) {
      const entry = this.#shown.at(index);
      if (entry) lines.push(`${WAYS[entry.kind].sign} ${line(entry.bytes, entry.text)}`);
    }
    return lines.join("\n");
  }

  #add(kind: Kind, bytes: Uint8Array<ArrayBuffer>, text: boolean): void {
    const dropped = this.#shown.added(this.#history.add(kind, bytes, text));
    if (dropped > 0) this.#rows.dropped(dropped);
    else this.#rows.soon();
    this.#counted();
  }

  #refilter(): void {
    this.#shown.filter(this.#filter.value, this.#which.value as Which);
    this.#reshow();
  }

  #paused(): void {
    this.#shown.pause(!this.#shown.isPaused);
    this.#pause.ariaPressed = String(this.#shown.isPaused);
    this.#reshow();
  }

  #clear(): void {
    this.#history.clear();
    this.#shown.clear();
    this.#look(undefined);
    this.#reshow();
  }

  #reshow(): void {
    this.#rows.show(this.#shown);
    this.#counted();
  }

  #waits = false;

  /// Once a frame: thousands of messages may come in one.
  #counted(): void {
    if (this.#waits) return;
    this.#waits = true;
    requestAnimationFrame(() => {
      this.#waits = false;
      const { length, messages, payload } = this.#history;
      const counted =
        this.#shown.length === length ? plural(messages, "message") : `${this.#shown.length} of ${plural(length, "line")}`;
      this.#count.textContent = `${counted}, ${size(payload)}`;
      const { held } = this.#shown;
      this.#pause.textContent = !this.#shown.isPaused ? "Pause" : held > 0 ? `Go on (${held} new)` : "Go on";
      this.#empty.hidden = this.#shown.length > 0;
      this.#empty.textContent = length > 0 ? "No message is like this." : "No message yet.";
    });
  }

  #look(entry: Entry | undefined): void {
    this.#looked = entry;
    this.#detail.hidden = entry === undefined;
    if (entry === undefined) return;
    const type = entry.kind === "in" || entry.kind === "out" ? (entry.text ? ", text" : ", binary") : "";
    this.#meta.textContent = `${clock(entry.at)}, ${WAYS[entry.kind].said}${type}, ${size(entry.bytes.length)}`;
    this.#payload.show(entry.bytes);
  }
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function draw(row: HTMLElement, entry: Entry): void {
  if (row.childElementCount === 0) {
    for (const name of ["time", "way", "type", "size", "what"]) row.append(make("span", { class: name }));
  }
  row.className = `row ${entry.kind}`;
  const { sign, said } = WAYS[entry.kind];
  const isData = entry.kind === "in" || entry.kind === "out";
  const cells = [
    clock(entry.at),
    sign,
    isData ? (entry.text ? "text" : "bin") : "",
    isData ? size(entry.bytes.length) : "",
    line(entry.bytes, entry.text),
  ];
  cells.forEach((text, index) => {
    const cell = row.children[index] as HTMLElement;
    if (cell.textContent !== text) cell.textContent = text;
  });
  row.title = said;
}
