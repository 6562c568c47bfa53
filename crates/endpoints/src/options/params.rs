//! The parameters.

use plan::kind::{Param, Topic, ValueKind};

const fn option(name: &'static str, value: ValueKind, doc: &'static str) -> Param {
    Param::new(name, value, doc).topic(Topic::Socket)
}

pub(crate) const NODELAY: Param = option(
    "nodelay",
    ValueKind::Bool,
    "Send small segments at once instead of collecting them (TCP_NODELAY in tcp(7)).",
)
.default("true");

pub(crate) const KEEPALIVE: Param = option(
    "keepalive",
    ValueKind::Text,
    "Probe a peer that has been silent for this long, to detect one that has vanished: four probes, 5 s apart. `on` \
     uses the system's intervals, `off` disables probes. A peer that doesn't acknowledge data for 45 s is considered \
     gone, unless this is `off` (SO_KEEPALIVE and TCP_KEEPIDLE in tcp(7)).",
)
.default("25");

pub(crate) const KEEPALIVE_INTERVAL: Param = option(
    "keepalive-interval",
    ValueKind::Duration,
    "The time between two probes, from 1 s to 32767 s (TCP_KEEPINTVL in tcp(7)). The default is 5 s, or `keepalive` \
     if that is shorter.",
);

pub(crate) const KEEPALIVE_COUNT: Param = option(
    "keepalive-count",
    ValueKind::Int(1, 127),
    "The number of unanswered probes after which the peer is considered gone (TCP_KEEPCNT in tcp(7)).",
)
.default("4");

pub(crate) const USER_TIMEOUT: Param = option(
    "user-timeout",
    ValueKind::Duration,
    "Close a connection if sent data stays unacknowledged for this long, even if the peer is alive but reads nothing \
     (TCP_USER_TIMEOUT in tcp(7)). 0 uses the system's limit.",
)
.default("0");

pub(crate) const SEND_BUFFER: Param = option(
    "send-buffer",
    ValueKind::Size,
    "The size of the kernel's send buffer (SO_SNDBUF in socket(7)). By default, the kernel adjusts it.",
);

pub(crate) const RECEIVE_BUFFER: Param = option(
    "receive-buffer",
    ValueKind::Size,
    "The size of the kernel's receive buffer (SO_RCVBUF in socket(7)). By default, the kernel adjusts it.",
);

pub(crate) const MARK: Param = option(
    "mark",
    ValueKind::Int(0, u32::MAX as u64),
    "The mark of every packet, for routing and filters (SO_MARK in socket(7)). Requires CAP_NET_ADMIN, or CAP_NET_RAW \
     since Linux 5.17.",
);

pub(crate) const TOS: Param = option(
    "tos",
    ValueKind::Int(0, 255),
    "The type of service of every packet: four times the DSCP (IP_TOS in ip(7), IPV6_TCLASS in ipv6(7)).",
);

pub(crate) const DEVICE: Param = option(
    "device",
    ValueKind::Text,
    "The network interface to use, such as `eth0`, regardless of the routes (SO_BINDTODEVICE in socket(7)).",
)
.aliases(&["bind-to-device"]);

pub(crate) const FREEBIND: Param = option(
    "freebind",
    ValueKind::Bool,
    "Allow an address that this machine doesn't have yet (IP_FREEBIND in ip(7)).",
)
.default("false");

pub(crate) const TRANSPARENT: Param = option(
    "transparent",
    ValueKind::Bool,
    "Allow an address that belongs to another machine, for a transparent proxy (IP_TRANSPARENT in ip(7)). Requires \
     CAP_NET_ADMIN.",
)
.default("false");

pub(crate) const FASTOPEN: Param = option(
    "fastopen",
    ValueKind::Bool,
    "Allow clients that have connected before to send data with their first packet (TCP_FASTOPEN in tcp(7), RFC \
     7413). Such data may arrive twice.",
)
.default("false");

pub(crate) const MPTCP: Param = option(
    "mptcp",
    ValueKind::Bool,
    "Allow a connection to use several paths at once, if the peer supports it (Multipath TCP, RFC 8684).",
)
.default("false");

pub(crate) const CONGESTION: Param = option(
    "congestion",
    ValueKind::Text,
    "The congestion control algorithm, such as `bbr` (TCP_CONGESTION in tcp(7)).",
);
