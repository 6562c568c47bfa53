// A list of any length of which only what is seen has elements. All rows are of one height.

import { make } from "./dom.ts";

export interface Source<T> {
  readonly length: number;
  at(index: number): T | undefined;
}

/// A row is touched, so it is as high as style/touch.css has it.
const FINGER = matchMedia("(pointer: coarse)");

/// Elements are told apart by names for screen readers, in all lists of the page.
let lists = 0;

export class Rows<T> {
  readonly #name = `rows-${lists++}`;
  readonly list: HTMLElement;
  readonly #space = make("div", { "aria-hidden": "true" });
  readonly #draw: (row: HTMLElement, item: T, index: number) => void;
  readonly #chosen: (index: number) => void;
  #source: Source<T> = { length: 0, at: () => undefined };
  #rows: HTMLElement[] = [];
  #height = 24;
  #selected = -1;
  #waits = false;
  /// `true` if the end is followed.
  #follows = true;
  /// Where it was scrolled to.
  #top = 0;
  /// How much of it was seen.
  #seen = 0;

  constructor(label: string, draw: (row: HTMLElement, item: T, index: number) => void, chosen: (index: number) => void) {
    this.#draw = draw;
    this.#chosen = chosen;
    this.list = make("div", {
      class: "list mono",
      role: "listbox",
      tabindex: "0",
      "aria-label": label,
      onscroll: () => {
        const { scrollTop, scrollHeight, clientHeight } = this.list;
        // A user who scrolls back leaves the end. Other scrolling is the list's own, and may be told late.
        if (scrollTop + clientHeight >= scrollHeight - this.#height) this.#follows = true;
        else if (scrollTop < this.#top) this.#follows = false;
        this.#top = scrollTop;
        this.soon();
      },
      onkeydown: (event: KeyboardEvent) => this.#key(event),
    });
    this.list.append(this.#space);
    new ResizeObserver(() => this.#resized()).observe(this.list);
  }

  get selected(): number {
    return this.#selected;
  }

  /// Shows another source, from its end.
  show(source: Source<T>): void {
    this.#source = source;
    this.#follows = true;
    this.#selected = -1;
    this.soon();
  }

  /// The source has changed: it is shown where it was, with this one selected.
  update(source: Source<T>, selected: number): void {
    this.#source = source;
    this.#follows = false;
    this.#selected = selected;
    this.soon();
  }

  /// The first `count` are gone.
  dropped(count: number): void {
    if (this.#selected >= 0) this.#selected = Math.max(-1, this.#selected - count);
    if (!this.#follows) this.#scroll(this.list.scrollTop - count * this.#height);
    this.soon();
  }

  /// Row height in pixels.
  height(pixels: number): void {
    this.#height = FINGER.matches ? Math.max(44, pixels) : pixels;
    this.list.style.setProperty("--row", `${this.#height}px`);
    this.soon();
  }

  select(index: number): void {
    this.#selected = index;
    this.soon();
    this.#chosen(index);
  }

  /// Draws at the next frame. A tab that isn't shown has none, and needs nothing drawn.
  soon(): void {
    if (this.#waits) return;
    this.#waits = true;
    requestAnimationFrame(() => {
      this.#waits = false;
      this.#show();
    });
  }

  #show(): void {
    const { length } = this.#source;
    this.#space.style.height = `${length * this.#height}px`;
    if (this.#follows) this.#scroll(this.list.scrollHeight);
    const first = Math.max(0, Math.floor(this.list.scrollTop / this.#height) - 2);
    const count = Math.min(length - first, Math.ceil(this.list.clientHeight / this.#height) + 5);
    while (this.#rows.length < count) {
      const row = make("div", { role: "option", class: "row" });
      row.addEventListener("click", () => this.select(Number(row.dataset["index"])));
      this.#rows.push(row);
      this.list.append(row);
    }
    for (const row of this.#rows.splice(Math.max(0, count))) row.remove();
    this.#rows.forEach((row, offset) => {
      const index = first + offset;
      const item = this.#source.at(index);
      if (item === undefined) return;
      row.dataset["index"] = String(index);
      row.id = `${this.#name}-${index}`;
      row.style.top = `${index * this.#height}px`;
      row.ariaSelected = String(index === this.#selected);
      row.ariaPosInSet = String(index + 1);
      row.ariaSetSize = String(length);
      this.#draw(row, item, index);
    });
    const isSeen = this.#selected >= first && this.#selected < first + count;
    if (isSeen) this.list.setAttribute("aria-activedescendant", `${this.#name}-${this.#selected}`);
    else this.list.removeAttribute("aria-activedescendant");
    // A listbox has to have options; an empty one is none.
    this.list.role = length === 0 ? "group" : "listbox";
  }

  #scroll(to: number): void {
    this.list.scrollTop = to;
    this.#top = this.list.scrollTop;
  }

  #key(event: KeyboardEvent): void {
    const last = this.#source.length - 1;
    const page = Math.max(1, Math.floor(this.list.clientHeight / this.#height) - 1);
    const from = this.#selected < 0 ? last + 1 : this.#selected;
    const to: Record<string, number> = {
      ArrowUp: from - 1,
      ArrowDown: from + 1,
      PageUp: from - page,
      PageDown: from + page,
      Home: 0,
      End: last,
    };
    const wanted = to[event.key];
    if (wanted === undefined || last < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const index = Math.min(last, Math.max(0, wanted));
    this.#follows = index === last;
    this.#reveal(index);
    this.select(index);
  }

  /// Scrolls as far as it takes to show a row; `false` if it is there.
  #reveal(index: number): boolean {
    const top = index * this.#height;
    const { scrollTop, clientHeight } = this.list;
    if (top < scrollTop) this.#scroll(top);
    else if (top + this.#height > scrollTop + clientHeight) this.#scroll(top + this.#height - clientHeight);
    else return false;
    return true;
  }

  /// The selected row stays in sight: its details take room from the list.
  #resized(): void {
    const top = this.#selected * this.#height;
    const wasSeen = this.#selected >= 0 && top >= this.#top && top < this.#top + this.#seen;
    if (wasSeen && this.#reveal(this.#selected)) this.#follows = false;
    this.#seen = this.list.clientHeight;
    this.soon();
  }
}
