//! Parameters of the HTTP side of a listener: how much is read, who is believed, what is answered
//! beside the page.

use plan::kind::{Args, Param, Topic, ValueKind};

use super::url;
use descriptor::{Code, Diagnostic};

pub(crate) const TRUSTED: Param = Param::new(
    "trusted",
    ValueKind::List,
    "Which reverse proxies are believed about who their clients are and what they asked for, by the \
     proxy's address: networks such as `10.0.0.0/8`, addresses, `loopback`, `private` (networks of \
     RFC 1918 and the like, and loopback), `unix` (whoever connects to a Unix socket), or `any`. What \
     they say is then in the log, in `proxy.client`, `proxy.host` and `proxy.scheme`, and in the checks \
     of `host` and `origin`. From everybody else such headers mean nothing.",
).topic(Topic::Access);

pub(crate) const FORWARDED: Param = Param::new(
    "forwarded",
    ValueKind::Choice(&["x-forwarded-for", "x-real-ip", "forwarded"]),
    "The header in which a `trusted` proxy says who the client is: one that it sets or adds to by \
     itself, because others come from the client. `x-forwarded-for` (HAProxy's `option forwardfor`, \
     nginx's `$proxy_add_x_forwarded_for`, Caddy), of which the first address from the right that isn't \
     trusted counts; `x-real-ip`; or `forwarded` (RFC 7239). X-Forwarded-Host and X-Forwarded-Proto are \
     read with the first two.",
).topic(Topic::Access)
.default("x-forwarded-for");

pub(crate) const HEALTH: Param = Param::new(
    "health",
    ValueKind::Text,
    "A path, such as `/healthz`, that is answered with 200 and `ok` whoever asks, by whatever name, as \
     load balancers do. It says that the listener takes connections, and nothing about its destination.",
).topic(Topic::Http);

pub(crate) const MAX_HEADER: Param = Param::new(
    "max-header",
    ValueKind::Size,
    "How many bytes a request's header may have, from 8k to 1M. More gets 431, as do more than 100 lines.",
).topic(Topic::Limits)
.default("16k");

/// The path in `health`.
pub(crate) fn health(args: &Args) -> Result<Option<String>, Diagnostic> {
    let Some(path) = args.text("health").filter(|path| !path.is_empty()) else { return Ok(None) };
    if path.starts_with('/') && !path.contains('?') && url::target(path) == path {
        return Ok(Some(path.to_owned()));
    }
    let mistake = args.mistake("health", "bad-path", "`health` must be a path as it is sent");
    Err(mistake.help("such as `health=/healthz`"))
}

/// The limit in `max-header`.
pub(crate) fn max_header(args: &Args) -> Result<usize, Diagnostic> {
    let size = args.int("max-header").expect("`max-header` has a default");
    usize::try_from(size).ok().filter(|size| (SMALLEST..=LARGEST).contains(size)).ok_or_else(|| {
        args.mistake("max-header", Code::BadValue, "`max-header` must be from 8k to 1M")
    })
}

/// What hyper's buffer has at least.
const SMALLEST: usize = 8 * 1024;
/// A thousand connections may be in their handshakes at once.
const LARGEST: usize = 1024 * 1024;
