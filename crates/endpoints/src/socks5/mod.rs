//! `socks5:ENDPOINT`: SOCKS 4, 4a and 5 over any stream of bytes, both sides.
//!
//! [`serve`] takes a client's request and offers it, [`dial`] makes one to a proxy. The messages are the crate `socks`.

mod dial;
mod exchange;
mod serve;

use std::sync::Arc;

use descriptor::Code;
use endpoint::{DialLayer, ServeLayer};
use plan::kind::{
    Alias, Args, Example, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, Takes,
    ValueKind,
};
use socks::Version;

use self::dial::Dial;
use self::serve::Serve;
use crate::auth::{AUTH_BY_PASSWORD, Auth};
use crate::destination::{ALLOW, Destination, Family};
use crate::login::{self, Login};
use crate::through::{ENDPOINT, FACTS, HANDSHAKE_TIMEOUT, PORT, TIMEOUT, limit};

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
    listen: Some(Side::bytes(LISTENING, PlanListen::Layer(Takes::Bytes, listen))),
    connect: Some(Side::bytes(CONNECTING, PlanConnect::Layer(Takes::Bytes, connect))),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "socks5:1080",
            about: "Accepts clients of all versions on loopback. The destination to use: \
                `tcp:${target.host}:${target.port}:allow=*`.",
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
    see_also: &["http-connect", "tcp"],
    ..Kind::new("socks5", "SOCKS 4, 4a and 5: connects through a proxy, or acts as one")
};

const LISTENING: &[Param] = &[ENDPOINT, AUTH_BY_PASSWORD, HANDSHAKE_TIMEOUT];

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
    Ok(Arc::new(Serve { auth: Auth::read(args)?, limit }))
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
        (Ok(destination), Ok(login), Ok(limit)) if mistakes.is_empty() => Ok(Arc::new(Dial {
            label: args.descriptor.clone(),
            version,
            destination,
            login,
            limit,
        })),
        _ => Err(mistakes),
    }
}
