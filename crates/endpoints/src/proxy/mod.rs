//! `proxy:ENDPOINT`: the PROXY protocol over any stream of bytes.
//!
//! [`serve`] reads the header before a connection's data and accepts it if it comes from a trusted proxy; [`dial`]
//! writes one with the facts about the client. [`fact`] has the facts of a header besides the addresses.

mod dial;
mod fact;
mod serve;

use std::sync::Arc;

use descriptor::{Code, Descriptor};
use endpoint::{DialLayer, ServeLayer};
use plan::kind::{
    Alias, Args, Example, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, Takes, Topic,
    ValueKind,
};
use proxy_protocol::Version;

use self::dial::Dial;
use self::serve::Serve;
use crate::trusted::Trusted;

/// The PROXY protocol.
pub(crate) static KIND: Kind = Kind {
    aliases: &[Alias {
        name: "haproxy",
        defaults: &[],
        params: &[],
        about: "as in Twisted, the endpoint to run over needs no quoting: `haproxy:tcp:80`",
    }],
    listen: Some(Side::bytes(LISTENING, PlanListen::Layer(Takes::Bytes, listen))),
    connect: Some(Side::bytes(CONNECTING, PlanConnect::Layer(Takes::Bytes, connect))),
    rewrite: Some(flattened),
    facts: fact::FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "proxy:{tcp:9000}:trusted=10.0.0.0/8",
            about: "Accepts connections from load balancers in this network only; the header names the session's \
                client.",
        },
        Example {
            role: Role::Listen,
            descriptor: "proxy:{unix:/run/forward}:required=false",
            about: "Accepts clients with a header or without one, such as those of an older proxy.",
        },
        Example {
            role: Role::Listen,
            descriptor: "haproxy:tcp:80:interface=127.0.0.1",
            about: "Twisted's spelling.",
        },
        Example {
            role: Role::Connect,
            descriptor: "proxy:{tcp:127.0.0.1:8080}",
            about: "Sends the client's address to the destination.",
        },
        Example {
            role: Role::Connect,
            descriptor: "proxy:{unix:/run/backend}:send=v1",
            about: "The same with version 1, a line of text.",
        },
    ],
    see_also: &["tcp", "tls", "ws"],
    ..Kind::new(
        "proxy",
        "The PROXY protocol, by which proxies and load balancers pass on the client's address",
    )
};

const ENDPOINT: Param = Param::new("endpoint", ValueKind::Endpoint, "The endpoint to run over.")
    .positional()
    .required();

const LISTENING: &[Param] = &[
    ENDPOINT,
    Param::new(
        "trusted",
        ValueKind::List,
        "The addresses of trusted proxies: networks such as `10.0.0.0/8`, addresses, `loopback`, `private` \
         (loopback, RFC 1918 and similar networks), `unix` (all clients of a Unix socket), or `any`.",
    )
    .topic(Topic::Access)
    .default("loopback,unix"),
    Param::new(
        "required",
        ValueKind::Bool,
        "Close connections that have no header or come from a peer that isn't `trusted`. `false` accepts them as \
         ordinary connections: data of an untrusted peer is never read as a header, and a trusted peer that is \
         silent for 1 s counts as one without a header. If the destination is a program or a device, such a client \
         has to send first, and web browsers are refused.",
    )
    .topic(Topic::Access)
    .default("true"),
    Param::new(
        "handshake-timeout",
        ValueKind::Duration,
        "The time limit for receiving the header.",
    )
    .topic(Topic::Limits)
    .default("10"),
];

const CONNECTING: &[Param] = &[
    ENDPOINT,
    Param::new(
        "send",
        ValueKind::Choice(&["v1", "v2"]),
        "The version of the header. It contains the client's address, as reported by a trusted proxy if there is \
         one, and the address that the client connected to. `v2` also carries Unix sockets, and facts about the \
         client's TLS: version, ALPN, server name, and whether it sent a certificate. A client without an address, \
         such as standard input, is `UNKNOWN` in `v1` and `LOCAL` in `v2`.",
    )
    .default("v2"),
];

fn listen(args: &Args) -> Planned<Arc<dyn ServeLayer>> {
    let mut mistakes = Vec::new();
    let trusted = Trusted::read(args).map_err(|mistake| mistakes.push(mistake)).unwrap_or_default();
    if mistakes.is_empty() && !trusted.is_somebody() {
        let message = "`trusted` is empty, so no header would be accepted";
        mistakes.push(args.mistake("trusted", Code::BadValue, message));
    }
    let limit = args.duration("handshake-timeout").unwrap_or_default();
    if limit.is_zero() {
        let message =
            "`handshake-timeout` must be more than 0: otherwise a silent peer is never closed";
        mistakes.push(args.mistake("handshake-timeout", Code::BadValue, message));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Arc::new(Serve { trusted, required: args.flag("required"), limit }))
}

fn connect(args: &Args) -> Planned<Arc<dyn DialLayer>> {
    let version = if args.text("send") == Some("v1") { Version::V1 } else { Version::V2 };
    Ok(Arc::new(Dial { label: args.descriptor.clone(), version }))
}

/// Twisted's `haproxy:tcp:80:interface=…`: all that follows is the endpoint beneath, as it stands.
fn flattened(descriptor: &Descriptor, _: Role) -> Option<Descriptor> {
    let kind = descriptor.kind().filter(|kind| kind.as_str().eq_ignore_ascii_case("haproxy"))?;
    let rest = descriptor.rest().filter(|_| descriptor.args.len() > 2)?;
    Some(Descriptor::new(kind.clone()).arg(rest))
}
