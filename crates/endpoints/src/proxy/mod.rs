//! `proxy:ENDPOINT`: the PROXY protocol over any stream of bytes.
//!
//! [`serve`] reads the header in front of a connection and believes it if it comes from a trusted proxy; [`dial`] writes
//! one with what is known about the client. [`fact`] is what a header says beside addresses.

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
        about: "as in Twisted, the endpoint beneath need not be quoted: `haproxy:tcp:80`",
    }],
    listen: Some(Side::bytes(LISTENING, PlanListen::Layer(Takes::Bytes, listen))),
    connect: Some(Side::bytes(CONNECTING, PlanConnect::Layer(Takes::Bytes, connect))),
    rewrite: Some(flattened),
    facts: fact::FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "proxy:{tcp:9000}:trusted=10.0.0.0/8",
            about: "Takes connections from balancers in this network, and no others; a session's client is the one that they name.",
        },
        Example {
            role: Role::Listen,
            descriptor: "proxy:{unix:/run/forward}:required=false",
            about: "Takes clients with a header and without one, such as an older proxy's.",
        },
        Example {
            role: Role::Listen,
            descriptor: "haproxy:tcp:80:interface=127.0.0.1",
            about: "Twisted's spelling.",
        },
        Example {
            role: Role::Connect,
            descriptor: "proxy:{tcp:127.0.0.1:8080}",
            about: "Tells the destination who the client is.",
        },
        Example {
            role: Role::Connect,
            descriptor: "proxy:{unix:/run/backend}:send=v1",
            about: "The same in version 1, a line of text.",
        },
    ],
    see_also: &["tcp", "tls", "ws"],
    ..Kind::new(
        "proxy",
        "The PROXY protocol, with which proxies and balancers tell who their client is",
    )
};

const ENDPOINT: Param =
    Param::new("endpoint", ValueKind::Endpoint, "The endpoint beneath.").positional().required();

const LISTENING: &[Param] = &[
    ENDPOINT,
    Param::new(
        "trusted",
        ValueKind::List,
        "Which proxies are believed, by their addresses: networks such as `10.0.0.0/8`, addresses, `loopback`, `private` \
         (networks of RFC 1918 and the like, and loopback), `unix` (whoever connects to a Unix socket), or `any`.",
    )
    .topic(Topic::Access)
    .default("loopback,unix"),
    Param::new(
        "required",
        ValueKind::Bool,
        "Whether a connection without a header, or from a peer that isn't `trusted`, is closed. With `false` it is an \
         ordinary one: what a peer that isn't trusted sends is never read as a header, and a trusted one that is silent \
         for 1 s sends none. In front of a program or a device, such a client has to speak first, and a web browser is \
         refused.",
    )
    .topic(Topic::Access)
    .default("true"),
    Param::new(
        "handshake-timeout",
        ValueKind::Duration,
        "The time that the header may take.",
    )
    .topic(Topic::Limits)
    .default("10"),
];

const CONNECTING: &[Param] = &[
    ENDPOINT,
    Param::new(
        "send",
        ValueKind::Choice(&["v1", "v2"]),
        "The version of the header. It has the client's address, also one that a trusted proxy has told us, and the \
         address that it connected to. `v2` has Unix sockets too, and what is known about the client's TLS: version, \
         ALPN, server name, whether it showed a certificate. A client without an address, such as standard input, is \
         `UNKNOWN` in `v1` and `LOCAL` in `v2`.",
    )
    .default("v2"),
];

fn listen(args: &Args) -> Planned<Arc<dyn ServeLayer>> {
    let mut mistakes = Vec::new();
    let trusted = Trusted::read(args).map_err(|mistake| mistakes.push(mistake)).unwrap_or_default();
    if mistakes.is_empty() && !trusted.is_somebody() {
        let message = "`trusted` names nobody, and a header is believed from somebody named alone";
        mistakes.push(args.mistake("trusted", Code::BadValue, message));
    }
    let limit = args.duration("handshake-timeout").unwrap_or_default();
    if limit.is_zero() {
        let message =
            "`handshake-timeout` must be more than 0: a silent peer would be waited for for ever";
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
