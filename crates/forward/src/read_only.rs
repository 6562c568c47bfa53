//! A client that may only watch: its data is thrown away.
//!
//! It is read on, so that its end is seen and its answers to pings are; its signals, such as a window's size, are
//! dropped too.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endpoint::gate::Role;
use endpoint::{ByteStream, Conn, Life, MessageStream, Part, Transport, pass_on};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Returns the connection, deaf to its client if that may only watch.
pub(crate) fn read_only(mut conn: Conn) -> Conn {
    if conn.info.role() != Some(Role::ReadOnly) {
        return conn;
    }
    conn.control.outgoing = None;
    conn.transport = match conn.transport {
        Transport::Bytes(stream) => Transport::Bytes(Box::new(Deaf(stream))),
        Transport::Messages(stream) => Transport::Messages(Box::new(Deaf(stream))),
    };
    conn
}

/// A stream whose peer's data is discarded.
struct Deaf<S: ?Sized>(Box<S>);

impl AsyncRead for Deaf<dyn ByteStream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        for _ in 0..TURN {
            let mut thrown = [0; PIECE];
            // No more than was asked for: nothing here is larger than the caller's buffer.
            let length = PIECE.min(buf.remaining());
            let mut thrown = ReadBuf::new(&mut thrown[..length]);
            ready!(Pin::new(&mut *self.0).poll_read(cx, &mut thrown))?;
            if thrown.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl AsyncWrite for Deaf<dyn ByteStream> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }
}

impl Stream for Deaf<dyn MessageStream> {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Part>>> {
        for _ in 0..TURN {
            match ready!(Pin::new(&mut *self.0).poll_next(cx)) {
                Some(Ok(_)) => {}
                end => return Poll::Ready(end),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Sink<Part> for Deaf<dyn MessageStream> {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        Pin::new(&mut *self.0).start_send(part)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Sink::poll_close(Pin::new(&mut *self.0), cx)
    }
}

impl MessageStream for Deaf<dyn MessageStream> {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        Box::new(Deaf(self.0.into_bytes()))
    }
}

impl<S: Life + ?Sized> Life for Deaf<S> {
    pass_on!(0: poll_background, poll_ahead, peer, keep_little, linger, poll_finish, poll_close);
    pass_on!(0: abort, close_timeout, ending, end);
}

/// Reads in one turn.
const TURN: usize = 16;
const PIECE: usize = 4096;
