//! `echo`: whatever is sent to it comes back.
//!
//! Messages come back as the messages that they were, text as text. It holds one part, or one
//! [`CHUNK`] of bytes: a client that doesn't read the echo is not read from.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use endpoint::{ByteStream, Conn, Connector, End, Grants, Info, Life, MessageStream, Part, Result};
use futures_core::Stream;
use futures_sink::Sink;
use plan::kind::{Args, Example, Kind, PlanConnect, Planned, Role, Side};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::queue::Queue;

/// The echo.
pub(crate) static KIND: Kind = Kind {
    connect: Some(Side::messages(&[], PlanConnect::Leaf(plan))),
    examples: &[Example {
        role: Role::Connect,
        descriptor: "echo",
        about: "Sends everything back; messages keep their boundaries.",
    }],
    see_also: &["mock", "mem"],
    ..Kind::new("echo", "Sends back everything it receives, for trials")
};

fn plan(_: &Args) -> Planned<Box<dyn Connector>> {
    Ok(Box::new(ToEcho))
}

#[derive(Debug)]
struct ToEcho;

#[async_trait]
impl Connector for ToEcho {
    async fn connect(&self, _: &endpoint::Context, _: &Info) -> Result<Conn> {
        // A capacity of one is room for one part at a time.
        Ok(Conn::messages(Echo { queue: Queue::new(1) }, Info::new()))
    }

    fn grants(&self) -> Grants {
        Grants::Nothing
    }
}

struct Echo {
    queue: Queue,
}

impl Stream for Echo {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue.poll_part(cx)
    }
}

impl Sink<Part> for Echo {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.queue.poll_room(cx))?;
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        self.queue.push(part);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl AsyncRead for Echo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.queue.poll_read(cx, buf)
    }
}

impl AsyncWrite for Echo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.queue.poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Echo {
    fn poll_finish(&mut self, _: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        self.queue.finish(end);
        Poll::Ready(Ok(()))
    }

    fn end(&mut self) -> End {
        self.queue.end()
    }
}

impl MessageStream for Echo {
    fn into_bytes(mut self: Box<Self>) -> Box<dyn ByteStream> {
        self.queue.set_capacity(CHUNK);
        self
    }
}

/// The size of one move of a splice.
const CHUNK: usize = 32 * 1024;
