import { expect, test, vi } from "vitest";
import { Entrance, tokenInLink, type Fetch } from "../src/wire/entrance.ts";

function storage(kept: Record<string, string> = {}) {
  const map = new Map(Object.entries(kept));
  return {
    map,
    read: (key: string) => map.get(key) ?? null,
    write: (key: string, value: string) => void map.set(key, value),
    forget: (key: string) => void map.delete(key),
  };
}

/// A server that knows these bearer tokens, and what it was shown.
function server(known: Record<string, object>, seen: (string | null)[] = []): Fetch {
  return (_url, { headers }) => {
    const bearer = headers["authorization"]?.replace("Bearer ", "") ?? null;
    seen.push(bearer);
    const given = known[bearer ?? ""];
    const plain = { "content-type": "text/plain; charset=utf-8" };
    return Promise.resolve(
      given
        ? new Response(JSON.stringify(given))
        : new Response("open this page with the link\n", { status: 401, headers: plain }),
    );
  };
}

test("a link's token is exchanged for a secret, which gets tickets from then on", async () => {
  const keep = storage();
  const seen: (string | null)[] = [];
  const fetch = server({ t: { ticket: "1", secret: "s" }, s: { ticket: "2" } }, seen);
  const page = new Entrance("http://h:1/a/?x#token=t", keep, fetch);
  page.link("t");
  expect(await page.enter()).toEqual({ tickets: ["endpointforward.ticket.1"] });
  expect(await page.enter()).toEqual({ tickets: ["endpointforward.ticket.2"] });
  expect(keep.map).toEqual(new Map([["endpointforward.secret:/a/", "s"]]));
  // Another page of the same listener.
  const below = new Entrance("http://h:1/a/b/c", keep, fetch);
  expect(await below.enter()).toEqual({ tickets: ["endpointforward.ticket.2"] });
  const above = new Entrance("http://h:1/", keep, fetch);
  expect(await above.enter()).toEqual({ tickets: [] });
  expect(seen).toEqual(["t", "s", "s"]);
});

test("a browser that is known leaves a link to another, and an unknown one uses it", async () => {
  const seen: (string | null)[] = [];
  const known = new Entrance("http://h/", storage({ "endpointforward.secret:/": "s" }), server({ s: { ticket: "1" } }, seen));
  known.link("t");
  await known.enter();
  expect(seen).toEqual(["s"]);
  const keep = storage({ "endpointforward.secret:/": "old" });
  const restarted = new Entrance("http://h/", keep, server({ t: { ticket: "1", secret: "new" } }));
  restarted.link("t");
  expect(await restarted.enter()).toEqual({ tickets: ["endpointforward.ticket.1"] });
  expect(keep.read("endpointforward.secret:/")).toBe("new");
});

test("why not is said in words, and whether to try again", async () => {
  const old = storage({ "endpointforward.secret:/": "old" });
  expect(await new Entrance("http://h/", old, server({})).enter()).toMatchObject({
    words: expect.stringContaining("new link") as string,
    retry: false,
  });
  const stranger = new Entrance("http://h/", storage(), server({}));
  expect(await stranger.enter()).toEqual({ tickets: [] });
  expect(await stranger.why()).toEqual({ words: "open this page with the link", retry: false, needsLink: true });
  const answers = (status: number, type = "text/plain"): Fetch => () =>
    Promise.resolve(new Response("no\u202e\n", { status, headers: { "content-type": type } }));
  const why = (fetch: Fetch) => new Entrance("http://h/", storage(), fetch).why();
  expect(await why(answers(403))).toEqual({ words: "no", retry: false });
  expect(await why(answers(502, "text/html"))).toEqual({ words: "the server answers with status 502", retry: true });
  expect(await why(answers(405))).toMatchObject({ words: expect.stringContaining("opens no WebSocket") as string, retry: true });
  expect(await why(answers(200))).toMatchObject({ words: expect.stringContaining("opens no WebSocket") as string, retry: true });
  expect(await why(() => Promise.reject(new Error("x")))).toEqual({ words: "the server can't be reached", retry: true });
});

test("a token is taken out of a link, and what else is there stays", () => {
  expect(tokenInLink("http://h/a/?b=1#token=t")).toEqual({ token: "t", rest: "http://h/a/?b=1" });
  for (const none of ["http://h/", "http://h/#", "http://h/#token=", "http://h/?token=t", "http://h/#x"]) {
    expect(tokenInLink(none)).toBeNull();
  }
});

/// A server of users: what it is shown, by method and header, and what it says to that.
function users(known: Record<string, object>, seen: string[] = []): Fetch {
  return (_url, { method, headers }) => {
    const shown = headers["authorization"] ?? "nothing";
    seen.push(`${method} ${shown}`);
    const given = known[shown];
    const told = { "content-type": "text/plain", "sign-in": "password" };
    const words = shown === "nothing" ? "a name and a password are needed" : `no ${shown.split(" ")[0]}`;
    return Promise.resolve(
      given ? new Response(JSON.stringify(given), { headers: told }) : new Response(words, { status: 401, headers: told }),
    );
  };
}

test("a name and a password are exchanged for a secret, until they sign out", async () => {
  const keep = storage();
  const seen: string[] = [];
  // "zoë:a:b" in UTF-8.
  const basic = "Basic em/DqzphOmI=";
  const page = new Entrance("http://h/a/", keep, users({ [basic]: { ticket: "1", secret: "s" }, "Bearer s": { ticket: "2" } }, seen));
  expect(await page.enter()).toEqual({ tickets: [] });
  expect(await page.why()).toEqual({ words: "", retry: false, signIn: true });
  expect(page.canSignOut).toBe(false);
  expect(await page.signIn("zoë", "no")).toBe("no Basic");
  expect(keep.map.size).toBe(0);
  expect(await page.signIn("zoë", "a:b")).toBeNull();
  expect(page.canSignOut).toBe(true);
  seen.length = 0;
  expect(await page.enter()).toEqual({ tickets: ["endpointforward.ticket.1"] });
  expect(seen).toEqual([]);
  expect(await page.enter()).toEqual({ tickets: ["endpointforward.ticket.2"] });
  await page.signOut();
  expect(seen).toEqual(["POST Bearer s", "DELETE Bearer s"]);
  expect(keep.map.size).toBe(0);
  expect(page.canSignOut).toBe(false);
});

test("a secret that isn't good any more is said where the form is", async () => {
  const keep = storage({ "endpointforward.secret:/": "old" });
  const page = new Entrance("http://h/", keep, users({}));
  // Its address may let it in all the same.
  expect(await page.enter()).toEqual({ tickets: [] });
  expect(await page.why()).toEqual({ words: "no Bearer", retry: false, signIn: true });
});

/// What happens elsewhere while a page connects, and what the page says to that, whenever it happens.
const EVENTS: [string, "password" | "link", (it: World) => void, object][] = [
  ["the password is changed", "password", (it) => it.forget(), { words: "no Bearer", retry: false, signIn: true }],
  [
    "another tab signs out",
    "password",
    (it) => (it.keep.map.clear(), it.forget()),
    { words: expect.stringContaining("signed out") as string, retry: false, signIn: true },
  ],
  ["the server starts again", "link", (it) => it.forget(), { words: expect.stringContaining("Open the new link") as string, retry: false, needsLink: true }],
  ["the server goes", "password", (it) => (it.isThere = false), { words: "the server can't be reached", retry: true }],
  ["the server goes", "link", (it) => (it.isThere = false), { words: "the server can't be reached", retry: true }],
];
/// Before the secret is shown, between that and the WebSocket, behind it.
const MOMENTS = ["before", "between", "behind"] as const;

/// A server that knows one browser, and that browser's storage.
class World {
  readonly keep = storage({ "endpointforward.secret:/": "s" });
  isThere = true;
  #known: Record<string, object> = { "Bearer s": { ticket: "1" } };
  readonly #signIn: "password" | "link";

  constructor(signIn: "password" | "link") {
    this.#signIn = signIn;
  }

  forget(): void {
    this.#known = {};
  }

  readonly fetch: Fetch = (url, init) => {
    if (!this.isThere) return Promise.reject(new Error("x"));
    const known = this.#known;
    const bearer = Object.fromEntries(Object.entries(known).map(([key, value]) => [key.replace("Bearer ", ""), value]));
    return this.#signIn === "password" ? users(known)(url, init) : server(bearer)(url, init);
  };
}

test.each(EVENTS.flatMap((event) => MOMENTS.map((moment) => [...event, moment] as const)))(
  "%s (%s): the words don't depend on when",
  async (_name, signIn, happens, words, moment) => {
    const world = new World(signIn);
    const page = new Entrance("http://h/", world.keep, world.fetch);
    // It has had a session.
    expect(await page.enter()).toMatchObject({ tickets: [expect.anything()] });
    if (moment === "before") happens(world);
    const entered = await page.enter();
    if ("words" in entered) return expect(entered).toEqual(words);
    if (moment === "between") happens(world);
    // The WebSocket is refused, or breaks.
    if (moment === "behind") happens(world);
    expect(await page.why()).toEqual(words);
  },
);

test("a ticket that came too late is asked for again, and nobody has to sign in", async () => {
  for (const signIn of ["password", "link"] as const) {
    const world = new World(signIn);
    const page = new Entrance("http://h/", world.keep, world.fetch);
    expect(await page.enter()).toMatchObject({ tickets: [expect.anything()] });
    expect(await page.why()).toMatchObject({ retry: true });
  }
});

test("of two tabs with one link, the slower one is let in by what the other keeps", async () => {
  const keep = storage();
  const known = server({ s: { ticket: "2" } });
  const fetch: Fetch = async (url, init) => {
    const reply = await known(url, init);
    // The other tab's reply comes first.
    keep.map.set("endpointforward.secret:/", "s");
    return reply;
  };
  const page = new Entrance("http://h/", keep, fetch);
  page.link("t");
  expect(await page.enter()).toEqual({ tickets: ["endpointforward.ticket.2"] });
});

test("what is in the way of signing in is said, and nothing is lost by it", async () => {
  const busy: Fetch = () =>
    Promise.resolve(new Response("try again in 2 s", { status: 503, headers: { "content-type": "text/plain" } }));
  expect(await new Entrance("http://h/", storage(), busy).signIn("a", "b")).toBe("try again in 2 s");
  const away = new Entrance("http://h/", storage({ "endpointforward.secret:/": "s" }), () => Promise.reject(new Error("x")));
  expect(await away.signIn("a", "b")).toBe("the server can't be reached");
  await away.signOut();
  expect(away.canSignOut).toBe(false);
});

test("what a link has let in is not offered to sign out: it could not come back", async () => {
  const page = new Entrance("http://h/", storage(), server({ t: { ticket: "1", secret: "s" } }));
  page.link("t");
  await page.enter();
  expect(page.canSignOut).toBe(false);
});

test("a server that says nothing is not waited for without end", async () => {
  const limit = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => AbortSignal.abort());
  const deaf: Fetch = (_url, { signal }) =>
    new Promise((_, reject) => signal?.aborted && reject(new Error("it took too long")));
  const page = new Entrance("http://h:1/", storage({ "endpointforward.secret:/": "s" }), deaf);
  expect(await page.enter()).toEqual({ words: "the server can't be reached", retry: true });
  expect(await page.why()).toMatchObject({ retry: true });
  limit.mockRestore();
});
