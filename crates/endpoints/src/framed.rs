//! `framed:{ENDPOINT}:by=FRAMING`: a stream of bytes as one of messages, whatever gives the bytes.

use std::sync::Arc;

use async_trait::async_trait;
use endpoint::{Conn, Context, DialLayer, Info, Listener, Mapped, Result};
use plan::kind::{
    Args, Assemble, Example, FRAMING, Framings, Kind, Param, PlanConnect, PlanListen, Planned,
    Role, Side, Takes, Topic, ValueKind,
};

use crate::frames::{FRAMINGS, framed};

/// Messages in a stream of bytes.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::framed),
    listen: Some(Side::messages(PARAMS, PlanListen::Over(plan_listen))),
    connect: Some(Side::messages(PARAMS, PlanConnect::Layer(Takes::Bytes, plan_dial))),
    framings: FRAMINGS,
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "framed:{tcp:127.0.0.1:10110}:by=lines",
            about: "Splits a server's output into lines, such as NMEA sentences; a WebSocket client gets each as a \
                text message.",
        },
        Example {
            role: Role::Connect,
            descriptor: "framed:{tcp:192.0.2.7:502}:by=length:width=2:offset=4:header=keep",
            about: "Passes on each Modbus request or answer as a message, with its header.",
        },
        Example {
            role: Role::Connect,
            descriptor: "framed:{tcp:192.0.2.7:53}:by=length:width=2",
            about: "Speaks DNS over TCP: the length before each message is removed from answers and added to \
                requests.",
        },
        Example {
            role: Role::Listen,
            descriptor: "framed:{tcp:9000}:separator=%0D%0A%0D%0A:max=64k",
            about: "Splits what clients send at empty lines.",
        },
        Example {
            role: Role::Connect,
            descriptor: "framed:{serial:/dev/ttyUSB0:115200}:in=slip:out=lines",
            about: "Reads SLIP packets, and writes lines.",
        },
        Example {
            role: Role::Connect,
            descriptor: "framed:9000:by=json:timeout=5s:partial=drop",
            about: "Drops a JSON value that is incomplete after a pause of 5 s.",
        },
    ],
    see_also: &["ws", "process", "udp"],
    ..Kind::new("framed", "A byte stream split into messages by a framing")
};

const PARAMS: &[Param] = &[
    Param::new("endpoint", ValueKind::Endpoint, "The endpoint to run over.").positional().required(),
    Param::new(
        "by",
        ValueKind::FramingBeside,
        "The framing that splits the byte stream into messages. The framing's parameters follow as parameters of \
         `framed`. By default, a parameter selects the framing, as `separator=%00` does.",
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

fn plan_listen(args: &Args) -> Planned<Assemble<dyn Listener>> {
    let framings = args.framing_beside("by")?;
    Ok(Box::new(move |mut beneath| {
        let inner = beneath.listener("endpoint");
        Box::new(Mapped::new("framed", inner, move |_, conn| {
            framed(conn, Some(&framings), &Info::new())
        }))
    }))
}

fn plan_dial(args: &Args) -> Planned<Arc<dyn DialLayer>> {
    Ok(Arc::new(Layer(args.framing_beside("by")?)))
}

#[derive(Clone, Debug)]
struct Layer(Framings);

#[async_trait]
impl DialLayer for Layer {
    async fn dial(&self, _: &Context, conn: Conn, info: &Info) -> Result<Conn> {
        Ok(framed(conn, Some(&self.0), info))
    }
}
