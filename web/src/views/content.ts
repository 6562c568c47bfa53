// A message's bytes in a readable form: a line, text, JSON, or hex.

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LOOSE = new TextDecoder("utf-8", { ignoreBOM: true });
/// Characters of a message that are shown on a line, at most.
const LINE_MOST = 400;
/// Bytes that are parsed as JSON, at most.
const JSON_MOST = 4 * 1024 * 1024;
const HEX_WIDTH = 16;

/// The text, or null if it is none: not UTF-8, or with control characters that text doesn't have.
export function textOf(bytes: Uint8Array): string | null {
  try {
    const text = STRICT.decode(bytes);
    // eslint-disable-next-line no-control-regex
    return /[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/// The text, with what isn't UTF-8 replaced.
export const looseText = (bytes: Uint8Array): string => LOOSE.decode(bytes);

/// Returns a line of a message's content. Bytes that aren't text are in hex.
export function line(bytes: Uint8Array, text: boolean): string {
  const begin = bytes.length > LINE_MOST * 4 ? wholeCharacters(bytes, LINE_MOST * 4) : bytes;
  const decoded = text ? looseText(begin) : textOf(begin);
  if (decoded === null) return hexLine(bytes.subarray(0, 64)) + (bytes.length > 64 ? " …" : "");
  const flat = shown(decoded);
  return begin === bytes || flat.endsWith("…") ? flat : `${flat}…`;
}

/// Text that came from elsewhere on one line, with what can't be seen in it made visible.
export function shown(text: string): string {
  const begin = text.length > LINE_MOST ? text.slice(0, LINE_MOST).replace(/[\ud800-\udbff]$/, "") : text;
  return begin.replace(/[\p{Cc}\p{Cf}]/gu, visible) + (begin === text ? "" : "…");
}

/// The first `most` bytes, without the beginning of a character whose end is cut off.
function wholeCharacters(bytes: Uint8Array, most: number): Uint8Array {
  let end = most;
  while (end > most - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

/// Characters that aren't seen, or that turn others around, as something that is.
function visible(c: string): string {
  if (c === "\n") return "⏎";
  if (c === "\t") return "⇥";
  const code = c.codePointAt(0) ?? 0;
  return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `\\u{${code.toString(16)}}`;
}

const two = (byte: number): string => byte.toString(16).padStart(2, "0");

export const hexLine = (bytes: Uint8Array): string => Array.from(bytes, two).join(" ");

/// As `hexdump -C` has it, of so many bytes at most.
export function hexDump(bytes: Uint8Array, most = 65_536): string {
  const rows: string[] = [];
  const end = Math.min(bytes.length, most);
  for (let at = 0; at < end; at += HEX_WIDTH) {
    const row = bytes.subarray(at, Math.min(at + HEX_WIDTH, end));
    const [left, right] = [hexLine(row.subarray(0, 8)), hexLine(row.subarray(8))];
    const printed = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
    rows.push(`${at.toString(16).padStart(8, "0")}  ${left.padEnd(23)}  ${right.padEnd(23)}  |${printed.join("")}|`);
  }
  if (bytes.length > most) rows.push(`… ${bytes.length - most} bytes more`);
  return rows.join("\n");
}

/// The value that the text is the JSON of; undefined if it isn't an object or a list.
export function jsonOf(bytes: Uint8Array): unknown {
  if (bytes.length > JSON_MOST) return undefined;
  const text = textOf(bytes)?.trim();
  if (!text || !/^[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text, numberAsWritten) as unknown;
  } catch {
    return undefined;
  }
}

/// A number that JavaScript can't keep as it was written, such as an ID of 64 bits.
export class Written {
  readonly digits: string;

  constructor(digits: string) {
    this.digits = digits;
  }
}

/// Browsers pass the source text of a number (`context`) since 2023 to 2025.
function numberAsWritten(_key: string, value: unknown, context?: { source?: string }): unknown {
  const digits = context?.source;
  return typeof value === "number" && digits !== undefined && String(value) !== digits ? new Written(digits) : value;
}

/// Bytes from hex as people write it: `de ad be ef`, `0xde, 0xad`, `deadbeef`, `de:ad`; or why it is none.
export function fromHex(typed: string): Uint8Array<ArrayBuffer> | string {
  const digits = typed.replace(/0x|[\s,:;-]/gi, "");
  if (/[^0-9a-f]/i.test(digits)) return "Binary is written in hex: 68 65 6c 6c 6f";
  if (digits.length % 2 === 1) return "The last byte has only one digit";
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/// A size for people.
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 999_500 ? [bytes / 1000, "kB"] : [bytes / 1e6, "MB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/// The time of day.
export function clock(at: number): string {
  const time = new Date(at);
  const pad = (value: number, width = 2): string => String(value).padStart(width, "0");
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}.${pad(time.getMilliseconds(), 3)}`;
}
