// The history as a file: JSON, a line a message.

import { toBase64 } from "../wire/base64.ts";
import { looseText, textOf } from "../views/content.ts";
import type { Entry } from "./history.ts";

export function log(entries: Iterable<Entry>): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (const { at, kind, text, bytes } of entries) {
    const readable = text ? looseText(bytes) : textOf(bytes);
    const data = readable === null ? { base64: toBase64(bytes) } : { data: readable };
    const said = JSON.stringify({ time: new Date(at).toISOString(), kind, type: text ? "text" : "binary", ...data });
    pieces.push(new TextEncoder().encode(`${said}\n`));
  }
  return pieces;
}
