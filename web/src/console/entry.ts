// The line to type messages on, with those that were typed before.

import { fromHex } from "../views/content.ts";
import { choice, make } from "../views/dom.ts";

const MOST = 200;

export class EntryLine {
  readonly form: HTMLFormElement;
  readonly problem = make("p", { class: "problem", role: "alert" });
  readonly #field: HTMLTextAreaElement;
  readonly #kind: HTMLSelectElement;
  readonly #button: HTMLButtonElement;
  readonly #send: (bytes: Uint8Array<ArrayBuffer>, text: boolean) => void;
  #past: string[] = [];
  /// Where in what was typed before; the length is the line that is being typed.
  #at = 0;
  #typed = "";

  constructor(send: (bytes: Uint8Array<ArrayBuffer>, text: boolean) => void) {
    this.#send = send;
    this.#field = make("textarea", {
      class: "mono",
      rows: "1",
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      "aria-label": "Message",
      placeholder: "Message: Enter sends it",
      onkeydown: (event: KeyboardEvent) => this.#key(event),
    });
    this.#kind = choice({ "aria-label": "Send as" }, [["text", "Text"], ["hex", "Binary (hex)"]]);
    this.#button = make("button", { type: "submit", class: "primary" }, "Send");
    this.form = make(
      "form",
      {
        class: "entry",
        onsubmit: (event: Event) => {
          event.preventDefault();
          this.#submit();
        },
      },
      this.#kind,
      this.#field,
      this.#button,
    );
  }

  focus(): void {
    this.#field.focus();
  }

  enable(on: boolean): void {
    this.#button.disabled = !on;
  }

  #submit(): void {
    if (this.#button.disabled) return;
    const typed = this.#field.value;
    const isText = this.#kind.value === "text";
    const bytes = isText ? new TextEncoder().encode(typed) : fromHex(typed);
    if (typeof bytes === "string") {
      this.problem.textContent = bytes;
      return;
    }
    this.problem.textContent = "";
    this.#send(bytes, isText);
    if (typed !== "" && this.#past.at(-1) !== typed) this.#past.push(typed);
    if (this.#past.length > MOST) this.#past.shift();
    this.#at = this.#past.length;
    this.#field.value = "";
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const { value, selectionStart } = this.#field;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "ArrowUp" && !value.slice(0, selectionStart).includes("\n")) {
      this.#move(-1, event);
    } else if (event.key === "ArrowDown" && !value.slice(selectionStart).includes("\n")) {
      this.#move(1, event);
    }
  }

  #move(by: number, event: Event): void {
    const to = this.#at + by;
    if (to < 0 || to > this.#past.length) return;
    event.preventDefault();
    if (this.#at === this.#past.length) this.#typed = this.#field.value;
    this.#at = to;
    this.#field.value = this.#past[to] ?? this.#typed;
  }
}
