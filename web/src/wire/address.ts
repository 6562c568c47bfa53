// Where to connect: the page's own address, or what was typed into the form.

export interface Size {
  cols: number;
  rows: number;
}

/// The fields of the form, as typed.
export interface Target {
  host: string;
  port: string;
  secure: boolean;
  path: string;
  /// `auto` offers all that the page speaks; empty offers none; else names with commas between.
  subprotocol: string;
}

/// Parameters in the page's own URL that are for the page.
const FOR_THE_PAGE = ["connect", "cols", "face", "rows"];

/// The page's own URL with ws(s): in front, whatever its path: a proxy may serve it under any.
export function ownUrl(page: string): string {
  const url = new URL(page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  for (const name of FOR_THE_PAGE) url.searchParams.delete(name);
  return url.href;
}

/// Returns `true` if the page has to ask where to connect.
export function needsForm(page: string): boolean {
  const url = new URL(page);
  return !/^https?:$/.test(url.protocol) || url.searchParams.has("connect");
}

/// `?connect=wss://host:1234/path` fills the form in. It is never connected to without a click: a
/// link could lead to a stranger's server.
export function targetInQuery(page: string): Partial<Target> {
  const asked = new URL(page).searchParams.get("connect");
  if (!asked) return {};
  let url: URL;
  try {
    url = new URL(asked.includes("://") ? asked : `ws://${asked}`);
  } catch {
    return {};
  }
  if (url.protocol !== "ws:" && url.protocol !== "wss:") return {};
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port,
    secure: url.protocol === "wss:",
    path: url.pathname + url.search,
  };
}

/// Where a page comes from, to begin with in its form; nothing for a file's.
export function ownTarget(page: string): Partial<Target> {
  if (!/^https?:/.test(page)) return {};
  const { hostname, port, protocol, pathname, search } = new URL(ownUrl(page));
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    secure: protocol === "wss:",
    path: pathname + search,
  };
}

/// The URL, or what is wrong with what was typed, and where.
export function targetUrl(target: Target): { url: string } | { wrong: keyof Target; why: string } {
  const host = target.host.trim();
  if (host === "") return { wrong: "host", why: "Which host?" };
  // A colon can only be in an IPv6 address here, which stands in brackets in a URL.
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  const inUrl = bare.includes(":") ? `[${bare}]` : bare;
  if (/[\s/?#@\\]/.test(bare)) return { wrong: "host", why: "A name or an address only, without ws:// or a path" };
  const port = target.port.trim();
  if (port !== "" && !(/^\d{1,5}$/.test(port) && +port >= 1 && +port <= 65535)) {
    return { wrong: "port", why: "A number from 1 to 65535" };
  }
  const path = target.path.trim().replace(/#.*$/, "");
  try {
    const scheme = target.secure ? "wss" : "ws";
    const rest = path.startsWith("/") ? path : `/${path}`;
    return { url: new URL(`${scheme}://${inUrl}${port && `:${port}`}${rest}`).href };
  } catch {
    return { wrong: "host", why: "This is no host name or address" };
  }
}

/// Subprotocols to offer. A name the browser would refuse is left out.
export function subprotocols(typed: string, all: readonly string[]): string[] {
  if (typed.trim() === "auto") return [...all];
  const names = typed.split(/[\s,]+/).filter((name) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name));
  return [...new Set(names)];
}

/// A program shall start with the right size, not be told it later.
export function withSize(url: string, size: Size): string {
  const sized = new URL(url);
  sized.searchParams.set("cols", String(size.cols));
  sized.searchParams.set("rows", String(size.rows));
  return sized.href;
}
