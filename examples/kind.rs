//! Two new kinds: a layer `rot13:` over any byte stream, and a leaf `clock:`.
//!
//! `kind -e 9000 -d rot13:{echo}` forwards with them; so does any descriptor that names them, such as
//! `rot13:{tcp:localhost:9000}` or `clock:tick=1s`. `kind help clock` describes one.

use std::io;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use async_trait::async_trait;
use endpointforward::kind::{
    Args, Example, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, Takes, ValueKind,
};
use endpointforward::{
    Bound, ByteStream, Conn, Connector, Context, DialLayer, End, EndpointError, Grants, Info, Life,
    Local, Offer, Offers, Plain, ServeLayer, Transport, pass_on, registry,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};

/// `rot13:{ENDPOINT}`: rotates letters by 13 places, in both directions.
static ROT13: Kind = Kind {
    listen: Some(Side::bytes(BENEATH, PlanListen::Layer(Takes::Bytes, plan_serve))),
    connect: Some(Side::bytes(BENEATH, PlanConnect::Layer(Takes::Bytes, plan_dial))),
    examples: &[Example {
        role: Role::Connect,
        descriptor: "rot13:{tcp:localhost:9000}",
        about: "Talks to a server that hides what it says.",
    }],
    ..Kind::new("rot13", "Letters moved by 13 places, over any stream of bytes")
};

const BENEATH: &[Param] =
    &[Param::new("endpoint", ValueKind::Endpoint, "The endpoint beneath.").positional().required()];

/// `clock:`: sends the same text over and over, and reads nothing.
static CLOCK: Kind = Kind {
    connect: Some(Side::bytes(
        &[
            Param::new("tick", ValueKind::Duration, "The time between two ticks.").default("1"),
            Param::new("ticks", ValueKind::Int(1, 1_000_000), "How many there are.").default("10"),
        ],
        PlanConnect::Leaf(plan_clock),
    )),
    ..Kind::new("clock", "Ticks, and the end")
};

/// The whole command with two additional kinds: `explain`, `help rot13`, completions, the log.
fn main() -> ExitCode {
    endpointforward::command(registry().add(&ROT13).add(&CLOCK))
}

// === rot13 ===

fn plan_serve(_: &Args) -> Planned<Arc<dyn ServeLayer>> {
    Ok(Arc::new(Rot13))
}

fn plan_dial(_: &Args) -> Planned<Arc<dyn DialLayer>> {
    Ok(Arc::new(Rot13))
}

/// There is no state, so one type is the planned layer, the bound one and the dialled one.
#[derive(Debug)]
struct Rot13;

#[async_trait]
impl DialLayer for Rot13 {
    async fn dial(&self, _: &Context, conn: Conn, _: &Info) -> Result<Conn, EndpointError> {
        Ok(over(conn))
    }
}

#[async_trait]
impl ServeLayer for Rot13 {
    async fn bind(&self, _: &Context, local: &Local) -> Result<Arc<dyn Bound>, EndpointError> {
        let mut own = Local::new(format!("rot13:{{{}}}", local.descriptor));
        own.address = local.address;
        Ok(Arc::new(Rot13Bound(own)))
    }
}

struct Rot13Bound(Local);

impl Bound for Rot13Bound {
    fn local(&self) -> &Local {
        &self.0
    }

    fn serve(&self, conn: Conn) -> Box<dyn Offers> {
        Box::new(One(Some(Offer::open(over(conn)))))
    }
}

/// There is no handshake: one connection is one offer.
struct One(Option<Offer>);

#[async_trait]
impl Offers for One {
    async fn next(&mut self) -> Result<Option<Offer>, EndpointError> {
        Ok(self.0.take())
    }
}

fn over(mut conn: Conn) -> Conn {
    let inner = conn.transport.into_bytes();
    conn.transport = Transport::Bytes(Box::new(Turned { inner, unsent: Vec::new() }));
    conn
}

struct Turned {
    inner: Box<dyn ByteStream>,
    /// Rotated data that was taken from the writer: at most one piece.
    unsent: Vec<u8>,
}

impl Turned {
    fn poll_send(&mut self, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            match Pin::new(&mut *self.inner).poll_write(cx, &self.unsent) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(sent)) => drop(self.unsent.drain(..sent)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Turned {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        let read = Pin::new(&mut *self.inner).poll_read(cx, buf);
        turn(&mut buf.filled_mut()[start..]);
        read
    }
}

impl AsyncWrite for Turned {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.poll_send(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        let piece = &buf[..buf.len().min(8192)];
        self.unsent.extend_from_slice(piece);
        turn(&mut self.unsent);
        // The next write or flush sends the rest.
        if let Poll::Ready(Err(error)) = self.poll_send(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        match self.poll_send(cx) {
            Poll::Ready(Ok(())) => Pin::new(&mut *self.inner).poll_flush(cx),
            unsent => unsent,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

/// Passes everything on to the stream beneath.
impl Life for Turned {
    pass_on!(inner: poll_background, poll_ahead, peer, keep_little, linger, poll_close);
    pass_on!(inner: close_timeout, ending, end);

    fn poll_finish(&mut self, cx: &mut Task<'_>, end: &End) -> Poll<io::Result<()>> {
        match self.poll_send(cx) {
            Poll::Ready(Ok(())) => self.inner.poll_finish(cx, end),
            unsent => unsent,
        }
    }
}

fn turn(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = match *byte {
            b'A'..=b'M' | b'a'..=b'm' => *byte + 13,
            b'N'..=b'Z' | b'n'..=b'z' => *byte - 13,
            other => other,
        };
    }
}

// === clock ===

fn plan_clock(args: &Args) -> Planned<Box<dyn Connector>> {
    let tick = args.duration("tick").expect("`tick` has a default");
    let ticks = args.int("ticks").expect("`ticks` has a default");
    Ok(Box::new(Clock { tick, ticks }))
}

#[derive(Debug)]
struct Clock {
    tick: Duration,
    ticks: u64,
}

#[async_trait]
impl Connector for Clock {
    async fn connect(&self, _: &Context, _: &Info) -> Result<Conn, EndpointError> {
        // Any reader and writer can be a connection.
        let (ours, mut clock) = duplex(64);
        let (tick, ticks) = (self.tick, self.ticks);
        tokio::spawn(async move {
            for number in 1..=ticks {
                tokio::time::sleep(tick).await;
                if clock.write_all(format!("tick {number}\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        Ok(Conn::bytes(Plain::new(ours), Info::new()))
    }

    fn grants(&self) -> Grants {
        Grants::Nothing
    }
}
