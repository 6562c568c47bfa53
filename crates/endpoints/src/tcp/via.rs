//! `via=PROXY` of `tcp`: a connection through a proxy.
//!
//! The value is the URL of a proxy; `environment` is evaluated when a connection is opened
//! ([`environment`](super::environment)).

use descriptor::{Descriptor, Text};
use plan::kind::{Param, Role, ValueKind};

use crate::destination::via::{Proxy, over};

pub(super) const VIA: Param = Param::new(
    "via",
    ValueKind::Text,
    "The proxy to connect through: `http://[USER:PASSWORD@]HOST:PORT` or `https://…` with CONNECT, `socks5://…`, \
     `socks4a://…`, `socks4://…`, or `ssh://[USER@]HOST[:PORT]`. `environment` uses HTTPS_PROXY or ALL_PROXY, unless \
     NO_PROXY lists the host. The other parameters then apply to the connection to the proxy, and `timeout` to each step.",
)
.suggestions(&["environment", "http://", "https://", "socks5://", "socks4a://", "socks4://", "ssh://"])
.hides_query();

/// `tcp:HOST:PORT:via={http://PROXY}` is `http-connect:{tcp:PROXY}:host=HOST:port=PORT`; `None` if there is no such proxy.
pub(super) fn rewrite(descriptor: &Descriptor, role: Role) -> Option<Descriptor> {
    if role != Role::Connect {
        return None;
    }
    over(descriptor, &["allow"], |proxy| Some(proxy.layer))
}

/// Returns `true` if `text` is the URL of a proxy.
pub(super) fn is_proxy(text: &str) -> bool {
    Proxy::of(&Text::typed(text)).is_some()
}
