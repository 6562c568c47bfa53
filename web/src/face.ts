// What stands behind the connection, and what the terminal does differently for it.

import type { Face } from "./wire/control.ts";

export interface FaceRules {
  /// Whether the far side echoes, until it says otherwise (`echo`).
  farEcho: boolean;
  /// What Enter sends.
  enter: "\r" | "\n";
  /// A bare LF starts a new line, as nobody behind a plain stream adds the CR that a tty would.
  newlines: boolean;
}

export const FACES: Record<Face, FaceRules> = {
  shell: { farEcho: true, enter: "\r", newlines: false },
  telnet: { farEcho: false, enter: "\r", newlines: false },
  serial: { farEcho: true, enter: "\r", newlines: false },
  stream: { farEcho: false, enter: "\n", newlines: true },
  // In a view of their own, unless the terminal is asked for.
  messages: { farEcho: false, enter: "\n", newlines: true },
  mqtt: { farEcho: false, enter: "\n", newlines: true },
};

/// For servers that don't say (`binary`, `base64`, none): most often a terminal is behind.
export const UNTOLD: Face = "shell";
