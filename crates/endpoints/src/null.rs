//! `null` and `zero`: an endpoint that discards everything and sends nothing, and one that sends
//! zeros for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use endpoint::{
    ByteStream, Conn, Connector, End, Grants, Info, Life, MessageStream, Part, Result, Times,
};
use futures_core::Stream;
use futures_sink::Sink;
use plan::kind::{Args, Example, Kind, PlanConnect, Planned, Role, Side};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Takes everything.
pub(crate) static NULL: Kind = Kind {
    listen: Some(Side::opened(Times::Once)),
    connect: Some(Side::messages(&[], PlanConnect::Leaf(plan_null))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "null",
            about: "Discards everything that clients send, and sends nothing.",
        },
        Example {
            role: Role::Listen,
            descriptor: "null",
            about: "Starts one session, sends nothing, and discards what the destination sends.",
        },
    ],
    see_also: &["zero", "echo"],
    ..Kind::new(
        "null",
        "Discards everything it receives, sends nothing, and ends when the other side ends",
    )
};

/// Zeros for ever.
pub(crate) static ZERO: Kind = Kind {
    listen: Some(Side::opened(Times::Once)),
    connect: Some(Side::bytes(&[], PlanConnect::Leaf(plan_zero))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "zero",
            about: "Sends zeros to clients as fast as they read, for measurements.",
        },
        Example {
            role: Role::Listen,
            descriptor: "zero",
            about: "Sends zeros to the destination as fast as it reads, in one session.",
        },
    ],
    see_also: &["null", "echo"],
    ..Kind::new("zero", "Sends zero bytes without end, and discards everything it receives")
};

fn plan_null(_: &Args) -> Planned<Box<dyn Connector>> {
    Ok(Box::new(To::Null))
}

fn plan_zero(_: &Args) -> Planned<Box<dyn Connector>> {
    Ok(Box::new(To::Zero))
}

#[derive(Debug)]
enum To {
    Null,
    Zero,
}

#[async_trait]
impl Connector for To {
    async fn connect(&self, _: &endpoint::Context, _: &Info) -> Result<Conn> {
        let sink = |zeros| Void { zeros, is_finished: false, reader: None };
        Ok(match self {
            Self::Null => Conn::messages(sink(false), Info::new()),
            Self::Zero => Conn::bytes(sink(true), Info::new()),
        })
    }

    fn grants(&self) -> Grants {
        Grants::Nothing
    }
}

/// An endpoint that sends zeros, or nothing. Its end is the answer to ours.
struct Void {
    zeros: bool,
    is_finished: bool,
    reader: Option<Waker>,
}

impl Void {
    fn poll_end(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.is_finished {
            return Poll::Ready(());
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Stream for Void {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_end(cx).map(|()| None)
    }
}

impl Sink<Part> for Void {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, _: Part) -> io::Result<()> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl AsyncRead for Void {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.zeros && !self.is_finished {
            let room = buf.remaining();
            buf.initialize_unfilled().fill(0);
            buf.advance(room);
            return Poll::Ready(Ok(()));
        }
        self.poll_end(cx).map(Ok)
    }
}

impl AsyncWrite for Void {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Void {
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        self.is_finished = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl MessageStream for Void {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        self
    }
}
