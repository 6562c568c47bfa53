//! `telnet:ENDPOINT`: telnet (RFC 854) over any stream of bytes, as the user's end of it.
//!
//! The near side sees a plain terminal: bytes, window sizes, breaks, and whether the far side echoes.
//! Options are negotiated by crate `telnet`; [`stream`] is the I/O around it.

mod stream;

use std::sync::Arc;

use async_trait::async_trait;
use descriptor::{Code, Descriptor, Text};
use endpoint::{Conn, Context, Control, DialLayer, Info, Result};
use plan::kind::{
    Args, Example, Kind, Param, PlanConnect, Planned, Role, Scheme, Side, Takes, ValueKind,
};
use telnet::{Settings, Size, Telnet, TerminalType};

use self::stream::TelnetStream;

/// Telnet.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::telnet),
    connect: Some(Side::bytes(PARAMS, PlanConnect::Layer(Takes::Bytes, plan))),
    schemes: &[Scheme::new("telnet", |url, _| {
        let port = url.port.clone().unwrap_or_else(|| Text::synthetic("23", url.host.span()));
        let inner = Descriptor::new(Text::synthetic("tcp", url.scheme.span()))
            .arg(url.host.clone())
            .arg(port);
        Ok(Descriptor::new(url.scheme.clone()).arg(inner.to_text()))
    })],
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "telnet:{tcp:192.0.2.1:23}",
            about: "Speaks telnet to a device, so the client doesn't have to.",
        },
        Example {
            role: Role::Connect,
            descriptor: "{telnet://192.0.2.1}:term=vt100",
            about: "The URL form, with a terminal type.",
        },
    ],
    see_also: &["tcp", "ws"],
    ..Kind::new("telnet", "The client side of telnet, over any byte stream")
};

const PARAMS: &[Param] = &[
    Param::new(
        "endpoint",
        ValueKind::Endpoint,
        "The endpoint to run over: the connection to the telnet server.",
    )
    .positional()
    .required(),
    Param::new("term", ValueKind::Text, "The terminal type to send to the server (RFC 1091).")
        .default("xterm-256color"),
];

fn plan(args: &Args) -> Planned<Arc<dyn DialLayer>> {
    let term = args.text("term").and_then(TerminalType::new).ok_or_else(|| {
        let message = "`term` must be a terminal's name: up to 40 letters, digits and `-_+./`";
        vec![args.mistake("term", Code::BadValue, message)]
    })?;
    Ok(Arc::new(Dial { term }))
}

/// The user's end, to be put over a connection.
#[derive(Debug)]
struct Dial {
    term: TerminalType,
}

#[async_trait]
impl DialLayer for Dial {
    async fn dial(&self, _: &Context, conn: Conn, info: &Info) -> Result<Conn> {
        let Conn { transport, info: known, control: _, guard } = conn;
        let settings = Settings {
            size: size(info),
            terminal_types: vec![self.term.clone()],
            ..Settings::default()
        };
        let (control, outgoing, incoming) = Control::pair();
        let telnet = Telnet::new(telnet::Role::Client, settings);
        let stream = TelnetStream::new(transport.into_bytes(), telnet, outgoing, incoming);
        let mut conn = Conn::bytes(stream, known);
        conn.control = control;
        conn.guard = guard;
        Ok(conn)
    }
}

/// Returns the size of the near side's terminal, if its request had one.
fn size(info: &Info) -> Option<Size> {
    let one = |name| info.lookup("http", name)?.parse::<u16>().ok().filter(|n| *n > 0);
    Some(Size { cols: one("query.cols")?, rows: one("query.rows")? })
}
