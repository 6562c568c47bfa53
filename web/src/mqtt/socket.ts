// The session as the WebSocket that MQTT.js wants to talk over: the page's own session connects, signs in and reports
// why it ends, as it does for a terminal.

import type { Host } from "../views/view.ts";

const OPEN = 1;
const CLOSED = 3;

export class SessionSocket extends EventTarget {
  readonly OPEN = OPEN;
  readyState = OPEN;
  binaryType = "arraybuffer";
  readonly protocol = "mqtt";
  /// Why it is closed, if it wasn't the user's wish.
  problem: string | undefined;
  readonly #host: Host;

  constructor(host: Host) {
    super();
    this.#host = host;
  }

  get bufferedAmount(): number {
    return this.#host.waiting;
  }

  send(bytes: Uint8Array): void {
    if (this.readyState === OPEN) this.#host.send(Uint8Array.from(bytes), false);
  }

  close(): void {
    if (this.readyState !== OPEN) return;
    this.#host.disconnect(this.problem);
    this.ended();
  }

  /// Passes received bytes on.
  receive(bytes: Uint8Array<ArrayBuffer>): void {
    const isWhole = bytes.byteLength === bytes.buffer.byteLength;
    this.dispatchEvent(new MessageEvent("message", { data: isWhole ? bytes.buffer : bytes.slice().buffer }));
  }

  /// The session is over.
  ended(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.dispatchEvent(new Event("close"));
  }
}
