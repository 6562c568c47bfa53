//! `via=PROXY` of `udp`: datagrams through a SOCKS 5 proxy.

use descriptor::Descriptor;
use plan::kind::{Param, Role, ValueKind};

use crate::destination::via::over;

pub(super) const VIA: Param = Param::new(
    "via",
    ValueKind::Text,
    "The proxy to send through: `socks5://[USER:PASSWORD@]HOST[:PORT]`, which has to support UDP ASSOCIATE. `max-message` \
     and `allow` then keep their meaning; the other parameters are those of `tcp`, for the connection to the proxy. \
     `timeout` applies to each step.",
)
.suggestions(&["socks5://"])
.hides_query();

/// `udp:HOST:PORT:via={socks5://PROXY}` is `socks5-udp:{tcp:PROXY}:host=HOST:port=PORT`; `None` if there is no such proxy.
pub(super) fn rewrite(descriptor: &Descriptor, role: Role) -> Option<Descriptor> {
    if role != Role::Connect {
        return None;
    }
    over(descriptor, &["allow", "max-message"], |proxy| {
        (proxy.layer == "socks5" && proxy.version.is_none()).then_some("socks5-udp")
    })
}
