// The user's choices, as they are kept. Each setting is read separately: one that is no longer valid
// costs only itself.

export interface Settings {
  theme: "system" | "light" | "dark";
  fontSize: number;
  scrollback: number;
  cursorBlink: boolean;
  copyOnSelect: boolean;
  rightClickPaste: boolean;
  pasteWarning: boolean;
  /// The answer to a program that wants to set the clipboard (OSC 52).
  programClipboard: "ask" | "allow" | "deny";
  localEcho: "auto" | "on" | "off";
  /// Where sessions of messages are shown.
  messages: "auto" | "console" | "terminal";
  screenReader: boolean;
  /// Of a Mac: Option is Meta for programs. Many layouts have @, [, { and | with Option.
  optionIsMeta: boolean;
  /// Of serial lines: the bytes that Enter sends, the line ends that come, and the way they are shown.
  serialEnter: "cr" | "lf" | "crlf";
  serialNewlines: "auto" | "as-is" | "lf" | "cr";
  serialEcho: boolean;
  serialTimestamps: boolean;
  serialHex: boolean;
}

export const DEFAULTS: Readonly<Settings> = {
  theme: "system",
  fontSize: 15,
  scrollback: 10_000,
  cursorBlink: true,
  copyOnSelect: false,
  rightClickPaste: true,
  pasteWarning: true,
  programClipboard: "ask",
  localEcho: "auto",
  messages: "auto",
  screenReader: false,
  optionIsMeta: false,
  serialEnter: "cr",
  serialNewlines: "auto",
  serialEcho: false,
  serialTimestamps: false,
  serialHex: false,
};

export const FONT_SIZE = { least: 8, most: 40 } as const;
export const SCROLLBACK = { least: 0, most: 100_000 } as const;

const CHOICES = {
  theme: ["system", "light", "dark"],
  programClipboard: ["ask", "allow", "deny"],
  localEcho: ["auto", "on", "off"],
  messages: ["auto", "console", "terminal"],
  serialEnter: ["cr", "lf", "crlf"],
  serialNewlines: ["auto", "as-is", "lf", "cr"],
} as const;

const SWITCHES = [
  "cursorBlink",
  "copyOnSelect",
  "rightClickPaste",
  "pasteWarning",
  "screenReader",
  "optionIsMeta",
  "serialEcho",
  "serialTimestamps",
  "serialHex",
] as const;

/// From JSON text, or whatever else was found in its place.
export function parseSettings(text: string | null): Settings {
  let found: unknown;
  try {
    found = JSON.parse(text ?? "{}");
  } catch {
    found = {};
  }
  return valid(typeof found === "object" && found !== null ? found : {});
}

/// The settings with some changed; values that can't be are left as they were.
export function changed(settings: Settings, change: Partial<Record<keyof Settings, unknown>>): Settings {
  return valid({ ...settings, ...change }, settings);
}

function valid(found: Partial<Record<keyof Settings, unknown>>, otherwise: Readonly<Settings> = DEFAULTS): Settings {
  const result: Settings = { ...otherwise };
  for (const name of Object.keys(CHOICES) as (keyof typeof CHOICES)[]) {
    const choice = (CHOICES[name] as readonly unknown[]).find((known) => known === found[name]);
    if (choice !== undefined) Object.assign(result, { [name]: choice });
  }
  for (const [name, { least, most }] of [["fontSize", FONT_SIZE], ["scrollback", SCROLLBACK]] as const) {
    const value = found[name];
    if (typeof value === "number" && Number.isFinite(value)) {
      result[name] = Math.min(most, Math.max(least, Math.round(value)));
    }
  }
  for (const name of SWITCHES) {
    const value = found[name];
    if (typeof value === "boolean") result[name] = value;
  }
  return result;
}
