//! `udp`: datagrams over IP (RFC 768), listening and connecting.
//!
//! Listening, each peer address has a separate session ([`datagram`](crate::datagram)); connecting, each session has a
//! separate socket, which the system keeps others' datagrams from. A datagram is a message, and stays one.

mod connect;
mod listen;
mod options;
mod socket;
mod via;

use plan::kind::{
    Example, FactName, Kind, Param, PlanConnect, PlanListen, Positional, Role, Scheme, Shape, Side,
    Topic, ValueKind,
};

use crate::destination::{ALLOW, sugar};

/// Datagrams over IP.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::udp),
    listen: Some(Side {
        params: &[
            Param::new(
                "port",
                ValueKind::Port,
                "The port to listen on; with 0, the system chooses one.",
            )
            .positional()
            .required(),
            Param::new(
                "interface",
                ValueKind::Text,
                "The local address to listen on, IPv4 or IPv6, or a name that resolves to one. With 127.0.0.1, other \
                 machines can't send; `::` accepts both families.",
            )
            .positional()
            .default("0.0.0.0"),
            Param::new(
                "idle",
                ValueKind::Duration,
                "The idle timeout of a session, because datagrams have no end of stream. With 0, a session lasts \
                 until its place is needed.",
            )
            .topic(Topic::Limits)
            .default("30"),
            Param::new(
                "max-peers",
                ValueKind::Int(1, 1 << 20),
                "The maximum number of sessions, one for each peer. When it is reached, a new peer replaces the peer \
                 that has been silent for longest; peers that have not sent again after an answer are replaced \
                 first, because their addresses may be forged.",
            )
            .topic(Topic::Limits)
            .default("1024"),
            MAX_MESSAGE,
            Param::new(
                "multicast",
                ValueKind::List,
                "A multicast group to join, and optionally the interface to join it on, by name or, for an IPv4 \
                 group, by address: `{239.1.2.3,eth0}`. By default, the system chooses the interface \
                 (IP_ADD_MEMBERSHIP in ip(7)).",
            )
            .topic(Topic::Socket),
            options::BROADCAST,
            options::TTL,
            Param::new(
                "reuseport",
                ValueKind::Bool,
                "Allow other processes of the same user to listen on the same port; the system distributes peers \
                 over them (SO_REUSEPORT in socket(7)).",
            )
            .topic(Topic::Socket)
            .default("false"),
            Param::new(
                "pktinfo",
                ValueKind::Bool,
                "On a listener on all addresses, send answers from the address that the peer has sent to (IP_PKTINFO \
                 in ip(7)). A peer that sends to two addresses then has two sessions.",
            )
            .topic(Topic::Socket)
            .default("true"),
        ],
        more: &[],
        gives: Shape::Datagrams,
        positional: Positional::InOrder,
        plan: PlanListen::Leaf(listen::plan),
    }),
    connect: Some(Side {
        params: &[
            Param::new(
                "host",
                ValueKind::Text,
                "A name or an address; write an IPv6 address in brackets. The first address of a name that has a \
                 route is used. With `allow`, it may contain facts about the client.",
            )
            .positional()
            .fillable()
            .required(),
            Param::new(
                "port",
                ValueKind::Service,
                "The port to send to, or the name of a service, which is looked up in /etc/services (services(5)) \
                 when a session begins.",
            )
            .positional()
            .fillable()
            .required(),
            ALLOW,
            Param::new(
                "bind",
                ValueKind::Text,
                "The local address to send from, with an optional port: `192.0.2.7`, `{192.0.2.7:5000}`, \
                 `{[::1]:5000}`. With a port, there can be one session at a time. By default, the system chooses \
                 both.",
            )
            .topic(Topic::Socket)
            .aliases(&["bindAddress"]),
            Param::new(
                "timeout",
                ValueKind::Duration,
                "The time limit for resolving the name. 0 uses the system's limit.",
            )
            .topic(Topic::Limits)
            .default("30"),
            via::VIA,
            MAX_MESSAGE,
            options::BROADCAST,
            options::TTL,
        ],
        more: &[],
        gives: Shape::Datagrams,
        positional: Positional::SkipNamed,
        plan: PlanConnect::Leaf(connect::plan),
    }),
    rewrite: Some(|descriptor, role| {
        via::rewrite(descriptor, role).or_else(|| sugar::brackets(descriptor, role))
    }),
    schemes: &[Scheme::new("udp", sugar::udp_url)],
    facts: &[
        FactName::new("udp.local", "The local address and port."),
        FactName::new("udp.peer", "The peer's address and port."),
        FactName::new("udp.peer_host", "The peer's address."),
        FactName::new("udp.peer_port", "The peer's port."),
        FactName::new(
            "target.host",
            "The host that datagrams are sent to, as a name or an address, in a session that endpointforward began.",
        ),
        FactName::new("target.port", "The port that datagrams are sent to, in a session that endpointforward began."),
    ],
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "udp:5353:interface=127.0.0.1",
            about: "Receives datagrams on a loopback port, with a session for each sender.",
        },
        Example {
            role: Role::Listen,
            descriptor: "udp:5000:idle=5m:max-peers=100",
            about: "Receives datagrams on all IPv4 addresses; a session ends after five idle minutes.",
        },
        Example {
            role: Role::Listen,
            descriptor: "udp:5000:multicast={239.1.2.3,127.0.0.1}",
            about: "Receives datagrams to a multicast group as well.",
        },
        Example {
            role: Role::Connect,
            descriptor: "udp:192.0.2.53:53",
            about: "Sends each message as a datagram to a DNS server.",
        },
        Example {
            role: Role::Connect,
            descriptor: "udp:${target.host}:${target.port}:allow={192.0.2.53:53}",
            about: "Sends to the destination that a client of SOCKS or Wisp requests, if it is this name server.",
        },
        Example {
            role: Role::Connect,
            descriptor: "udp://[2001:db8::1]:514",
            about: "The URL form, with an IPv6 address.",
        },
    ],
    see_also: &["unix-dgram", "framed", "socks5-udp", "tcp"],
    ..Kind::new("udp", "UDP datagrams over IPv4 or IPv6; each datagram is a message")
};

const MAX_MESSAGE: Param = Param::new(
    "max-message",
    ValueKind::Size,
    "The maximum size of a message to send, including all its fragments; a longer one ends the session (close code \
     1009 over `ws`). A datagram over IPv4 holds 65,507 bytes.",
)
.topic(Topic::Limits)
.default("64k");
