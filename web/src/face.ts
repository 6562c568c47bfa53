// The sort of destination behind the connection, and the differences that it makes to the terminal.

import type { Face } from "./wire/control.ts";

export interface FaceRules {
  /// `true` if the far side echoes, until it announces otherwise (`echo`).
  farEcho: boolean;
  /// The character that Enter sends.
  enter: "\r" | "\n";
  /// A bare LF starts a new line, as no tty is behind a plain stream to add the CR.
  newlines: boolean;
}

export const FACES: Record<Face, FaceRules> = {
  shell: { farEcho: true, enter: "\r", newlines: false },
  telnet: { farEcho: false, enter: "\r", newlines: false },
  serial: { farEcho: true, enter: "\r", newlines: false },
  stream: { farEcho: false, enter: "\n", newlines: true },
  // In a separate view, unless the terminal is asked for.
  messages: { farEcho: false, enter: "\n", newlines: true },
  mqtt: { farEcho: false, enter: "\n", newlines: true },
};

/// For servers that send no `hello` (`binary`, `base64`, none): most often a terminal is behind.
export const UNTOLD: Face = "shell";
