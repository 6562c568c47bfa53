//! `unix`, `unix-dgram` and `unix-seqpacket`: sockets of the local machine (unix(7)), listening and connecting.
//!
//! Parameters, defaults and the lock file are Twisted's. `@name` is a name of Linux's abstract
//! namespace, which has no file, no mode and no lock.

mod address;
mod connect;
mod dgram;
mod listen;
mod lock;
mod params;
mod place;
mod seqpacket;

use descriptor::{Descriptor, Diagnostic, Stage, Text, Url};
use plan::kind::{
    Example, FactName, Kind, Param, PlanConnect, PlanListen, Positional, Role, Scheme, Shape, Side,
    Topic, ValueKind,
};

use self::address::Address;
use self::params::{ADDRESS, BACKLOG, LOCKFILE, MAX_MESSAGE, MODE, PATH, TIMEOUT, UNLINK};
use crate::options::{RECEIVE_BUFFER, SEND_BUFFER};
use crate::users::USERS;

/// Unix stream sockets.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::unix),
    listen: Some(Side::bytes(
        &[ADDRESS, MODE, BACKLOG, LOCKFILE, UNLINK, USERS, SEND_BUFFER, RECEIVE_BUFFER],
        PlanListen::Leaf(listen::plan),
    )),
    connect: Some(Side {
        params: &[PATH, TIMEOUT, SEND_BUFFER, RECEIVE_BUFFER],
        more: &[],
        gives: Shape::Bytes,
        positional: Positional::SkipNamed,
        plan: PlanConnect::Leaf(connect::plan),
    }),
    schemes: &[Scheme::new("unix", url)],
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "unix:/run/app.sock:mode=660",
            about: "Listens on a socket that its owner and group may connect to.",
        },
        Example {
            role: Role::Listen,
            descriptor: "unix:@app",
            about: "Listens on a name in the abstract namespace, which needs no file.",
        },
        Example {
            role: Role::Connect,
            descriptor: "unix:/var/run/docker.sock",
            about: "Connects to the Docker daemon's socket.",
        },
        Example { role: Role::Connect, descriptor: "unix:///run/app.sock", about: "The URL form." },
    ],
    see_also: &["unix-dgram", "unix-seqpacket", "tcp"],
    ..Kind::new("unix", "Unix stream sockets, by path or abstract name")
};

/// Unix datagram sockets.
pub(crate) static DGRAM: Kind = Kind {
    listen: Some(Side {
        params: &[
            ADDRESS,
            MODE,
            LOCKFILE,
            UNLINK,
            USERS,
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
                 that has been silent for longest.",
            )
            .topic(Topic::Limits)
            .default("1024"),
            MAX_MESSAGE,
        ],
        more: &[],
        gives: Shape::Datagrams,
        positional: Positional::InOrder,
        plan: PlanListen::Leaf(dgram::plan_listen),
    }),
    connect: Some(Side {
        params: &[
            PATH,
            Param::new(
                "bind",
                ValueKind::Text,
                "The path of the local socket, to which the peer answers. It is removed when the session ends, and \
                 there can be one session at a time. By default, the system gives each session a name in the \
                 abstract namespace.",
            )
            .topic(Topic::Socket),
            MAX_MESSAGE,
        ],
        more: &[],
        gives: Shape::Datagrams,
        positional: Positional::SkipNamed,
        plan: PlanConnect::Leaf(dgram::plan_connect),
    }),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "unix-dgram:/run/app.dgram:mode=660",
            about: "Receives datagrams on a socket that its owner and group may send to, with a session for each \
                sender.",
        },
        Example {
            role: Role::Connect,
            descriptor: "unix-dgram:/dev/log",
            about: "Sends each message as a datagram to the system log.",
        },
    ],
    see_also: &["udp", "unix", "unix-seqpacket"],
    ..Kind::new("unix-dgram", "Unix datagram sockets; each datagram is a message")
};

/// Unix sockets of messages.
pub(crate) static SEQPACKET: Kind = Kind {
    listen: Some(Side {
        params: &[ADDRESS, MODE, BACKLOG, LOCKFILE, UNLINK, USERS, MAX_MESSAGE],
        more: &[],
        gives: Shape::Datagrams,
        positional: Positional::InOrder,
        plan: PlanListen::Leaf(seqpacket::plan_listen),
    }),
    connect: Some(Side {
        params: &[PATH, TIMEOUT, MAX_MESSAGE],
        more: &[],
        gives: Shape::Datagrams,
        positional: Positional::SkipNamed,
        plan: PlanConnect::Leaf(seqpacket::plan_connect),
    }),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "unix-seqpacket:/run/app.seq",
            about: "Listens on a socket whose connections keep message boundaries.",
        },
        Example {
            role: Role::Connect,
            descriptor: "unix-seqpacket:@app",
            about: "Connects to a name in the abstract namespace.",
        },
    ],
    see_also: &["unix", "unix-dgram"],
    ..Kind::new("unix-seqpacket", "Unix sockets with connections that keep message boundaries")
};

const FACTS: &[FactName] = &[
    FactName::new("unix.path", "The socket's path, or its abstract name, which begins with `@`."),
    FactName::new("unix.pid", "The peer's process ID (SO_PEERCRED in unix(7))."),
    FactName::new("unix.uid", "The peer's user ID (SO_PEERCRED in unix(7))."),
];

/// `unix:///run/app.sock`. The path is taken as it stands: no program writes `%20` here.
fn url(url: &Url, _: Role) -> Result<Descriptor, Diagnostic> {
    let host = url.host.as_str();
    if !host.is_empty() || url.userinfo.is_some() || url.port.is_some() {
        let message = "a `unix` URL has a path only";
        let help = format!("write `unix:///{host}{}`", url.path);
        return Err(Diagnostic::error(Stage::Plan, "bad-url", url.host.span(), message).help(help));
    }
    let kind = Text::synthetic("unix", url.scheme.span());
    Ok(Descriptor::new(kind).arg(url.path.clone()))
}
