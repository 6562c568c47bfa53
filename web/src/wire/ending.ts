// Why a connection is no more: in words, and whether to try again.
//
// An end that was meant (a program exited, a peer hung up) is not undone: reconnecting would start
// another program behind the user's back. A session that broke, or couldn't be opened, is tried again.

export interface Ending {
  words: string;
  retry: boolean;
  /// Set if a name and a password would help. `words` has then what happened to those from before, if there were any.
  signIn?: true;
  /// Set if another attempt would end in the same way until the page is opened with another link.
  needsLink?: true;
}

export interface Closed {
  /// RFC 6455 section 7.4; 1006 means that there was no Close frame.
  code: number;
  reason: string;
  opened: boolean;
  exit?: { status?: number; signal?: number };
}

export function ending({ code, reason, opened, exit }: Closed): Ending {
  if (exit) return { words: exitWords(exit) || reason || "finished", retry: false };
  // The code's own name is no reason.
  const said = reason === "going away" ? "" : clean(reason);
  if (code === 1006) {
    return { words: opened ? "connection lost" : "could not connect", retry: true };
  }
  if (code > REFUSED && code < REFUSED + 600) {
    // The status of HTTP that a program would have got. 429 and 502 to 504 may be over soon.
    const status = code - REFUSED;
    return { words: said || `refused with status ${status}`, retry: status === 429 || status > 501 };
  }
  if (RETRIED.has(code)) return { words: said || (RETRIED.get(code) as string), retry: true };
  return { words: said || CODES[code] || `closed with code ${code}`, retry: false };
}

export function exitWords(exit: { status?: number; signal?: number }): string {
  if (exit.signal !== undefined) {
    const name = SIGNALS[exit.signal];
    return name ? `ended by signal ${exit.signal} (${name})` : `ended by signal ${exit.signal}`;
  }
  return exit.status === undefined ? "" : `exit status ${exit.status}`;
}

/// A reason comes from the other side: no control characters, and no more than a line. (A Close frame
/// has at most 123 bytes of it.)
function clean(reason: string): string {
  return reason.replace(/[\p{Cc}\p{Cf}]+/gu, " ").trim();
}

/// A refusal, told after the WebSocket was opened for it.
const REFUSED = 4000;

/// Credentials are missing, or not good.
export const UNAUTHENTICATED = REFUSED + 401;

const RETRIED = new Map([
  [1001, "the server stops or restarts"],
  [1011, "the server failed"],
  [1012, "the server restarts"],
  [1013, "the server is busy"],
  [1014, "bad gateway"],
]);

const CODES: Record<number, string> = {
  1000: "closed by the other side",
  1002: "protocol error",
  1003: "data of a kind the server doesn't take",
  1005: "closed by the other side",
  1007: "malformed data",
  1008: "refused by the server",
  1009: "message too large",
  1010: "an extension is missing",
};

// The same numbers on Linux, the BSDs and macOS; others differ between them and stay numbers.
const SIGNALS: Record<number, string> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
};
