//! `fd:N`, `systemd:NAME` and `inetd`: sockets that this program inherits open.
//!
//! [`inherited`] finds and takes them, [`sort`] sees what they are, [`listen`] serves them: one that listens yields
//! connections as `tcp` and `unix` do, one that is connected is a session. [`connect`] has a connected one as a destination.

mod connect;
mod inherited;
mod listen;
mod sort;

use descriptor::{Code, Descriptor, Text};
use endpoint::{Connector, Listener};
use plan::kind::{
    Args, Example, FactName, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, ValueKind,
};

use self::connect::Connect;
use self::inherited::Which;
use self::listen::Listen;
use self::sort::Domain;
use crate::options::{self, Options};
use crate::users::{USERS, Users};
use crate::wary::WEB_PAGES;

/// A descriptor by its number.
pub(crate) static FD: Kind = Kind {
    listen: Some(Side::bytes(&[NUMBER], PlanListen::Leaf(listen_fd)).with(LISTENING)),
    connect: Some(Side::bytes(&[NUMBER], PlanConnect::Leaf(connect_fd)).with(CONNECTING)),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "fd:3",
            about: "Listens on the socket inherited as file descriptor 3.",
        },
        Example {
            role: Role::Connect,
            descriptor: "fd:4",
            about: "Uses the connection inherited as file descriptor 4 as the destination of one session.",
        },
    ],
    see_also: &["systemd", "inetd"],
    ..Kind::new("fd", "A socket inherited from the parent process, by its descriptor number")
};

/// A socket of a .socket unit.
pub(crate) static SYSTEMD: Kind = Kind {
    listen: Some(Side::bytes(SELECTING_SYSTEMD, PlanListen::Leaf(listen_systemd)).with(LISTENING)),
    rewrite: Some(by_domain),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "systemd:web",
            about: "Listens on all sockets with `FileDescriptorName=web`.",
        },
        Example {
            role: Role::Listen,
            descriptor: "systemd:index=0",
            about: "Listens on the first socket.",
        },
        Example {
            role: Role::Listen,
            descriptor: "systemd:domain=INET:index=0",
            about: "Twisted's spelling.",
        },
    ],
    see_also: &["fd", "inetd"],
    ..Kind::new("systemd", "Sockets that systemd has opened (sd_listen_fds(3))")
};

/// Standard input, if it is a socket.
pub(crate) static INETD: Kind = Kind {
    listen: Some(Side::bytes(&[], PlanListen::Leaf(listen_inetd)).with(LISTENING)),
    facts: FACTS,
    examples: &[Example {
        role: Role::Listen,
        descriptor: "inetd",
        about: "Serves the connection that inetd, xinetd, `socat EXEC:` or systemd's `StandardInput=socket` passes.",
    }],
    see_also: &["systemd", "stdio"],
    ..Kind::new("inetd", "The socket on standard input, as passed by inetd")
};

const FACTS: &[FactName] = &[
    FactName::new("tcp.local", "The local address and port."),
    FactName::new("tcp.peer", "The peer's address and port."),
    FactName::new("tcp.peer_host", "The peer's address."),
    FactName::new("tcp.peer_port", "The peer's port."),
    FactName::new("unix.path", "The socket's path, or its abstract name, which begins with `@`."),
    FactName::new("unix.pid", "The peer's process ID (SO_PEERCRED in unix(7))."),
    FactName::new("unix.uid", "The peer's user ID (SO_PEERCRED in unix(7))."),
];

const NUMBER: Param =
    Param::new("number", ValueKind::Int(3, 1_048_576), "The number of the file descriptor.")
        .aliases(&["fd"])
        .positional()
        .required();

const DOMAIN: Param = Param::new(
    "domain",
    ValueKind::Choice(&["INET", "INET6", "UNIX"]),
    "The socket's address family; a socket of another family is an error. By default, any family is accepted, and \
     the socket counts as reachable from other machines.",
);

/// After those that select the socket.
const LISTENING: &[Param] = &[
    DOMAIN,
    USERS,
    WEB_PAGES,
    options::NODELAY,
    options::KEEPALIVE,
    options::KEEPALIVE_INTERVAL,
    options::KEEPALIVE_COUNT,
    options::USER_TIMEOUT,
    options::SEND_BUFFER,
    options::RECEIVE_BUFFER,
    options::CONGESTION,
];

const SELECTING_SYSTEMD: &[Param] = &[
    Param::new(
        "name",
        ValueKind::Text,
        "The sockets' name: `FileDescriptorName=` in the unit, or by default the unit's name. Without `name`, \
         `index` selects the socket.",
    )
    .positional(),
    Param::new("index", ValueKind::Int(0, 65_535), "The position of the socket in the unit, from 0.")
];

/// Those of a listener that a connection has too.
const CONNECTING: &[Param] = &[
    options::NODELAY,
    options::KEEPALIVE,
    options::KEEPALIVE_INTERVAL,
    options::KEEPALIVE_COUNT,
    options::USER_TIMEOUT,
    options::SEND_BUFFER,
    options::RECEIVE_BUFFER,
    options::CONGESTION,
];

fn number(args: &Args) -> Which {
    let number = args.int("number").and_then(|number| i32::try_from(number).ok());
    Which::Number(number.expect("`number` is required and at most 1048576"))
}

fn listen_fd(args: &Args) -> Planned<Box<dyn Listener>> {
    listen(args, number(args))
}

fn listen_inetd(args: &Args) -> Planned<Box<dyn Listener>> {
    listen(args, Which::StandardInput)
}

fn listen_systemd(args: &Args) -> Planned<Box<dyn Listener>> {
    let index = args.int("index").and_then(|index| usize::try_from(index).ok());
    let name = args.text("name").filter(|name| !name.is_empty());
    let which = match (name, index) {
        (Some(name), None) => Which::Name(name.to_owned()),
        (None, Some(index)) => Which::Index(index),
        (both, _) => {
            let at = if both.is_some() { "index" } else { "name" };
            let message = "`systemd` needs either the sockets' name or an `index`";
            let mistake = args.mistake(at, Code::MissingParameter, message);
            return Err(vec![mistake.help("as in `systemd:web` or `systemd:index=0`")]);
        }
    };
    listen(args, which)
}

fn listen(args: &Args, which: Which) -> Planned<Box<dyn Listener>> {
    Ok(Box::new(Listen {
        descriptor: args.descriptor.clone(),
        which,
        domain: args.text("domain").map(Domain::of),
        users: Users::read(args),
        refuses_pages: args.text("web-pages") != Some("allow"),
        options: Options::read(args).map_err(|mistake| vec![mistake])?,
    }))
}

fn connect_fd(args: &Args) -> Planned<Box<dyn Connector>> {
    Ok(Box::new(Connect {
        descriptor: args.descriptor.clone(),
        which: number(args),
        options: Options::read(args).map_err(|mistake| vec![mistake])?,
    }))
}

/// Twisted has the domain first: `systemd:INET:name=web`.
fn by_domain(descriptor: &Descriptor, _: Role) -> Option<Descriptor> {
    let named = |name: &str| descriptor.kwargs.iter().any(|(other, _)| other.as_str() == name);
    let [_, domain] = &*descriptor.args else { return None };
    let is_domain = ["INET", "INET6", "UNIX"].contains(&domain.as_str());
    if !is_domain || named("domain") || !(named("name") || named("index")) {
        return None;
    }
    let mut copy = descriptor.clone();
    copy.args.truncate(1);
    copy.kwargs.push((Text::synthetic("domain", domain.span()), domain.clone()));
    Some(copy)
}
