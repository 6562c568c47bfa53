// The clipboard and the terminal: a paste is asked about if it would run, a program's text for the clipboard
// always. The clipboard itself is ui/clipboard.ts.

import type { Store } from "../settings/store.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Ask } from "../ui/ask.ts";
import { canRead, copy, hasLines, pasteable, read } from "../ui/clipboard.ts";
import { MAC } from "../ui/keys.ts";

export class Clipboard {
  readonly #place: HTMLElement;
  readonly #terminal: Terminal;
  readonly #store: Store;
  readonly #ask: Ask;
  /// Shows why nothing happened.
  readonly #say: (words: string) => void;

  /// `place`: the terminal's element.
  constructor(place: HTMLElement, terminal: Terminal, store: Store, ask: Ask, say: (words: string) => void) {
    this.#place = place;
    this.#terminal = terminal;
    this.#store = store;
    this.#ask = ask;
    this.#say = say;
    // Before xterm.js has it.
    place.addEventListener(
      "paste",
      (event) => {
        event.preventDefault();
        event.stopPropagation();
        void this.#paste(event.clipboardData?.getData("text/plain") ?? "");
      },
      { capture: true },
    );
    place.addEventListener(
      "contextmenu",
      (event) => {
        if (event.shiftKey || !store.settings.rightClickPaste || !canRead()) return;
        event.preventDefault();
        event.stopPropagation();
        // The program has had the click.
        if (terminal.mouseTaken) return;
        this.paste();
      },
      { capture: true },
    );
  }

  /// Pastes what is in the clipboard, if the browser gives it away.
  paste(): void {
    void read().then((text) => {
      if (text === null) this.#say(`this page may not read the clipboard; ${MAC ? "⌘" : "Ctrl+Shift+"}V pastes`);
      else void this.#paste(text);
    });
  }

  copy(): void {
    void this.#copy(this.#terminal.selection);
  }

  /// Something was selected in the terminal: by the user, unless the search has the focus.
  selected(): void {
    if (!this.#store.settings.copyOnSelect || this.#terminal.selection === "") return;
    if (this.#place.contains(document.activeElement)) this.copy();
  }

  /// A program wants to set the clipboard (OSC 52).
  async asked(text: string): Promise<void> {
    const { programClipboard } = this.#store.settings;
    if (programClipboard === "deny") return;
    const sure =
      programClipboard === "allow" ||
      (await this.#ask.ask({
        title: "Put this in the clipboard?",
        text: "A program in the terminal asks for it.",
        yes: "Copy",
        about: text,
      }));
    if (sure) await this.#copy(text);
  }

  async #copy(text: string): Promise<void> {
    if (text !== "" && !(await copy(text))) this.#say("the browser doesn't allow this page to copy");
  }

  async #paste(typed: string): Promise<void> {
    const text = pasteable(typed);
    if (text === "") return;
    const runs = hasLines(text) && !this.#terminal.bracketedPaste;
    if (runs && this.#store.settings.pasteWarning) {
      const lines = text.trimEnd().split(/\r\n|\r|\n/).length;
      const sure = await this.#ask.ask({
        title: lines > 1 ? `Paste ${lines} lines?` : "Paste a line with its end?",
        text: "Each line is sent as if Enter was pressed after it.",
        yes: "Paste",
        about: text,
      });
      if (!sure) return;
    }
    this.#terminal.paste(text);
    this.#terminal.focus();
  }
}
