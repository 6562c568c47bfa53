//! `http-connect:ENDPOINT`: tunnels by HTTP CONNECT over any stream of bytes, both sides.
//!
//! [`serve`] takes a client's request and offers it, [`dial`] makes one to a proxy. The heads are the crate `http-connect`.

mod dial;
mod serve;

use std::sync::Arc;

use descriptor::Code;
use endpoint::{DialLayer, ServeLayer};
use plan::kind::{
    Args, Example, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, Takes, ValueKind,
};

use self::dial::Dial;
use self::serve::Serve;
use crate::auth::{AUTH_BY_PASSWORD, Auth};
use crate::destination::{ALLOW, Destination, Family};
use crate::login::{self, Login};
use crate::through::{ENDPOINT, FACTS_AND_USER, HANDSHAKE_TIMEOUT, PORT, TIMEOUT, limit};

/// HTTP CONNECT.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::bytes(LISTENING, PlanListen::Layer(Takes::Bytes, listen))),
    connect: Some(Side::bytes(CONNECTING, PlanConnect::Layer(Takes::Bytes, connect))),
    facts: FACTS_AND_USER,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "http-connect:8080",
            about: "Listens as an HTTP proxy for tunnels on loopback. The destination to use is \
                `tcp:${target.host}:${target.port}:allow={*:443}`.",
        },
        Example {
            role: Role::Connect,
            descriptor: "http-connect:{tcp:proxy.example:3128}:host=example.com:port=443",
            about: "Connects through a proxy, which resolves the name.",
        },
        Example {
            role: Role::Connect,
            descriptor: "http-connect:{tls:{tcp:proxy.example:443}}:host=192.0.2.7:port=22:user=ada:password-file=/run/secrets/proxy",
            about: "Connects to the proxy over TLS, and authenticates to it.",
        },
    ],
    see_also: &["socks5", "tcp"],
    ..Kind::new("http-connect", "HTTP CONNECT: connects through an HTTP proxy, or acts as one")
};

const LISTENING: &[Param] = &[ENDPOINT, AUTH_BY_PASSWORD, HANDSHAKE_TIMEOUT];

const CONNECTING: &[Param] = &[
    ENDPOINT,
    Param::new(
        "host",
        ValueKind::Text,
        "The destination host. The proxy resolves a name; with `allow`, it is resolved locally, and may contain \
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
];

fn listen(args: &Args) -> Planned<Arc<dyn ServeLayer>> {
    let limit = limit(args, "handshake-timeout")?;
    Ok(Arc::new(Serve { auth: Auth::read(args)?, limit }))
}

fn connect(args: &Args) -> Planned<Arc<dyn DialLayer>> {
    let mut mistakes = Vec::new();
    let destination = Destination::read(args, Family::Any).map_err(|found| mistakes.extend(found));
    let login = Login::read(args).map_err(|mistake| mistakes.push(mistake));
    if args.text("user").is_some_and(|user| user.contains(':')) {
        let message = "`user` can't contain a colon, which ends the name in HTTP";
        mistakes.push(args.mistake("user", Code::BadValue, message));
    }
    let limit = limit(args, "timeout").map_err(|found| mistakes.extend(found));
    match (destination, login, limit) {
        (Ok(destination), Ok(login), Ok(limit)) if mistakes.is_empty() => {
            let label = args.descriptor.clone();
            Ok(Arc::new(Dial { label, destination, login, limit }))
        }
        _ => Err(mistakes),
    }
}
