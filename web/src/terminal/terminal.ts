// The page's requirements of a terminal; xterm.ts is the one there is. Nothing else imports xterm.js.

import type { Sink } from "../feed.ts";
import type { Size } from "../wire/address.ts";

export interface Look {
  fontSize: number;
  dark: boolean;
  /// Text differs more from its background than it does usually.
  contrast: boolean;
  cursorBlink: boolean;
  scrollback: number;
  screenReader: boolean;
  /// Of a Mac: Option is Meta, and types no characters.
  optionIsMeta: boolean;
}

export interface TerminalEvents {
  /// Typed or pasted text, or the terminal's own answer to a query.
  input(text: string): void;
  /// Bytes that are no text: old mouse reports.
  binary(bytes: Uint8Array<ArrayBuffer>): void;
  resized(size: Size): void;
  title(text: string): void;
  bell(): void;
  selected(): void;
  found(index: number, count: number): void;
  /// A link was clicked. `shown` is false if its text may differ from its target.
  link(url: string, shown: boolean): void;
  /// A program wants to set the clipboard (OSC 52). Reading it is never answered.
  clipboard(text: string): void;
  /// A key before the terminal sees it: false keeps it from the terminal.
  key(event: KeyboardEvent): boolean;
}

export interface Terminal extends Sink {
  /// Fits it into its place; `resized` follows if that changed anything.
  fit(): void;
  readonly size: Size;
  readonly renderer: "webgl" | "dom";
  /// `true` if the program takes the mouse for itself.
  readonly mouseTaken: boolean;
  /// `true` if the program marks pastes, so that lines in them aren't run as they come.
  readonly bracketedPaste: boolean;
  /// `true` if a program has the whole screen for itself.
  readonly alternate: boolean;
  /// `true` if cursor keys are to be sent as an application wants them (DECCKM).
  readonly applicationKeys: boolean;
  /// The sequence that takes back the modes of a program that is gone: another one begins.
  readonly modesOff: string;
  look(look: Look): void;
  newlines(on: boolean): void;
  paste(text: string): void;
  /// As if it was typed: keys that there is no keyboard for.
  type(text: string): void;
  focus(): void;
  readonly selection: string;
  clearSelection(): void;
  selectAll(): void;
  find(text: string, options: { back?: boolean; caseSensitive?: boolean; typing?: boolean }): void;
  endFind(): void;
  /// The lines on the screen, as text.
  text(): string;
}
