// Typed text, on its way to the session: as the face wants it, and shown where the far side doesn't.

import { LocalEcho } from "../echo.ts";
import { FACES, UNTOLD } from "../face.ts";
import { Lines } from "../lines.ts";
import type { Store } from "../settings/store.ts";
import type { Face } from "../wire/control.ts";

const ENTERS = { cr: "\r", lf: "\n", crlf: "\r\n" } as const;

export class Input {
  readonly #store: Store;
  readonly #send: (bytes: Uint8Array<ArrayBuffer>, text?: boolean) => void;
  /// Shows it in the terminal, behind what came before.
  readonly #show: (text: string) => void;
  readonly #echo = new LocalEcho();
  readonly #lines = new Lines();
  #face: Face = UNTOLD;
  #farEcho = true;

  constructor(store: Store, send: (bytes: Uint8Array<ArrayBuffer>, text?: boolean) => void, show: (text: string) => void) {
    this.#store = store;
    this.#send = send;
    this.#show = show;
  }

  /// A session began, or announced its face.
  wear(face: Face): void {
    this.#face = face;
    this.farEcho(FACES[face].farEcho);
    this.#lines.forget();
  }

  /// Sets if the far side echoes from here on.
  farEcho(on: boolean): void {
    this.#farEcho = on;
    this.#echo.forget();
  }

  typed(text: string): void {
    if (this.#echoes()) {
      const shown = this.#echo.typed(text);
      if (shown !== "") this.#show(shown);
    }
    if (this.#face === "messages") {
      for (const line of this.#lines.typed(text)) this.#send(new TextEncoder().encode(line), true);
      return;
    }
    const enter = this.#face === "serial" ? ENTERS[this.#store.settings.serialEnter] : FACES[this.#face].enter;
    this.#send(new TextEncoder().encode(enter === "\r" ? text : text.replaceAll("\r", enter)));
  }

  #echoes(): boolean {
    const { localEcho, serialEcho } = this.#store.settings;
    if (this.#face === "serial") return serialEcho || localEcho === "on";
    return localEcho === "auto" ? !this.#farEcho : localEcho === "on";
  }
}
