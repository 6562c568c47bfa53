// The meaning of a WebSocket message depends on the subprotocol that was agreed on.

import { encodeControl, parseControl, type FromPage, type FromServer } from "./control.ts";
import { fromBase64, toBase64 } from "./base64.ts";

export const V1 = "endpointforward.v1";
export const OFFERED: readonly string[] = [V1, "binary", "base64"];

export type Received = { data: Uint8Array; text: boolean } | { control: FromServer } | null;
export type Message = string | Uint8Array<ArrayBuffer>;

/// Of one connection: an earlier message may tell the type of a later one.
export interface Framing {
  readonly name: string;
  /// null for what is to be ignored.
  receive(message: string | ArrayBuffer): Received;
  /// `text`: `true` if it is to arrive as text, where messages have types.
  data(bytes: Uint8Array<ArrayBuffer>, text: boolean): Message[];
  /// null if the subprotocol has no control messages.
  control(message: FromPage): string | null;
}

export function framing(subprotocol: string): Framing {
  switch (subprotocol) {
    case V1:
      return v1();
    case "base64":
      return base64;
    default:
      // `binary`, none, or a name that was typed into the form: messages as they are.
      return { ...plain, name: subprotocol };
  }
}

function v1(): Framing {
  // `text` announces the types of messages, to servers that keep them.
  let typed = false;
  let incoming = false;
  let outgoing = false;
  return {
    name: V1,
    receive(message) {
      if (typeof message !== "string") return { data: new Uint8Array(message), text: incoming };
      const control = parseControl(message);
      if (control?.type === "hello") typed = control.face === "messages";
      if (control?.type === "text") incoming = control.on;
      return control && { control };
    },
    data(bytes, text) {
      if (!typed || text === outgoing) return [bytes];
      outgoing = text;
      return [encodeControl({ type: "text", on: text }), bytes];
    },
    control: encodeControl,
  };
}

const base64: Framing = {
  name: "base64",
  receive(message) {
    if (typeof message !== "string") return { data: new Uint8Array(message), text: false };
    const data = fromBase64(message);
    return data && { data, text: false };
  },
  data: (bytes) => [toBase64(bytes)],
  control: () => null,
};

const plain: Framing = {
  name: "",
  receive(message) {
    if (typeof message !== "string") return { data: new Uint8Array(message), text: false };
    return { data: new TextEncoder().encode(message), text: true };
  },
  data: (bytes, text) => [text ? new TextDecoder().decode(bytes) : bytes],
  control: () => null,
};
