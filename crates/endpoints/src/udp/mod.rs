//! `udp`: datagrams over IP (RFC 768), listening and connecting.
//!
//! Listening, each peer address has a session of its own ([`datagram`](crate::datagram)); connecting, a session has a
//! socket of its own, which the system keeps others' datagrams from. A datagram is a message, and stays one.

mod connect;
mod listen;
mod options;
mod socket;
mod stream;

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
                "The port to listen on; 0 has the system choose one.",
            )
            .positional()
            .required(),
            Param::new(
                "interface",
                ValueKind::Text,
                "The address of this machine to listen on, or a name that stands for one: IPv4 or IPv6. 127.0.0.1 \
                 keeps other machines out, `::` takes both families.",
            )
            .positional()
            .default("0.0.0.0"),
            Param::new(
                "idle",
                ValueKind::Duration,
                "How long a session lasts in which nothing comes or goes: datagrams have no end of their own. 0 is \
                 for ever, or until its place is needed.",
            )
            .topic(Topic::Limits)
            .default("30"),
            Param::new(
                "max-peers",
                ValueKind::Int(1, 1 << 20),
                "How many peers may have a session. For one more, the peer that has been silent for longest loses \
                 its session; those that never sent again after an answer come first, as their address may be forged.",
            )
            .topic(Topic::Limits)
            .default("1024"),
            MAX_MESSAGE,
            Param::new(
                "multicast",
                ValueKind::List,
                "A multicast group to join, and the interface to join it on, by its name, or by its address for an IPv4 \
                 group: `{239.1.2.3,eth0}`. Left out, the interface is the system's choice (IP_ADD_MEMBERSHIP in ip(7)).",
            )
            .topic(Topic::Socket),
            options::BROADCAST,
            options::TTL,
            Param::new(
                "reuseport",
                ValueKind::Bool,
                "Whether other processes of this user may listen on the same port at once; the system spreads peers \
                 over them (SO_REUSEPORT in socket(7)).",
            )
            .topic(Topic::Socket)
            .default("false"),
            Param::new(
                "pktinfo",
                ValueKind::Bool,
                "Whether answers leave from the address that the peer has sent to, on a listener of every address \
                 (IP_PKTINFO in ip(7)). A peer that sends to two addresses then has two sessions.",
            )
            .topic(Topic::Socket)
            .default("true"),
        ],
        gives: Shape::Datagrams,
        positional: Positional::InOrder,
        plan: PlanListen::Leaf(listen::plan),
    }),
    connect: Some(Side {
        params: &[
            Param::new(
                "host",
                ValueKind::Text,
                "A name or an address; an IPv6 address stands in brackets. Of a name's addresses, the first that there \
                 is a route to is used. With `allow`, it may be filled from what a client sends.",
            )
            .positional()
            .fillable()
            .required(),
            Param::new(
                "port",
                ValueKind::Service,
                "The port to send to, or the name of its service, which is looked up in /etc/services (services(5)) \
                 when a session begins.",
            )
            .positional()
            .fillable()
            .required(),
            ALLOW,
            Param::new(
                "bind",
                ValueKind::Text,
                "The address of this machine to send from, and a port if one is wanted: `192.0.2.7`, `{192.0.2.7:5000}`, \
                 `{[::1]:5000}`. With a port, there can be one session at a time. Left out, the system chooses.",
            )
            .topic(Topic::Socket)
            .aliases(&["bindAddress"]),
            Param::new(
                "timeout",
                ValueKind::Duration,
                "How long resolving the name may take. 0 leaves it to the system.",
            )
            .topic(Topic::Limits)
            .default("30"),
            MAX_MESSAGE,
            options::BROADCAST,
            options::TTL,
        ],
        gives: Shape::Datagrams,
        positional: Positional::SkipNamed,
        plan: PlanConnect::Leaf(connect::plan),
    }),
    rewrite: Some(sugar::brackets),
    schemes: &[Scheme::new("udp", sugar::udp_url)],
    facts: &[
        FactName::new("udp.local", "Our address and port."),
        FactName::new("udp.peer", "The peer's address and port."),
        FactName::new("udp.peer_host", "The peer's address."),
        FactName::new("udp.peer_port", "The peer's port."),
        FactName::new(
            "target.host",
            "The host that datagrams are sent to, as a name or an address; of a session that we began.",
        ),
        FactName::new("target.port", "The port that datagrams are sent to; of a session that we began."),
    ],
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "udp:5353:interface=127.0.0.1",
            about: "Takes datagrams on a port of loopback, a session for each address that sends.",
        },
        Example {
            role: Role::Listen,
            descriptor: "udp:5000:idle=5m:max-peers=100",
            about: "Takes datagrams on every IPv4 address, and forgets a peer after five minutes of silence.",
        },
        Example {
            role: Role::Listen,
            descriptor: "udp:5000:multicast={239.1.2.3,127.0.0.1}",
            about: "Takes what is sent to a multicast group as well.",
        },
        Example {
            role: Role::Connect,
            descriptor: "udp:192.0.2.53:53",
            about: "Sends each message as a datagram to a name server.",
        },
        Example {
            role: Role::Connect,
            descriptor: "udp:${target.host}:${target.port}:allow={192.0.2.53:53}",
            about: "Sends to what a client of SOCKS or Wisp asks for, if it is this name server.",
        },
        Example {
            role: Role::Connect,
            descriptor: "udp://[2001:db8::1]:514",
            about: "The same kind as a URL, over IPv6.",
        },
    ],
    see_also: &["unix-dgram", "framed", "tcp"],
    ..Kind::new("udp", "Datagrams over IPv4 or IPv6, each one a message")
};

const MAX_MESSAGE: Param = Param::new(
    "max-message",
    ValueKind::Size,
    "How many bytes a message may have that is to be sent, its fragments together; a longer one is refused and ends \
     the session (close code 1009 over `ws`). A datagram takes 65,507 over IPv4.",
)
.topic(Topic::Limits)
.default("64k");
