// Keys that are the page's and not the terminal's. Every one has Ctrl+Shift, which terminals can't
// send, but for those of the font size, which users know from browsers.

export type Command = "copy" | "paste" | "search" | "toolbar" | "larger" | "smaller" | "usual";

export interface Pressed {
  key: string;
  code: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/// `true` if the keys are those of a Mac, an iPhone or an iPad.
export const MAC = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/// `mac`: there, copy, paste and find are Cmd's, and the browser does the first two.
export function command(event: Pressed, mac: boolean): Command | null {
  if (event.altKey) return null;
  const main = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  // Ctrl+_ (undo in readline and Emacs) is typed with Shift on many keyboards: it has key `_`.
  if (main && (event.key === "+" || event.key === "=")) return "larger";
  if (main && event.key === "-") return "smaller";
  if (main && event.key === "0" && !event.shiftKey) return "usual";
  if (mac && main && !event.shiftKey && event.key === "f") return "search";
  if (!event.ctrlKey || !event.shiftKey || event.metaKey) return null;
  // By position as well, for keyboards whose letters are not Latin.
  return LETTERS[event.key.toLowerCase()] ?? LETTERS[CODES[event.code] ?? ""] ?? null;
}

const LETTERS: Record<string, Command> = { c: "copy", v: "paste", f: "search", l: "toolbar" };
const CODES: Record<string, string> = { KeyC: "c", KeyV: "v", KeyF: "f", KeyL: "l" };
