// Control messages of `endpointforward.v1`: text messages, each one JSON object with a `type`.
// docs/terminal-protocol.md is the description; this is the codec.

export type Face = "shell" | "telnet" | "serial" | "stream" | "messages" | "mqtt";
export type Parity = "N" | "E" | "O" | "M" | "S";

export interface Line {
  baud?: number;
  bits?: number;
  parity?: Parity;
  stop?: number;
  xonxoff?: boolean;
  rtscts?: boolean;
}

export interface Modem {
  dtr?: boolean;
  rts?: boolean;
  cts?: boolean;
  dsr?: boolean;
  dcd?: boolean;
  ri?: boolean;
}

export type FromServer =
  | { type: "hello"; version: number; face: Face; ack?: boolean; alive?: boolean }
  | { type: "echo"; on: boolean }
  /// The answer to a query of the same name.
  | { type: "alive" }
  | { type: "job"; runs: boolean }
  | { type: "title"; text: string }
  | ({ type: "line" } & Line)
  | ({ type: "modem" } & Modem)
  /// `on` is `true` if the data messages after it are text.
  | { type: "text"; on: boolean }
  /// A line of a program's standard error.
  | { type: "stderr"; text: string }
  | { type: "exit"; status?: number; signal?: number }
  | { type: "eof" };

export type FromPage =
  | { type: "resize"; cols: number; rows: number }
  | { type: "break"; ms: number }
  | ({ type: "line" } & Line)
  | ({ type: "modem" } & Pick<Modem, "dtr" | "rts">)
  | { type: "ack"; bytes: number }
  | { type: "text"; on: boolean }
  | { type: "query"; what: "alive" | "job" | "modem" }
  | { type: "eof" };

/// Bytes of UTF-8, both ways.
export const CONTROL_MAX = 4096;

export function encodeControl(message: FromPage): string {
  return JSON.stringify(message);
}

/// Parses a control message; null if it is too long, no message, or none of this version. Fields of
/// the wrong type are as if they were not there, so that a newer server doesn't break an older page.
export function parseControl(text: string): FromServer | null {
  // UTF-16 units are never more than the bytes: a cheap refusal before the exact one.
  if (text.length > CONTROL_MAX || new TextEncoder().encode(text).length > CONTROL_MAX) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const fields = value as Record<string, unknown>;
  switch (fields["type"]) {
    case "hello": {
      const face = FACES.find((known) => known === fields["face"]);
      // A face of a later version: a plain terminal is the best guess.
      return {
        type: "hello",
        version: count(fields["version"]) ?? 1,
        face: face ?? "shell",
        ...flags(fields, ["ack", "alive"]),
      };
    }
    case "echo":
      return typeof fields["on"] === "boolean" ? { type: "echo", on: fields["on"] } : null;
    case "text":
      return typeof fields["on"] === "boolean" ? { type: "text", on: fields["on"] } : null;
    case "stderr":
      return typeof fields["text"] === "string" ? { type: "stderr", text: fields["text"] } : null;
    case "job":
      return typeof fields["runs"] === "boolean" ? { type: "job", runs: fields["runs"] } : null;
    case "title":
      return typeof fields["text"] === "string" ? { type: "title", text: fields["text"] } : null;
    case "line":
      return { type: "line", ...line(fields) };
    case "modem":
      return { type: "modem", ...flags(fields, ["dtr", "rts", "cts", "dsr", "dcd", "ri"]) };
    case "exit":
      return {
        type: "exit",
        ...optional("status", count(fields["status"])),
        ...optional("signal", count(fields["signal"])),
      };
    case "eof":
      return { type: "eof" };
    case "alive":
      return { type: "alive" };
    default:
      return null;
  }
}

function line(fields: Record<string, unknown>): Line {
  const parity = PARITIES.find((known) => known === fields["parity"]);
  return {
    ...optional("baud", count(fields["baud"])),
    ...optional("bits", count(fields["bits"])),
    ...optional("parity", parity),
    ...optional("stop", typeof fields["stop"] === "number" ? fields["stop"] : undefined),
    ...flags(fields, ["xonxoff", "rtscts"]),
  };
}

function flags<K extends string>(fields: Record<string, unknown>, names: readonly K[]): { [P in K]?: boolean } {
  const found: { [P in K]?: boolean } = {};
  for (const name of names) {
    const value = fields[name];
    if (typeof value === "boolean") found[name] = value;
  }
  return found;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function optional<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: V };
}

const FACES: readonly Face[] = ["shell", "telnet", "serial", "stream", "messages", "mqtt"];
const PARITIES: readonly Parity[] = ["N", "E", "O", "M", "S"];
