// What lets this page in, where its listener asks for that (`auth=token`).
//
// The link has a token in its fragment, which no browser sends anywhere. It is exchanged, once, for a secret,
// which is kept in storage that belongs to this origin: a cookie would go to every port of the host. For each
// session the secret is shown, and a ticket comes back that opens one WebSocket. All of it is a POST to the page's own
// address, whose reply also has the words that a browser doesn't tell about an upgrade that was refused.

import type { Ending } from "./ending.ts";

/// Offered by a client that wants to be told a refusal in a Close frame.
export const TELL = "endpointforward.refusals";

/// Storage, which may be switched off.
export interface Keep {
  read(key: string): string | null;
  write(key: string, value: string): void;
}

/// fetch, as far as it is needed.
export type Fetch = (url: string, init: { method: string; headers: Record<string, string> }) => Promise<Response>;

type Reply =
  | { kind: "in"; ticket: string | null; secret: string | null }
  /// What was shown is not good (any more), or nothing was shown and something has to be.
  | { kind: "unknown"; words: string }
  | { kind: "refused"; words: string; retry: boolean }
  | { kind: "away" };

export class Entrance {
  readonly #page: string;
  readonly #keep: Keep;
  readonly #fetch: Fetch;
  #token: string | null = null;

  /// `page`: the page's own URL.
  constructor(page: string, keep: Keep, fetch: Fetch) {
    const url = new URL(page);
    url.hash = "";
    this.#page = url.href;
    this.#keep = keep;
    this.#fetch = fetch;
  }

  /// Takes the token of a link.
  link(token: string): void {
    this.#token = token;
  }

  /// What to offer along with the subprotocols, or why not to connect.
  async enter(): Promise<{ tickets: string[] } | Ending> {
    const secret = this.#kept();
    const token = this.#token;
    if (secret === null && token === null) return { tickets: [] };
    let reply: Reply | undefined;
    // A browser that is known already leaves the link to another one.
    if (secret !== null) reply = await this.#ask(secret);
    if (token !== null && (reply === undefined || reply.kind === "unknown")) reply = await this.#ask(token);
    if (reply?.kind === "in") {
      this.#token = null;
      if (reply.secret !== null) this.#keep.write(KEY + folder(this.#page), reply.secret);
      return { tickets: reply.ticket === null ? [] : [TICKET + reply.ticket] };
    }
    // A link that isn't good is not tried again; one that nobody could be shown is.
    if (reply?.kind === "unknown") this.#token = null;
    return refused(reply as Reply, token === null ? RESTARTED : "");
  }

  /// Why a WebSocket to the page's own address could not be opened.
  async why(): Promise<Ending> {
    const reply = await this.#ask(null);
    return reply.kind === "in" ? { words: "could not connect", retry: true } : refused(reply, "");
  }

  async #ask(bearer: string | null): Promise<Reply> {
    let response: Response;
    try {
      const headers: Record<string, string> = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
      response = await this.#fetch(this.#page, { method: "POST", headers });
    } catch {
      return { kind: "away" };
    }
    const text = (await response.text().catch(() => "")).slice(0, MOST);
    if (response.ok) return { kind: "in", ...given(text) };
    const plain = response.headers.get("content-type")?.startsWith("text/plain") ?? false;
    const words = plain ? text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").trim() : "";
    if (response.status === 401) return { kind: "unknown", words };
    // A server that only has files: nothing was refused here.
    if (response.status === 404 || response.status === 405) return { kind: "in", ticket: null, secret: null };
    return {
      kind: "refused",
      words: words || `the server answers with status ${response.status}`,
      retry: response.status >= 500,
    };
  }

  /// The secret of this listener, or of one whose page is further up: without a `path`, a page is at every path.
  #kept(): string | null {
    for (let at = folder(this.#page); at !== ""; at = at.replace(/[^/]*\/$/, "")) {
      const secret = this.#keep.read(KEY + at);
      if (secret !== null) return secret;
    }
    return null;
  }
}

/// The token in a page's URL, and the URL without it.
export function tokenInLink(page: string): { token: string; rest: string } | null {
  const url = new URL(page);
  const token = new URLSearchParams(url.hash.slice(1)).get("token");
  if (!token) return null;
  url.hash = "";
  return { token, rest: url.href };
}

function refused(reply: Reply, otherwise: string): Ending {
  switch (reply.kind) {
    case "unknown":
      return { words: otherwise || reply.words || NEEDS_LINK, retry: false };
    case "refused":
      return { words: reply.words, retry: reply.retry };
    default:
      return { words: "the server can't be reached", retry: true };
  }
}

function given(text: string): { ticket: string | null; secret: string | null } {
  try {
    const found = JSON.parse(text) as Record<string, unknown>;
    const one = (name: string): string | null => (typeof found[name] === "string" ? found[name] : null);
    return { ticket: one("ticket"), secret: one("secret") };
  } catch {
    // Everybody may come in.
    return { ticket: null, secret: null };
  }
}

const folder = (page: string): string => new URL(page).pathname.replace(/[^/]*$/, "");

const RESTARTED =
  "the server doesn't know this browser any more: it was started again, or another listener is here now. " +
  "Open the new link, which was printed where endpointforward was started";
const NEEDS_LINK = "this page needs the link that was printed where endpointforward was started";

/// With the path of the page behind it. http/entrance.html of the server has the same name.
const KEY = "endpointforward.secret:";
const TICKET = "endpointforward.ticket.";
const MOST = 2000;
