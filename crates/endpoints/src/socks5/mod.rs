//! `socks5:ENDPOINT`: SOCKS 4, 4a and 5 over any stream of bytes, both sides.
//!
//! [`serve`] turns clients' requests into offers, and [`dial`] sends requests to a proxy. The crate `socks` has the
//! messages. [`associate`] and [`relay`] serve datagrams (UDP ASSOCIATE).

mod associate;
mod dial;
mod exchange;
mod ports;
mod relay;
mod relayed;
mod serve;
mod strays;

use std::sync::Arc;
use std::time::Duration;

use descriptor::Code;
use endpoint::{DialLayer, ServeLayer};
use plan::kind::{
    Alias, Args, Example, Kind, Param, PlanConnect, PlanListen, Planned, Role, Shape, Side, Takes,
    Topic, ValueKind,
};
use socks::Version;

use self::associate::Policy;
use self::dial::{Dial, Proxy};
use self::ports::Place;
use self::relayed::Relayed;
use self::serve::Serve;
use crate::auth::{AUTH_BY_PASSWORD, Auth};
use crate::datagram::table::Limits;
use crate::destination::{ALLOW, Destination, Family};
use crate::login::{self, Login};
use crate::through::{ENDPOINT, FACTS, FACTS_AND_USER, HANDSHAKE_TIMEOUT, PORT, TIMEOUT, limit};

/// SOCKS.
pub(crate) static KIND: Kind = Kind {
    aliases: &[
        Alias { name: "socks", defaults: &[], params: &[], about: "" },
        Alias {
            name: "socks4a",
            defaults: &[("version", "4a")],
            params: &[],
            about: "as a client, version 4a",
        },
        Alias {
            name: "socks4",
            defaults: &[("version", "4")],
            params: &[],
            about: "as a client, version 4",
        },
    ],
    listen: Some(Side {
        gives: Shape::Either,
        ..Side::bytes(LISTENING, PlanListen::Layer(Takes::Bytes, listen))
    }),
    connect: Some(Side::bytes(CONNECTING, PlanConnect::Layer(Takes::Bytes, connect))),
    facts: FACTS_AND_USER,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "socks5:1080",
            about: "Accepts clients of all versions on loopback. The destination to use is `target:allow=*`, which \
                takes connections and datagrams.",
        },
        Example {
            role: Role::Listen,
            descriptor: "socks5:1080:udp=false",
            about: "Relays no datagrams. The destination to use is `tcp:${target.host}:${target.port}:allow=*`.",
        },
        Example {
            role: Role::Connect,
            descriptor: "socks5:{tcp:127.0.0.1:9050}:host=example.com:port=80",
            about: "Connects through Tor, which resolves the name.",
        },
        Example {
            role: Role::Connect,
            descriptor: "socks5:{tcp:proxy.example:1080}:host=192.0.2.7:port=22:user=ada:password-file=/run/secrets/proxy",
            about: "Authenticates to the proxy.",
        },
    ],
    see_also: &["http-connect", "socks5-udp", "target", "tcp"],
    ..Kind::new("socks5", "SOCKS 4, 4a and 5: connects through a proxy, or acts as one")
};

/// Datagrams through a SOCKS 5 proxy.
pub(crate) static UDP: Kind = Kind {
    connect: Some(Side {
        gives: Shape::Datagrams,
        ..Side::bytes(SENDING, PlanConnect::Layer(Takes::Bytes, send))
    }),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "udp:192.0.2.53:53:via={socks5://proxy.example:1080}",
            about: "Sends each message as a datagram to a DNS server, through a proxy. It is the same as \
                `socks5-udp:{tcp:proxy.example:1080}:host=192.0.2.53:port=53`.",
        },
        Example {
            role: Role::Connect,
            descriptor: "socks5-udp:{tls:{tcp:proxy.example:1080}}:host=example.com:port=443:user=ada:password-file=/run/secrets/proxy",
            about: "Authenticates over TLS. The datagrams themselves are not encrypted.",
        },
    ],
    see_also: &["udp", "socks5"],
    ..Kind::new("socks5-udp", "SOCKS 5: sends datagrams through a proxy (UDP ASSOCIATE)")
};

const LISTENING: &[Param] = &[
    ENDPOINT,
    AUTH_BY_PASSWORD,
    HANDSHAKE_TIMEOUT,
    Param::new(
        "udp",
        ValueKind::Bool,
        "Relay the datagrams of clients of version 5 (UDP ASSOCIATE) if the destination takes datagrams, as `target` and \
         `udp` do; otherwise, the request is refused with reply 7. Each target of a client is a session, until the \
         client closes its connection. The socket is opened at the address that the connection came to, and receives from \
         the client's address only. Datagrams are not encrypted, even if the \
         connection is; fragments are dropped.",
    )
    .default("true"),
    ports::PORTS,
    ports::ADDRESS,
    Param::new(
        "idle",
        ValueKind::Duration,
        "The idle timeout of a session of datagrams. With 0, a session lasts until its place is needed.",
    )
    .topic(Topic::Limits)
    .default("30"),
    Param::new(
        "max-associations",
        ValueKind::Int(1, 1 << 16),
        "The maximum number of clients that have datagrams relayed at the same time. Another one is refused with reply 1.",
    )
    .topic(Topic::Limits)
    .default("256"),
    Param::new(
        "max-targets",
        ValueKind::Int(1, 1 << 16),
        "The maximum number of sessions of datagrams of one client. When it is reached, a new target replaces the one that \
         has been silent for longest.",
    )
    .topic(Topic::Limits)
    .default("256"),
];

const SENDING: &[Param] = &[
    ENDPOINT,
    Param::new(
        "host",
        ValueKind::Text,
        "The host to send to. The proxy resolves a name; with `allow`, it is resolved locally. With `allow`, it may contain \
         facts about the client.",
    )
    .fillable()
    .required(),
    PORT,
    ALLOW,
    login::USER,
    login::PASSWORD,
    login::PASSWORD_FILE,
    TIMEOUT,
    Param::new(
        "max-message",
        ValueKind::Size,
        "The maximum size of a message to send, including all its fragments; a longer one ends the session (close code 1009 \
         over `ws`). A datagram over IPv4 holds 65,507 bytes, less a header of up to 262.",
    )
    .topic(Topic::Limits)
    .default("64k"),
];

const CONNECTING: &[Param] = &[
    ENDPOINT,
    Param::new(
        "host",
        ValueKind::Text,
        "The destination host. The proxy resolves a name; with `allow`, or in version 4, it is resolved locally. \
         With `allow`, it may contain facts about the client.",
    )
    .fillable()
    .required(),
    PORT,
    ALLOW,
    Param::new("version", ValueKind::Choice(&["5", "4a", "4"]), "The version of the SOCKS protocol.").default("5"),
    login::USER,
    login::PASSWORD,
    login::PASSWORD_FILE,
    TIMEOUT,
];

fn listen(args: &Args) -> Planned<Arc<dyn ServeLayer>> {
    let limit = limit(args, "handshake-timeout")?;
    let place = Place::read(args)?;
    let number = |name| {
        let number = args.int(name).and_then(|number| usize::try_from(number).ok());
        number.expect("it has a default, and is limited")
    };
    let policy = Policy {
        most: number("max-associations"),
        place,
        sessions: Limits {
            peers: number("max-targets"),
            idle: args.duration("idle").filter(|idle| *idle > Duration::ZERO),
            // The system refuses what no datagram holds.
            message: LARGEST,
        },
    };
    let associations = args.flag("udp").then_some(policy);
    Ok(Arc::new(Serve { auth: Auth::read(args)?, limit, associations }))
}

fn connect(args: &Args) -> Planned<Arc<dyn DialLayer>> {
    let mut mistakes = Vec::new();
    let version = match args.text("version") {
        Some("4") => Version::V4,
        Some("4a") => Version::V4a,
        _ => Version::V5,
    };
    let family = if version == Version::V4 { Family::V4 } else { Family::Any };
    let destination = Destination::read(args, family).map_err(|found| mistakes.extend(found));
    let login = Login::read(args).map_err(|mistake| mistakes.push(mistake));
    if version != Version::V5 {
        let given = ["password", "password-file"].into_iter().find(|name| args.is_given(name));
        if let Some(name) = given {
            let message = "SOCKS 4 has no passwords, only `user`";
            mistakes.push(args.mistake(name, Code::BadValue, message));
        }
    }
    let limit = limit(args, "timeout").map_err(|found| mistakes.extend(found));
    match (destination, login, limit) {
        (Ok(destination), Ok(login), Ok(limit)) if mistakes.is_empty() => {
            let proxy = Proxy { label: args.descriptor.clone(), version, login, limit };
            Ok(Arc::new(Dial { proxy, destination }))
        }
        _ => Err(mistakes),
    }
}

fn send(args: &Args) -> Planned<Arc<dyn DialLayer>> {
    let mut mistakes = Vec::new();
    let destination = Destination::read(args, Family::Any).map_err(|found| mistakes.extend(found));
    let login = Login::read(args).map_err(|mistake| mistakes.push(mistake));
    let limit = limit(args, "timeout").map_err(|found| mistakes.extend(found));
    let most = args.int("max-message").and_then(|most| usize::try_from(most).ok());
    match (destination, login, limit) {
        (Ok(destination), Ok(login), Ok(limit)) if mistakes.is_empty() => {
            let (label, version) = (args.descriptor.clone(), Version::V5);
            let proxy = Proxy { label, version, login, limit };
            Ok(Arc::new(Relayed { proxy, destination, most: most.unwrap_or(usize::MAX) }))
        }
        _ => Err(mistakes),
    }
}

/// No datagram over IP holds more.
const LARGEST: usize = 64 * 1024;
