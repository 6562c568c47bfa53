// The authentication of this page, where its listener asks for that (`auth=`).
//
// A link has a token in its fragment, which no browser sends anywhere; a user has a name and a password. Either is
// exchanged, once, for a secret, which is kept in storage that belongs to this origin: a cookie would go to every port of
// the host. For each session the secret is shown, and a ticket comes back that opens one WebSocket. All of it is a POST to
// the page's own address, whose reply also has the words that a browser doesn't tell about an upgrade that was refused.

import { toBase64 } from "./base64.ts";
import type { Ending } from "./ending.ts";

/// Offered by a client that wants to be told a refusal in a Close frame.
export const TELL = "endpointforward.refusals";

/// Storage, which may be switched off.
export interface Keep {
  read(key: string): string | null;
  write(key: string, value: string): void;
  forget(key: string): void;
}

/// fetch, as far as it is needed.
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; signal?: AbortSignal },
) => Promise<Response>;

type Reply =
  | { kind: "in"; ticket: string | null; secret: string | null }
  /// The credential is not good (any more), or there was none and the server asks for one.
  | { kind: "unknown"; words: string; signIn: boolean }
  | { kind: "refused"; words: string; retry: boolean }
  | { kind: "away" };

export class Entrance {
  readonly #page: string;
  readonly #keep: Keep;
  readonly #fetch: Fetch;
  #token: string | null = null;
  /// From signing in, for the next session.
  #ticket: string | null = null;
  /// Why what this attempt has shown is not good any more.
  #late = "";
  /// `true` once this page had something to show: without it, the browser was signed out, perhaps by another tab.
  #wasKnown = false;
  /// `true` if the server takes a name and a password, as far as its replies have told.
  #passwords = false;

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

  /// Returns the tickets to offer along with the subprotocols, or why not to connect.
  async enter(): Promise<{ tickets: string[] } | Ending> {
    if (this.#ticket !== null) {
      const ticket = this.#ticket;
      this.#ticket = null;
      return { tickets: [ticket] };
    }
    this.#late = "";
    const token = this.#token;
    const reply = await this.#show(token);
    if (reply === null) return { tickets: [] };
    if (reply.kind === "in") {
      const ticket = this.#take(reply);
      return { tickets: ticket === null ? [] : [ticket] };
    }
    if (reply.kind === "unknown") {
      // A link that the server refused is not tried again; one that could not be sent to it is.
      this.#token = null;
      if (reply.signIn) {
        // Perhaps something else lets this browser in, such as its address. If not, `why` knows what would.
        this.#late = reply.words;
        return { tickets: [] };
      }
    }
    return refused(reply, token === null ? RESTARTED : "");
  }

  /// Why a WebSocket to the page's own address could not be opened. What was shown for it is shown again: it may have
  /// become invalid in between, by a new password, another tab that signed out, or a server that was started again. The
  /// words are the same as if it had before.
  async why(): Promise<Ending> {
    const secret = this.#late === "" ? (this.#kept()?.secret ?? null) : null;
    const reply = await this.#ask(secret === null ? null : `Bearer ${secret}`);
    if (reply.kind === "in") return { words: NO_WEBSOCKET, retry: true };
    if (reply.kind === "unknown" && reply.signIn) {
      const words = secret === null ? this.#late || (this.#wasKnown ? SIGNED_OUT : "") : reply.words;
      return { words, retry: false, signIn: true };
    }
    return refused(reply, secret === null ? "" : RESTARTED);
  }

  /// Signs in. Returns why that failed, or null; the next session is this user's then.
  async signIn(name: string, password: string): Promise<string | null> {
    // RFC 7617: the encoded text is UTF-8, as the server's challenges ask.
    const reply = await this.#ask(`Basic ${toBase64(new TextEncoder().encode(`${name}:${password}`))}`);
    if (reply.kind !== "in") return refused(reply, "").words;
    this.#ticket = this.#take(reply);
    return null;
  }

  /// `true` if this browser has signed in where it can do so again. A user let in by a link could not come back.
  get canSignOut(): boolean {
    return this.#passwords && this.#kept() !== null;
  }

  /// Forgets the secret, here and, if it can be reached, on the server.
  async signOut(): Promise<void> {
    const kept = this.#kept();
    if (kept === null) return;
    this.#keep.forget(kept.key);
    // What is on the screen is taken away after that: it isn't waited for as long as a server may be silent.
    const signal = AbortSignal.timeout(LEAVE_MS);
    try {
      await this.#fetch(this.#page, { method: "DELETE", headers: { authorization: `Bearer ${kept.secret}` }, signal });
    } catch {
      // The page has forgotten the secret, and the server's session ends by itself.
    }
  }

  /// Shows what this browser keeps, and the link's token if that isn't known; null if there is neither. Another tab may
  /// sign in or use the same link at the same time, so what is kept is looked at again before it is refused.
  async #show(token: string | null): Promise<Reply | null> {
    let reply: Reply | null = null;
    let shown: string | null = null;
    const kept = async (): Promise<void> => {
      const secret = this.#kept()?.secret ?? null;
      if (secret === null || secret === shown) return;
      shown = secret;
      this.#wasKnown = true;
      reply = await this.#ask(`Bearer ${secret}`);
    };
    const isUnknown = (): boolean => reply === null || reply.kind === "unknown";
    await kept();
    // A browser that is known already leaves the link to another one.
    if (token !== null && isUnknown()) reply = await this.#ask(`Bearer ${token}`);
    if (isUnknown()) await kept();
    return reply;
  }

  /// The ticket of a reply, as it is offered. Its secret is kept.
  #take(reply: Reply & { kind: "in" }): string | null {
    this.#token = null;
    this.#late = "";
    this.#wasKnown = true;
    if (reply.secret !== null) this.#keep.write(KEY + folder(this.#page), reply.secret);
    return reply.ticket === null ? null : TICKET + reply.ticket;
  }

  async #ask(authorization: string | null): Promise<Reply> {
    let response: Response;
    let text: string;
    try {
      const headers: Record<string, string> = authorization === null ? {} : { authorization };
      response = await this.#fetch(this.#page, { method: "POST", headers, signal: AbortSignal.timeout(ANSWER_MS) });
      text = (await response.text()).slice(0, MOST);
    } catch {
      return { kind: "away" };
    }
    this.#passwords = response.headers.get("sign-in") === "password";
    if (response.ok) return { kind: "in", ...given(text) };
    const plain = response.headers.get("content-type")?.startsWith("text/plain") ?? false;
    const words = plain ? text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").trim() : "";
    if (response.status === 401) return { kind: "unknown", words, signIn: this.#passwords };
    // A server that only has files: nothing was refused here.
    if (response.status === 404 || response.status === 405) return { kind: "in", ticket: null, secret: null };
    return {
      kind: "refused",
      words: words || `the server answers with status ${response.status}`,
      retry: response.status === 429 || response.status >= 500,
    };
  }

  /// The secret of this listener, or of one whose page is further up: without a `path`, a page is at every path.
  #kept(): { key: string; secret: string } | null {
    for (let at = folder(this.#page); at !== ""; at = at.replace(/[^/]*\/$/, "")) {
      const key = KEY + at;
      const secret = this.#keep.read(key);
      if (secret !== null) return { key, secret };
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
      return { words: otherwise || reply.words || NEEDS_LINK, retry: false, needsLink: true };
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
    // The reply has neither: the listener admits every client.
    return { ticket: null, secret: null };
  }
}

const folder = (page: string): string => new URL(page).pathname.replace(/[^/]*$/, "");

const RESTARTED =
  "the server doesn't know this browser any more: it was started again, or another listener is here now. " +
  "Open the new link, which was printed where endpointforward was started";
/// As the server says it.
const SIGNED_OUT = "this browser is signed out; sign in again";
const NO_WEBSOCKET =
  "could not connect: the server answers, but opens no WebSocket. A proxy in between may not pass it on";
const NEEDS_LINK = "this page needs the link that was printed where endpointforward was started";

/// With the path of the page behind it. http/sign_in.html of the server has the same name.
const KEY = "endpointforward.secret:";
const TICKET = "endpointforward.ticket.";
const MOST = 2000;
/// How long an answer may take. Browsers wait for minutes where packets are dropped silently, and guessing passwords is
/// slowed down by the server.
const ANSWER_MS = 20_000;
const LEAVE_MS = 3000;
