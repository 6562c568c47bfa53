// What a WebSocket message means depends on the subprotocol that was agreed on.

import { encodeControl, parseControl, type FromPage, type FromServer } from "./control.ts";
import { fromBase64, toBase64 } from "./base64.ts";

export const V1 = "endpointforward.v1";
export const OFFERED: readonly string[] = [V1, "binary", "base64"];

export type Received = { data: Uint8Array } | { control: FromServer } | null;
export type Message = string | Uint8Array<ArrayBuffer>;

export interface Framing {
  readonly name: string;
  /// null for what is to be ignored.
  receive(message: string | ArrayBuffer): Received;
  data(bytes: Uint8Array<ArrayBuffer>): Message;
  /// null if the subprotocol has no control messages.
  control(message: FromPage): string | null;
}

export function framing(subprotocol: string): Framing {
  switch (subprotocol) {
    case V1:
      return v1;
    case "base64":
      return base64;
    default:
      // `binary`, none, or a name somebody typed into the form: bytes in binary messages.
      return { ...plain, name: subprotocol };
  }
}

const v1: Framing = {
  name: V1,
  receive(message) {
    if (typeof message !== "string") return { data: new Uint8Array(message) };
    const control = parseControl(message);
    return control && { control };
  },
  data: (bytes) => bytes,
  control: encodeControl,
};

const base64: Framing = {
  name: "base64",
  receive(message) {
    if (typeof message !== "string") return { data: new Uint8Array(message) };
    const data = fromBase64(message);
    return data && { data };
  },
  data: toBase64,
  control: () => null,
};

const plain: Framing = {
  name: "",
  receive(message) {
    // Servers without subprotocols often send text. It is meant to be read, so it is shown.
    return { data: typeof message === "string" ? new TextEncoder().encode(message) : new Uint8Array(message) };
  },
  data: (bytes) => bytes,
  control: () => null,
};
