//! A session's side of a socket: bytes, or datagrams as messages.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endpoint::{ByteStream, End, Ending, Flat, Life, MessageStream, Part, Peer, PeerState};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::socket::wait;
use super::state::{Key, Shared};
use crate::datagram::joined::Joined;
use crate::datagram::losses::Losses;
use crate::datagram::session::LINGER;

/// The stream. It holds its socket, and releases it when it is dropped.
pub(super) struct Side {
    shared: Arc<Shared>,
    key: Key,
    number: u32,
    /// A datagram that isn't complete.
    joined: Joined,
    losses: Losses,
    has_finished: bool,
}

impl Side {
    pub(super) fn new(shared: Arc<Shared>, key: Key, number: u32) -> Self {
        let joined = Joined::new(shared.terms.most);
        Self { shared, key, number, joined, losses: Losses::default(), has_finished: false }
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.shared.lock();
        if state.has_room(self.key) {
            return Poll::Ready(Ok(()));
        }
        wait(&mut state.socket(self.key).writer, cx);
        Poll::Pending
    }

    fn poll_said(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.shared.lock();
        if state.is_flushed(self.key) {
            return Poll::Ready(Ok(()));
        }
        wait(&mut state.socket(self.key).writer, cx);
        Poll::Pending
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        self.shared.lock().release(self.key);
    }
}

impl AsyncRead for Side {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.shared.lock();
        let start = buf.filled().len();
        while buf.remaining() > 0 {
            let Some(data) = state.some(self.key, buf.remaining()) else {
                break;
            };
            buf.put_slice(&data);
        }
        if buf.filled().len() > start || state.socket(self.key).ended.is_some() {
            return Poll::Ready(Ok(()));
        }
        wait(&mut state.socket(self.key).reader, cx);
        Poll::Pending
    }
}

impl AsyncWrite for Side {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_room(cx))?;
        let taken = &buf[..buf.len().min(self.shared.terms.most)];
        if !taken.is_empty() {
            let part = (self.shared.terms.encode)(self.number, taken);
            self.shared.lock().say(self.key, part);
        }
        Poll::Ready(Ok(taken.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_said(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Stream for Side {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let mut state = this.shared.lock();
        for _ in 0..std::mem::take(&mut state.socket(this.key).lost) {
            this.losses.overrun();
        }
        if let Some(part) = state.next(this.key) {
            return Poll::Ready(Some(Ok(part)));
        }
        if state.socket(this.key).ended.is_some() {
            return Poll::Ready(None);
        }
        wait(&mut state.socket(this.key).reader, cx);
        Poll::Pending
    }
}

impl Sink<Part> for Side {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_room(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        let whole = self.joined.add(part).map_err(|failed| failed.error)?;
        if let Some(data) = whole {
            let part = (self.shared.terms.encode)(self.number, &data);
            self.shared.lock().say(self.key, part);
        }
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_said(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Side {
    /// Reports whether the client has closed the socket, behind data that has not been read yet.
    fn peer(&mut self) -> Option<Peer> {
        let mut state = self.shared.lock();
        let state = match (state.is_over, state.socket(self.key).ended.is_some()) {
            (true, _) => PeerState::Gone,
            (false, true) => PeerState::Ended,
            (false, false) => PeerState::Open,
        };
        Some(Peer { state, ..Peer::default() })
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        let mut state = self.shared.lock();
        if !std::mem::replace(&mut self.has_finished, true) {
            state.finish(self.key, end);
        }
        if state.socket(self.key).is_said {
            return Poll::Ready(Ok(()));
        }
        wait(&mut state.socket(self.key).writer, cx);
        Poll::Pending
    }

    fn linger(&self) -> Option<Duration> {
        self.shared.lock().socket(self.key).target.datagrams.then_some(LINGER)
    }

    /// A socket is closed as a whole.
    fn ending(&self) -> Ending {
        Ending::Whole
    }

    fn end(&mut self) -> End {
        self.shared.lock().socket(self.key).ended.clone().unwrap_or_default()
    }
}

impl MessageStream for Side {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        Box::new(Flat::new(*self))
    }
}
