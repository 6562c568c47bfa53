//! The parameters.

use plan::kind::{Param, Topic, ValueKind};

const fn option(name: &'static str, value: ValueKind, doc: &'static str) -> Param {
    Param::new(name, value, doc).topic(Topic::Socket)
}

pub(crate) const NODELAY: Param = option(
    "nodelay",
    ValueKind::Bool,
    "Whether small pieces are sent at once rather than collected (TCP_NODELAY in tcp(7)).",
)
.default("true");

pub(crate) const KEEPALIVE: Param = option(
    "keepalive",
    ValueKind::Text,
    "Probe a silent peer after this long, so that one that vanished is noticed: four probes, 5 s \
     apart. `on` probes at the system's times, `off` never. A peer that doesn't acknowledge what it \
     was sent is given up after 45 s, unless this is `off` (SO_KEEPALIVE and TCP_KEEPIDLE in tcp(7)).",
)
.default("25");

pub(crate) const KEEPALIVE_INTERVAL: Param = option(
    "keepalive-interval",
    ValueKind::Duration,
    "The time between two probes, from 1 s to 32767 s (TCP_KEEPINTVL in tcp(7)). Left out, it is 5 s, or `keepalive` if \
     that is shorter.",
);

pub(crate) const KEEPALIVE_COUNT: Param = option(
    "keepalive-count",
    ValueKind::Int(1, 127),
    "How many probes may stay unanswered (TCP_KEEPCNT in tcp(7)).",
)
.default("4");

pub(crate) const USER_TIMEOUT: Param = option(
    "user-timeout",
    ValueKind::Duration,
    "Give a connection up when what was sent isn't acknowledged for this long, also one whose peer lives and takes \
     nothing (TCP_USER_TIMEOUT in tcp(7)). 0 leaves it to the system.",
)
.default("0");

pub(crate) const SEND_BUFFER: Param = option(
    "send-buffer",
    ValueKind::Size,
    "The size of the system's buffer for what is sent (SO_SNDBUF in socket(7)). Left out, the system adjusts it.",
);

pub(crate) const RECEIVE_BUFFER: Param = option(
    "receive-buffer",
    ValueKind::Size,
    "The size of the system's buffer for what is received (SO_RCVBUF in socket(7)). Left out, the system adjusts it.",
);

pub(crate) const MARK: Param = option(
    "mark",
    ValueKind::Int(0, u32::MAX as u64),
    "A mark on every packet, for routing and filters (SO_MARK in socket(7)). It takes CAP_NET_ADMIN.",
);

pub(crate) const TOS: Param = option(
    "tos",
    ValueKind::Int(0, 255),
    "The type of service of every packet: the DSCP times four (IP_TOS in ip(7), IPV6_TCLASS in ipv6(7)).",
);

pub(crate) const DEVICE: Param = option(
    "device",
    ValueKind::Text,
    "The network interface to use, such as `eth0`, whatever the routes say (SO_BINDTODEVICE in socket(7)).",
)
.aliases(&["bind-to-device"]);

pub(crate) const FREEBIND: Param = option(
    "freebind",
    ValueKind::Bool,
    "Whether the address may be one that this machine doesn't have yet (IP_FREEBIND in ip(7)).",
)
.default("false");

pub(crate) const TRANSPARENT: Param = option(
    "transparent",
    ValueKind::Bool,
    "Whether the address may be anybody's, for a transparent proxy (IP_TRANSPARENT in ip(7)). It takes CAP_NET_ADMIN.",
)
.default("false");

pub(crate) const FASTOPEN: Param = option(
    "fastopen",
    ValueKind::Bool,
    "Whether clients that were here before may send data with their first packet (TCP_FASTOPEN in tcp(7), RFC 7413). Such \
     data may come twice.",
)
.default("false");

pub(crate) const MPTCP: Param = option(
    "mptcp",
    ValueKind::Bool,
    "Whether a connection may use several paths at once, with a peer that can (Multipath TCP, RFC 8684).",
)
.default("false");

pub(crate) const CONGESTION: Param = option(
    "congestion",
    ValueKind::Text,
    "The congestion control, such as `bbr` (TCP_CONGESTION in tcp(7)).",
);
