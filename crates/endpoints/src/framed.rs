//! `framed:{ENDPOINT}:by=FRAMING`: a stream of bytes as one of messages, whatever gives the bytes.

use std::sync::Arc;

use async_trait::async_trait;
use endpoint::{Bound, Conn, Context, DialLayer, Info, Local, Offer, Offers, Result, ServeLayer};
use plan::kind::{
    Args, Example, FRAMING, Framings, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side,
    Takes, Topic, ValueKind,
};

use crate::frames::{FRAMINGS, framed};

/// Messages in a stream of bytes.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::messages(PARAMS, PlanListen::Layer(Takes::Bytes, plan_serve))),
    connect: Some(Side::messages(PARAMS, PlanConnect::Layer(Takes::Bytes, plan_dial))),
    framings: FRAMINGS,
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "framed:{tcp:127.0.0.1:10110}:by=lines",
            about: "Each line of a server, such as an NMEA sentence, is a message of text to a WebSocket client.",
        },
        Example {
            role: Role::Connect,
            descriptor: "framed:{tcp:192.0.2.7:502}:by=length:width=2:offset=4:header=keep",
            about: "Each message is a Modbus request or answer, with its header.",
        },
        Example {
            role: Role::Connect,
            descriptor: "framed:{tcp:192.0.2.7:53}:by=length:width=2",
            about: "DNS over TCP: the length in front of each message is taken off, and added.",
        },
        Example {
            role: Role::Listen,
            descriptor: "framed:{tcp:9000}:separator=%0D%0A%0D%0A:max=64k",
            about: "What clients send is taken apart at empty lines.",
        },
        Example {
            role: Role::Connect,
            descriptor: "framed:{serial:/dev/ttyUSB0:115200}:in=slip:out=lines",
            about: "SLIP packets are read, and lines are written.",
        },
        Example {
            role: Role::Connect,
            descriptor: "framed:9000:by=json:timeout=5s:partial=drop",
            about: "A value that isn't complete after 5 s is dropped.",
        },
    ],
    see_also: &["ws", "process", "udp"],
    ..Kind::new("framed", "Messages in a stream of bytes, taken apart by a framing")
};

const PARAMS: &[Param] = &[
    Param::new("endpoint", ValueKind::Endpoint, "The endpoint beneath.").positional().required(),
    Param::new(
        "by",
        ValueKind::FramingBeside,
        "Where messages begin and end. Parameters of the framing stand beside it. Left out, it is the framing that a \
         parameter names, as `separator=%00` does.",
    )
    .positional(),
    // Those of every framing.
    with_topic(FRAMING[0], Topic::Messages),
    with_topic(FRAMING[1], Topic::Messages),
    with_topic(FRAMING[2], Topic::Limits),
    with_topic(FRAMING[3], Topic::Limits),
    with_topic(FRAMING[4], Topic::Limits),
];

const fn with_topic(param: Param, topic: Topic) -> Param {
    param.topic(topic)
}

fn plan_serve(args: &Args) -> Planned<Arc<dyn ServeLayer>> {
    Ok(Arc::new(Layer(args.framing_beside("by")?)))
}

fn plan_dial(args: &Args) -> Planned<Arc<dyn DialLayer>> {
    Ok(Arc::new(Layer(args.framing_beside("by")?)))
}

#[derive(Clone, Debug)]
struct Layer(Framings);

#[async_trait]
impl DialLayer for Layer {
    async fn dial(&self, _: &Context, conn: Conn, _: &Info) -> Result<Conn> {
        Ok(framed(conn, Some(&self.0)))
    }
}

#[async_trait]
impl ServeLayer for Layer {
    async fn bind(&self, _: &Context, local: &Local) -> Result<Arc<dyn Bound>> {
        let mut local = local.clone();
        local.descriptor = format!("framed:{{{}}}", local.descriptor);
        Ok(Arc::new(Serving { layer: self.clone(), local }))
    }
}

struct Serving {
    layer: Layer,
    local: Local,
}

impl Bound for Serving {
    fn local(&self) -> &Local {
        &self.local
    }

    fn serve(&self, conn: Conn) -> Box<dyn Offers> {
        Box::new(One(Some(Offer::open(framed(conn, Some(&self.layer.0))))))
    }
}

/// The one offer of a connection.
struct One(Option<Offer>);

#[async_trait]
impl Offers for One {
    async fn next(&mut self) -> Result<Option<Offer>> {
        Ok(self.0.take())
    }
}
