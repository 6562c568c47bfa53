//! Two new kinds: a layer `rot13:` over any byte stream, and a leaf `clock:`.
//!
//! `kind -e 9000 -d rot13:{echo}` forwards with them; so does any descriptor that names them, such as
//! `rot13:{tcp:localhost:9000}` or `clock:tick=1s`. `kind help clock` describes one.

use std::io;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use endpointforward::kind::{
    Args, Assemble, Example, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, ValueKind,
};
use endpointforward::{
    ByteStream, Conn, Connector, Context, End, EndpointError, Grants, Info, Life, Listener, Mapped,
    Transport, async_trait, pass_on, registry,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};

/// `rot13:{ENDPOINT}`: rotates letters by 13 places, in both directions.
static ROT13: Kind = Kind {
    listen: Some(Side::bytes(BENEATH, PlanListen::Over(plan_listen))),
    connect: Some(Side::bytes(BENEATH, PlanConnect::Over(plan_connect))),
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

fn plan_listen(_: &Args) -> Planned<Assemble<dyn Listener>> {
    Ok(Box::new(|mut beneath| {
        Box::new(Mapped::new("rot13", beneath.listener("endpoint"), |_, conn| over(conn)))
    }))
}

fn plan_connect(_: &Args) -> Planned<Assemble<dyn Connector>> {
    Ok(Box::new(|mut beneath| {
        Box::new(Mapped::new("rot13", beneath.connector("endpoint"), |_, conn| over(conn)))
    }))
}

/// Changes an open connection. A layer with a handshake is a `ServeLayer` and a `DialLayer` instead.
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
        Ok(Conn::from_io(ours))
    }

    fn grants(&self) -> Grants {
        Grants::Nothing
    }
}
