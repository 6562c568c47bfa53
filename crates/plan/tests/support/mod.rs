//! Kinds that exist only in tests: a leaf, a layer, a layer over messages, a flattened wrapper and
//! a program.

use std::sync::Arc;

use async_trait::async_trait;
use descriptor::{Descriptor, Text};
use endpoint::{
    Accept, Bound, Conn, Connector, Context, Error, ErrorKind, Exposure, Grants, Info, Listener,
    Local, Result, ServeLayer,
};
use plan::kind::{
    Alias, Args, FactName, Kind, Param, PlanConnect, PlanListen, Positional, Role, Scheme, Shape,
    Side, Takes, ValueKind,
};

pub(crate) static KINDS: &[&Kind] = &[&NET, &OVER, &RECORDS, &FLAT, &SHELL, &TIMED];

static NET: Kind = Kind {
    listen: Some(Side::bytes(
        &[
            Param::new("port", ValueKind::Port, "The port.").positional().required(),
            Param::new("interface", ValueKind::Text, "The address.").positional().default("any"),
            Param::new("backlog", ValueKind::Int(1, 65535), "The queue.")
                .positional()
                .default("50"),
        ],
        PlanListen::Leaf(|args| {
            let public = args.text("interface") == Some("any");
            let exposure = if public { Exposure::Public } else { Exposure::Loopback };
            Ok(Box::new(Nothing { exposure, grants: Grants::Service }))
        }),
    )),
    connect: Some(Side {
        positional: Positional::SkipNamed,
        ..Side::bytes(
            &[
                Param::new("host", ValueKind::Text, "The host.")
                    .positional()
                    .required()
                    .no_holes(&"a destination made of a peer's words needs an allow-list"),
                Param::new("port", ValueKind::Port, "The port.").positional().required(),
                Param::new("greeting", ValueKind::Template, "What it says first."),
            ],
            PlanConnect::Leaf(|_| {
                Ok(Box::new(Nothing { exposure: Exposure::Public, grants: Grants::Service }))
            }),
        )
    }),
    bare: Some(|text, _| {
        let digits = !text.as_str().is_empty() && text.as_str().bytes().all(|b| b.is_ascii_digit());
        digits.then(|| {
            Descriptor::new(Text::synthetic("net", text.span()))
                .arg(text.clone())
                .kwarg("interface", Text::synthetic("lo", text.span()))
        })
    }),
    ..Kind::new("net", "A leaf.")
};

static OVER: Kind = Kind {
    facts: &[
        FactName::new("http.path", "What is asked for."),
        FactName::new("http.header.NAME", "A header."),
        FactName::new("http.query.NAME", "A parameter."),
    ],
    aliases: &[Alias {
        name: "oldover",
        defaults: &[("path", "/old")],
        params: &[Param::new("debug", ValueKind::Bool, "Once meant something.")],
        about: "As it was.",
    }],
    listen: Some(Side::messages(
        &[
            Param::new("endpoint", ValueKind::Endpoint, "What it goes over.")
                .positional()
                .required(),
            Param::new("path", ValueKind::Text, "The path."),
            Param::new("token.", ValueKind::Text, "A secret.").prefix().secret(),
            Param::new(
                "squeeze",
                ValueKind::Switch(&[
                    Param::new("level", ValueKind::Int(1, 9), "How much.").default("1"),
                    Param::new("fair", ValueKind::Bool, "For all."),
                ]),
                "Whether to.",
            )
            .default("off"),
        ],
        PlanListen::Layer(Takes::Bytes, layer),
    )),
    schemes: &[Scheme::new("over", |url, _| {
        let port = url.port.clone().expect("the test's URL has a port");
        let inner = Descriptor::new(Text::synthetic("net", url.host.span()))
            .arg(port)
            .kwarg("interface", url.host.clone());
        Ok(Descriptor::new(url.scheme.clone()).arg(inner.to_text()).kwarg("path", url.path.clone()))
    })],
    ..Kind::new("over", "A layer that gives messages.")
};

static RECORDS: Kind = Kind {
    listen: Some(Side {
        gives: Shape::Messages,
        ..Side::bytes(
            &[Param::new("endpoint", ValueKind::Endpoint, "What it goes over.")
                .positional()
                .required()],
            PlanListen::Layer(Takes::Messages, layer),
        )
    }),
    ..Kind::new("records", "A layer over messages.")
};

static FLAT: Kind = Kind {
    rewrite: Some(|descriptor, role| {
        assert_eq!(role, Role::Listen);
        let rest = descriptor.rest()?;
        let kind = descriptor.kind()?;
        Some(Descriptor::new(Text::synthetic("over", kind.span())).arg(rest))
    }),
    ..Kind::new("flat", "A wrapper in Twisted's flattened spelling.")
};

static TIMED: Kind = Kind {
    listen: Some(Side::bytes(
        &[
            Param::new("wait", ValueKind::Duration, "How long."),
            Param::new("room", ValueKind::Size, "How much."),
        ],
        PlanListen::Leaf(|_| {
            Ok(Box::new(Nothing { exposure: Exposure::Local, grants: Grants::Nothing }))
        }),
    )),
    ..Kind::new("timed", "A leaf with a time and a size.")
};

static SHELL: Kind = Kind {
    connect: Some(Side::bytes(
        &[],
        PlanConnect::Leaf(|_| {
            Ok(Box::new(Nothing { exposure: Exposure::Local, grants: Grants::Program }))
        }),
    )),
    ..Kind::new("shell", "A program.")
};

fn layer(args: &Args) -> plan::kind::Planned<Arc<dyn ServeLayer>> {
    // A test sees what a kind reads through its warnings.
    if let Some(set) = args.switch("squeeze") {
        let level = set.int("level").expect("it has a default");
        args.warn("squeeze", "squeezed", format!("level {level}, fair {}", set.flag("fair")));
    }
    Ok(Arc::new(Nothing { exposure: Exposure::Local, grants: Grants::Nothing }))
}

/// Plans, and opens nothing.
#[derive(Debug)]
struct Nothing {
    exposure: Exposure,
    grants: Grants,
}

impl Nothing {
    fn error<T>(act: &'static str) -> Result<T> {
        Err(Error::new(ErrorKind::Other, act, "nothing", "it exists only to be planned"))
    }
}

#[async_trait]
impl Listener for Nothing {
    async fn bind(&self, _: &Context) -> Result<Box<dyn Accept>> {
        Self::error("bind")
    }

    fn exposure(&self) -> Exposure {
        self.exposure
    }
}

#[async_trait]
impl Connector for Nothing {
    async fn connect(&self, _: &Context, _: &Info) -> Result<Conn> {
        Self::error("connect")
    }

    fn grants(&self) -> Grants {
        self.grants
    }
}

#[async_trait]
impl ServeLayer for Nothing {
    async fn bind(&self, _: &Context, _: &Local) -> Result<Arc<dyn Bound>> {
        Self::error("bind")
    }
}
