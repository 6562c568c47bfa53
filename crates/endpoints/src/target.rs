//! `target:…`: a connection or datagrams, whichever the client asks for.

use std::time::Duration;

use async_trait::async_trait;
use descriptor::{Descriptor, Template, Text};
use endpoint::info::Target as Asked;
use endpoint::{Conn, Connector, Context, Error, ErrorKind, Grants, Info, Missing, Result};
use plan::kind::{
    Args, Assemble, Example, Kind, Param, PlanConnect, Planned, Role, Shape, Side, ValueKind,
};

use crate::destination::ALLOW;

/// The destination that the client requests.
pub(crate) static KIND: Kind = Kind {
    connect: Some(Side { gives: Shape::Either, ..Side::bytes(PARAMS, PlanConnect::Over(plan)) }),
    rewrite: Some(rewrite),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "target:allow={*.example.com,10.0.0.0/8}",
            about: "Connects to the destination that a client of Wisp, ws2s, SOCKS or HTTP CONNECT requests, if it is \
                    listed.",
        },
        Example {
            role: Role::Connect,
            descriptor: "target:address={${http.query.address}}:allow={*.neon.example:5432}",
            about: "Connects to the address in a WebSocket's query, as sent by Neon's driver: `/v1?address=HOST:PORT`.",
        },
        Example {
            role: Role::Connect,
            descriptor: "target:{tcp:${target.host}:${target.port}:allow=*:via={socks5://127.0.0.1:9050}}:udp={udp:192.0.2.53:53}",
            about: "Connects through Tor, and sends all datagrams to a name server.",
        },
    ],
    see_also: &["wisp", "socks5", "tcp", "udp"],
    ..Kind::new("target", "The destination that the client requests, by TCP or UDP")
};

const PARAMS: &[Param] = &[
    Param::new(
        "tcp",
        ValueKind::Connector,
        "The destination of clients that request a connection. With `allow` and \
        without `tcp` and `udp`, it is the address that the client requests, by either protocol.",
    )
    .positional()
    .required(),
    Param::new(
        "udp",
        ValueKind::Connector,
        "The destination of clients that request datagrams. Without it, they are refused.",
    ),
    Param::new(
        "address",
        ValueKind::Template,
        "The requested address as `HOST:PORT`, for clients whose protocol has no request for a destination, but whose \
         URL or headers contain one.",
    ),
    ALLOW,
];

/// With an address or without one, `target:allow=A` is
/// `target:{tcp:${target.host}:${target.port}:allow=A}:udp={udp:${target.host}:${target.port}:allow=A}`.
fn rewrite(descriptor: &Descriptor, role: Role) -> Option<Descriptor> {
    let (name, allow) = descriptor.kwargs.iter().find(|(name, _)| name.as_str() == ALLOW.name)?;
    let is_rest = |(name, _): &&(Text, Text)| name.as_str() != ALLOW.name;
    let has_udp = descriptor.kwargs.iter().any(|(name, _)| name.as_str() == "udp");
    if role != Role::Connect || descriptor.args.len() > 1 || has_udp {
        return None;
    }
    let at = name.span();
    let place = |kind: &str| {
        let hole = |name: &str| Text::synthetic(name, at);
        let inner = Descriptor::new(Text::synthetic(kind, at))
            .arg(hole("${target.host}"))
            .arg(hole("${target.port}"))
            .kwarg(ALLOW.name, allow.clone());
        Text::synthetic(&inner.to_string(), allow.span())
    };
    let mut outer = Descriptor::new(descriptor.kind()?.clone());
    outer.kwargs = descriptor.kwargs.iter().filter(is_rest).cloned().collect();
    Some(outer.arg(place("tcp")).kwarg("udp", place("udp")))
}

fn plan(args: &Args) -> Planned<Assemble<dyn Connector>> {
    if args.is_given(ALLOW.name) {
        let message = "`allow` must be set on the endpoints `tcp` and `udp` if they are given";
        let mistake = args.mistake(ALLOW.name, descriptor::Code::BadValue, message);
        return Err(vec![
            mistake.help("or omit them: `target:allow=…` alone connects by TCP and UDP"),
        ]);
    }
    let descriptor = args.descriptor.clone();
    let address = args.template("address").cloned();
    Ok(Box::new(move |mut beneath| {
        let tcp = beneath.connector("tcp");
        Box::new(Target { descriptor, address, tcp, udp: beneath.connectors("udp").pop() })
    }))
}

#[derive(Debug)]
struct Target {
    descriptor: String,
    address: Option<Template>,
    tcp: Box<dyn Connector>,
    udp: Option<Box<dyn Connector>>,
}

#[async_trait]
impl Connector for Target {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let named = self.address.as_ref().map(|address| self.named(address, info)).transpose()?;
        let info = named.as_ref().unwrap_or(info);
        match (&self.udp, info.get::<Asked>().is_some_and(|asked| asked.datagrams)) {
            (_, false) => self.tcp.connect(cx, info).await,
            (Some(udp), true) => udp.connect(cx, info).await,
            (None, true) => {
                let words = "the client requests datagrams, but `udp` is not set";
                Err(self.error(ErrorKind::Forbidden, words))
            }
        }
    }

    fn patience(&self) -> Option<Duration> {
        let udp = self.udp.as_ref().and_then(|udp| udp.patience());
        self.tcp.patience().max(udp)
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        let mut all = Missing::within("tcp", 0, self.tcp.missing(cx));
        if let Some(udp) = &self.udp {
            all.extend(Missing::within("udp", 0, udp.missing(cx)));
        }
        all
    }

    fn takes_datagrams(&self) -> bool {
        self.udp.is_some()
    }

    fn grants(&self) -> Grants {
        let udp = self.udp.as_ref().map(|udp| udp.grants());
        udp.unwrap_or(Grants::Nothing).max(self.tcp.grants())
    }
}

impl Target {
    /// Returns the facts about the client, with the requested address.
    fn named(&self, address: &Template, info: &Info) -> Result<Info> {
        let text = address
            .fill(&|root: &str, name: &str| info.lookup(root, name))
            .map_err(|missing| self.error(ErrorKind::Unrouted, &missing.to_string()))?;
        // An IPv6 address stands in brackets, which the destination takes off.
        let (host, port) = text
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host, port.parse().ok()?)))
            .filter(|(host, port)| !host.is_empty() && *port > 0)
            .ok_or_else(|| {
                self.error(ErrorKind::Forbidden, "the requested address is not `HOST:PORT`")
            })?;
        Ok(info.clone().with(Asked::new(host, port)))
    }

    fn error(&self, kind: ErrorKind, words: &str) -> Error {
        Error::new(kind, "connect", &*self.descriptor, words)
    }
}
