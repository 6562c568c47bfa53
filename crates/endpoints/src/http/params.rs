//! Parameters of the HTTP side of a listener: size limits, trusted proxies, and replies besides the
//! page.

use plan::kind::{Args, Param, Topic, ValueKind};

use super::url;
use descriptor::{Code, Diagnostic};

pub(crate) const TRUSTED: Param = Param::new(
    "trusted",
    ValueKind::List,
    "The addresses of trusted reverse proxies: networks such as `10.0.0.0/8`, addresses, `loopback`, `private` \
     (loopback, RFC 1918 and similar networks), `unix` (all clients of a Unix socket), or `any`. The client, host \
     and scheme that a trusted proxy reports are logged, fill `proxy.client`, `proxy.host` and `proxy.scheme`, and \
     are used to check `host` and `origin`. Such headers from other peers are ignored.",
).topic(Topic::Access);

pub(crate) const FORWARDED: Param = Param::new(
    "forwarded",
    ValueKind::Choice(&["x-forwarded-for", "x-real-ip", "forwarded"]),
    "The header in which a `trusted` proxy reports the client's address. Choose one that the proxy sets or appends \
     to, because any other header comes from the client. In `x-forwarded-for` (HAProxy's `option forwardfor`, \
     nginx's `$proxy_add_x_forwarded_for`, Caddy), the rightmost address that isn't trusted counts; the others are \
     `x-real-ip` and `forwarded` (RFC 7239). X-Forwarded-Host and X-Forwarded-Proto are read with the first two.",
).topic(Topic::Access)
.default("x-forwarded-for");

pub(crate) const HEALTH: Param = Param::new(
    "health",
    ValueKind::Text,
    "A path for health checks, such as `/healthz`, that answers 200 and `ok` to every client and for every host \
     name. It shows that the listener accepts connections; it doesn't check the destination.",
).topic(Topic::Http);

pub(crate) const MAX_HEADER: Param = Param::new(
    "max-header",
    ValueKind::Size,
    "The maximum size of a request header, from 8k to 1M. A larger one, or one of more than 100 lines, gets 431.",
).topic(Topic::Limits)
.default("16k");

/// The path in `health`.
pub(crate) fn health(args: &Args) -> Result<Option<String>, Diagnostic> {
    let Some(path) = args.text("health").filter(|path| !path.is_empty()) else { return Ok(None) };
    if path.starts_with('/') && !path.contains('?') && url::target(path) == path {
        return Ok(Some(path.to_owned()));
    }
    let mistake = args.mistake("health", "bad-path", "`health` must be a percent-encoded path");
    Err(mistake.help("such as `health=/healthz`"))
}

/// The limit in `max-header`.
pub(crate) fn max_header(args: &Args) -> Result<usize, Diagnostic> {
    let size = args.int("max-header").expect("`max-header` has a default");
    usize::try_from(size).ok().filter(|size| (SMALLEST..=LARGEST).contains(size)).ok_or_else(|| {
        args.mistake("max-header", Code::BadValue, "`max-header` must be from 8k to 1M")
    })
}

/// The minimum size of hyper's buffer.
const SMALLEST: usize = 8 * 1024;
/// A thousand connections may be in their handshakes at once.
const LARGEST: usize = 1024 * 1024;
