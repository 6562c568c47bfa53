//! The stream beneath HTTP, as hyper reads and writes it.
//!
//! The stream is shared with the task that waits for a decision, so that a peer that leaves is
//! noticed even when hyper has stopped reading because its buffer has unread data.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::bytes::{Buf, BytesMut};
use endpoint::{ByteStream, End, PeerState};
use hyper::rt::{self, ReadBufCursor};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::sniff::Sniff;
use crate::scratch::with_scratch;

/// The stream beneath, while HTTP uses it.
pub(crate) struct Beneath {
    stream: Box<dyn ByteStream>,
    sniff: Sniff,
    /// Read before hyper asked for it.
    ahead: BytesMut,
    /// Answers that the peer hasn't taken. hyper may call a connection done before its answer is
    /// written, so this never pushes back until it is full; it is never twice as full.
    out: BytesMut,
    /// The number of bytes written since the last call.
    moved: usize,
}

/// The stream, shared by the part that speaks HTTP on it and the part that waits for a decision.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Mutex<Beneath>>);

impl Wire {
    pub(crate) fn new(stream: Box<dyn ByteStream>) -> Self {
        let sniff = Sniff::default();
        let (ahead, out) = (BytesMut::new(), BytesMut::new());
        let beneath = Beneath { stream, sniff, ahead, out, moved: 0 };
        Self(Arc::new(Mutex::new(beneath)))
    }

    fn lock(&self) -> MutexGuard<'_, Beneath> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready once the peer has left: an end or an error was read. Data before it is kept, up to
    /// [`AHEAD`]; behind more than that, nothing is noticed.
    pub(crate) fn poll_left(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.lock().poll_ahead(cx).map(drop)
    }

    /// The same, of a peer that may end its side behind its request and waits for the reply: ready once the connection is
    /// lost.
    pub(crate) fn poll_lost(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.lock().poll_ahead(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(()),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    /// Returns `true` if more than a trickle was written since the last call.
    pub(crate) fn has_moved(&self) -> bool {
        std::mem::take(&mut self.lock().moved) >= TRICKLE
    }

    /// Returns `true` if a peer with unread data may still read it: it is alive, as far as the transport knows,
    /// however slow it is. If the transport doesn't know, it has read more than a trickle since the last call.
    pub(crate) fn may_take(&self) -> bool {
        let moved = self.has_moved();
        self.lock().stream.peer().map_or(moved, |peer| {
            let answers = peer.overdue.is_none_or(|overdue| overdue < SILENCE);
            peer.state != PeerState::Gone && answers
        })
    }

    /// Returns `true` if data is on its way that the peer hasn't read, here or in the system's
    /// buffers.
    pub(crate) fn is_pending(&self) -> bool {
        let beneath = &mut *self.lock();
        !beneath.out.is_empty() || beneath.stream.pending().is_some_and(|bytes| bytes > 0)
    }

    /// Returns the peer's protocol and a correction, if it is known and isn't HTTP/1.
    pub(crate) fn diagnosis(&self) -> Option<&'static str> {
        self.lock().sniff.diagnosis()
    }

    /// Has a few bytes written behind what is kept, once that is drained.
    pub(crate) fn push(&self, bytes: &[u8]) {
        self.lock().out.extend_from_slice(bytes);
    }

    /// Writes the kept bytes.
    pub(crate) fn poll_drain(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_drain(cx)
    }

    /// Writes the kept bytes and ends the stream.
    pub(crate) fn poll_end(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let beneath = &mut *self.lock();
        ready!(beneath.poll_drain(cx))?;
        beneath.stream.poll_finish(cx, &End::eof())
    }

    /// Reads and forgets data that the peer still sends, once, and returns whether there was any.
    pub(crate) fn poll_forget(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let beneath = &mut *self.lock();
        with_scratch(|scratch| {
            let mut buf = ReadBuf::new(scratch);
            let read = ready!(Pin::new(&mut beneath.stream).poll_read(cx, &mut buf));
            Poll::Ready(read.is_ok() && !buf.filled().is_empty())
        })
    }

    /// The stream, and what was read ahead of it.
    ///
    /// # Panics
    /// If hyper's connection still owns it.
    pub(crate) fn into_inner(self) -> (Box<dyn ByteStream>, BytesMut) {
        let beneath = Arc::into_inner(self.0).expect("hyper has given up its share");
        let Beneath { stream, ahead, .. } =
            beneath.into_inner().unwrap_or_else(PoisonError::into_inner);
        (stream, ahead)
    }
}

impl Beneath {
    /// Reads ahead; ready at the peer's end.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.stream.poll_background(cx) {
            return Poll::Ready(Err(error));
        }
        while self.ahead.len() < AHEAD {
            let mut piece = [0; 1024];
            let mut buf = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.ahead.extend_from_slice(buf.filled());
        }
        Poll::Pending
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(written);
            self.moved += written;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Takes the bytes to write, as far as there is room for them, and writes as many as go now.
    fn poll_keep(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.out.len() >= FULL {
            ready!(self.poll_drain(cx))?;
        }
        let mut room = FULL;
        for buf in bufs {
            let taken = buf.len().min(room);
            self.out.extend_from_slice(&buf[..taken]);
            room -= taken;
        }
        // Whatever can't go now goes with the next flush.
        if let Poll::Ready(Err(error)) = self.poll_drain(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(FULL - room))
    }
}

impl rt::Read for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let beneath = &mut *self.lock();
        if let Poll::Ready(error) = beneath.stream.poll_background(cx) {
            return Poll::Ready(Err(error));
        }
        if beneath.ahead.is_empty() {
            // A piece at a time, because hyper's buffer is not initialized; handshakes are short.
            let mut piece = [0; 1024];
            let room = cursor.remaining().min(piece.len());
            let mut buf = ReadBuf::new(&mut piece[..room]);
            ready!(Pin::new(&mut beneath.stream).poll_read(cx, &mut buf))?;
            beneath.sniff.take(buf.filled());
            cursor.put_slice(buf.filled());
        } else {
            let taken = beneath.ahead.split_to(beneath.ahead.len().min(cursor.remaining()));
            cursor.put_slice(&taken);
        }
        Poll::Ready(Ok(()))
    }
}

impl rt::Write for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.lock().poll_keep(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.lock().poll_keep(cx, bufs)
    }

    /// If it isn't, hyper copies every reply as a whole, and the page's files are large.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_drain(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The caller that takes the stream back ends it.
        self.lock().poll_drain(cx)
    }
}

/// The maximum that is kept of a peer that sends before it is accepted: enough for a first message.
const AHEAD: usize = 4 * 1024;
/// A peer that owes an acknowledgement for so long is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// A client that reads less than this within the handshake's limit holds a place for nothing.
const TRICKLE: usize = 4 * 1024;
/// The amount of an answer that is kept before no more is taken, and that is taken at once. An answer that isn't a
/// file is shorter.
const FULL: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use hyper::rt::Write as _;
    use tokio::net::UnixStream;

    use super::*;
    use crate::socket::Socket;

    /// A page's largest file has half a megabyte, and any client may ask for it and not read it.
    #[tokio::test]
    async fn who_does_not_read_has_little_kept() {
        let (ours, _theirs) = UnixStream::pair().expect("sockets");
        let mut wire = Wire::new(Box::new(Socket::new(ours)));
        assert!(wire.is_write_vectored(), "hyper would copy what it has to send");
        let cx = &mut Context::from_waker(Waker::noop());
        let large = vec![7; 1024 * 1024];
        let bufs = [IoSlice::new(b"header"), IoSlice::new(&large), IoSlice::new(b"end")];
        while let Poll::Ready(taken) = Pin::new(&mut wire).poll_write_vectored(cx, &bufs) {
            assert!((1..=FULL).contains(&taken.expect("nothing fails")));
            assert!(wire.lock().out.capacity() <= 4 * FULL);
        }
        assert!(Pin::new(&mut wire).poll_write(cx, &large).is_pending());
        assert!((FULL..2 * FULL).contains(&wire.lock().out.len()));
    }
}
