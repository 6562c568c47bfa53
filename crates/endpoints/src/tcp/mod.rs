//! `tcp`, `tcp4` and `tcp6`: TCP (RFC 9293), listening and connecting.
//!
//! The three differ in the addresses that they use, not in what they do. Positionals and defaults
//! are Twisted's; `tcp6` listening has another order of them there, so it has here.

mod connect;
mod environment;
mod happy_eyeballs;
mod listen;
mod via;

use descriptor::Descriptor;
use plan::kind::{
    Example, FactName, Kind, Param, PlanConnect, PlanListen, Positional, Role, Scheme, Shape, Side,
    Topic, ValueKind,
};

use crate::destination::{ALLOW, Family, sugar};
use crate::options;
use crate::wary::WEB_PAGES;

/// Rewrites `via` to the proxy's layer; without a proxy, joins the parts of an address in brackets.
fn rewrite(descriptor: &Descriptor, role: Role) -> Option<Descriptor> {
    via::rewrite(descriptor, role).or_else(|| sugar::brackets(descriptor, role))
}

const FACTS: &[FactName] = &[
    FactName::new("tcp.local", "The local address and port."),
    FactName::new("tcp.peer", "The peer's address and port."),
    FactName::new("tcp.peer_host", "The peer's address."),
    FactName::new("tcp.peer_port", "The peer's port."),
    FactName::new(
        "target.host",
        "The host of a connection that endpointforward opened, as a name or an address.",
    )
    .of_opened(),
    FactName::new("target.port", "The port of a connection that endpointforward opened.")
        .of_opened(),
];

/// The parameters after the address, for listeners of all families.
const LISTENING: &[Param] = &[
    REUSEPORT,
    WEB_PAGES,
    options::NODELAY,
    options::KEEPALIVE,
    options::KEEPALIVE_INTERVAL,
    options::KEEPALIVE_COUNT,
    options::USER_TIMEOUT,
    options::SEND_BUFFER,
    options::RECEIVE_BUFFER,
    options::MARK,
    options::TOS,
    options::DEVICE,
    options::FREEBIND,
    options::TRANSPARENT,
    options::FASTOPEN,
    options::MPTCP,
    options::CONGESTION,
];

/// Any family when connecting; IPv4 by default when listening, as in Twisted.
pub(crate) static TCP: Kind = Kind {
    listen: Some(
        Side::bytes(
            &[PORT, INTERFACE, BACKLOG],
            PlanListen::Leaf(|args| listen::plan(args, Family::Any)),
        )
        .with(LISTENING),
    ),
    connect: Some(connecting(PlanConnect::Leaf(|args| connect::plan(args, Family::Any)))),
    schemes: &[Scheme::new("tcp", sugar::tcp_url)],
    bare: Some(sugar::bare),
    rewrite: Some(rewrite),
    slip: Some(crate::slips::tcp),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "tcp:9000",
            about: "Listens on port 9000 of every IPv4 address of this machine.",
        },
        Example {
            role: Role::Listen,
            descriptor: "tcp:9000:interface=127.0.0.1",
            about: "Listens on loopback: only programs on this machine can connect.",
        },
        Example {
            role: Role::Listen,
            descriptor: "9000",
            about: "The short form: a port alone is TCP on loopback.",
        },
        Example {
            role: Role::Listen,
            descriptor: "tcp:9000:interface={::1}",
            about: "Listens on IPv6 loopback; braces quote the colons.",
        },
        Example {
            role: Role::Connect,
            descriptor: "tcp:example.com:80:timeout=5",
            about: "Connects to the first address of the name that answers, within 5 seconds.",
        },
        Example {
            role: Role::Connect,
            descriptor: "tcp:[2001:db8::1]:80",
            about: "Connects to an IPv6 address.",
        },
        Example {
            role: Role::Connect,
            descriptor: "tcp:${target.host}:${target.port}:allow={*.example.com:443,10.0.0.0/8}",
            about: "Connects to the destination that a client of SOCKS or HTTP CONNECT requests, if it is listed.",
        },
        Example {
            role: Role::Connect,
            descriptor: "tcp:example.com:80:via=environment",
            about: "Connects through the proxy that HTTPS_PROXY or ALL_PROXY names, or directly.",
        },
        Example {
            role: Role::Connect,
            descriptor: "tcp://192.168.1.50:23",
            about: "The URL form.",
        },
        Example {
            role: Role::Connect,
            descriptor: "9000",
            about: "Connects to port 9000 of 127.0.0.1.",
        },
    ],
    see_also: &["tcp4", "tcp6", "unix"],
    ..Kind::new("tcp", "TCP connections, over IPv4 or IPv6")
};

/// IPv4 and nothing else.
pub(crate) static TCP4: Kind = Kind {
    listen: Some(
        Side::bytes(
            &[PORT, INTERFACE, BACKLOG],
            PlanListen::Leaf(|args| listen::plan(args, Family::V4)),
        )
        .with(LISTENING),
    ),
    connect: Some(connecting(PlanConnect::Leaf(|args| connect::plan(args, Family::V4)))),
    rewrite: Some(rewrite),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "tcp4:9000:127.0.0.1",
            about: "Listens on IPv4 loopback.",
        },
        Example {
            role: Role::Connect,
            descriptor: "tcp4:localhost:9000",
            about: "Connects to the name's IPv4 addresses only, never to ::1.",
        },
    ],
    see_also: &["tcp", "tcp6"],
    ..Kind::new("tcp4", "TCP connections over IPv4 only")
};

/// IPv6; listening on `::` takes IPv4 peers too.
pub(crate) static TCP6: Kind = Kind {
    listen: Some(
        Side::bytes(
            &[PORT, BACKLOG, INTERFACE_V6],
            PlanListen::Leaf(|args| listen::plan(args, Family::V6)),
        )
        .with(LISTENING),
    ),
    connect: Some(connecting(PlanConnect::Leaf(|args| connect::plan(args, Family::V6)))),
    rewrite: Some(rewrite),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "tcp6:9000",
            about: "Listens on all addresses of this machine, IPv6 and IPv4.",
        },
        Example {
            role: Role::Listen,
            descriptor: "tcp6:9000:interface={::1}",
            about: "Listens on IPv6 loopback.",
        },
        Example {
            role: Role::Connect,
            descriptor: "tcp6:[fe80::1%eth0]:9000",
            about: "Connects to a link-local address through the interface eth0 (RFC 4007).",
        },
    ],
    see_also: &["tcp", "tcp4"],
    ..Kind::new("tcp6", "TCP connections over IPv6; a listener accepts IPv4 clients too")
};

const fn connecting(plan: PlanConnect) -> Side<PlanConnect> {
    Side {
        params: CONNECT,
        more: &[],
        gives: Shape::Bytes,
        positional: Positional::SkipNamed,
        plan,
    }
}

const CONNECT: &[Param] = &[
    HOST,
    Param::new(
        "port",
        ValueKind::Service,
        "The port to connect to, or the name of a service, which is looked up in /etc/services (services(5)) when a \
         connection is opened. Like `host`, it may contain facts about the client.",
    )
    .fillable()
    .positional()
    .required(),
    ALLOW,
    via::VIA,
    Param::new(
        "timeout",
        ValueKind::Duration,
        "The time limit for resolving the name and connecting, over all addresses. 0 uses the system's limit of \
         about two minutes.",
    ).topic(Topic::Limits)
    .default("30"),
    Param::new(
        "bindAddress",
        ValueKind::Text,
        "The local address to connect from; only destination addresses of its family are tried.",
    ).topic(Topic::Socket)
    .aliases(&["bind"]),
    options::NODELAY,
    options::KEEPALIVE,
    options::KEEPALIVE_INTERVAL,
    options::KEEPALIVE_COUNT,
    options::USER_TIMEOUT,
    options::SEND_BUFFER,
    options::RECEIVE_BUFFER,
    options::MARK,
    options::TOS,
    options::DEVICE,
    options::FREEBIND,
    options::TRANSPARENT,
    options::MPTCP,
    options::CONGESTION,
];

const PORT: Param =
    Param::new("port", ValueKind::Port, "The port to listen on; with 0, the system chooses one.")
        .positional()
        .required();

const INTERFACE: Param = Param::new(
    "interface",
    ValueKind::Text,
    "The local address to listen on, or a name that resolves to one. With 127.0.0.1, other machines can't connect.",
)
.positional()
.default("0.0.0.0");

const INTERFACE_V6: Param = Param::new(
    "interface",
    ValueKind::Text,
    "The local IPv6 address to listen on, or a name that resolves to one. With `::1`, other machines can't connect.",
)
.positional()
.default("::");

const BACKLOG: Param = Param::new(
    "backlog",
    ValueKind::Int(0, 65535),
    "The number of connections that may wait to be accepted (listen(2)).",
)
.topic(Topic::Socket)
.default("50")
.positional();

const REUSEPORT: Param = Param::new(
    "reuseport",
    ValueKind::Bool,
    "Allow other processes of the same user to listen on the same port; the system distributes connections over them \
     (SO_REUSEPORT in socket(7)).",
)
.topic(Topic::Socket)
.default("false");

const HOST: Param = Param::new(
    "host",
    ValueKind::Text,
    "A name or an address; write an IPv6 address in brackets. All addresses of a name are tried, alternating between \
     the families: the next one after 250 ms or a failure (RFC 8305). With `allow`, it may contain facts about the \
     client: `${target.host}`.",
)
.fillable()
.positional()
.required();
