//! A WebSocket connection over a stream of bytes: the part that both of its views share.
//!
//! Close (RFC 6455 section 7), as the splice needs it: a Close frame that was read is an end of input, and our Close,
//! sent by [`Core::poll_finish`], is its answer or comes first. Data that is still sent in between goes out before. A
//! server then ends the stream beneath, as in section 7.1.1; a client leaves that to the server. A peer that violates
//! the protocol is sent a Close and drained ([`linger`]).
//!
//! [`ahead`] keeps what is read ahead of a reader that takes nothing; [`ending`] is the end of our side.

mod ahead;
mod ending;
mod linger;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use ::bytes::BytesMut;
use endpoint::{ByteStream, End, Peer, PeerState, Reason};
use tokio::io::ReadBuf;
use websocket::{CloseFrame, Limits, Role};

use self::ahead::Ahead;
use self::linger::poll_forget;
use super::closing::{Closing, Event};
use super::codes;
use super::compression::{Compressing, Inflating};
use super::keepalive::{Due, Keepalive};
use super::receiving::{Receiving, State};
use super::sending::{Sending, close_frame};
use crate::scratch::with_scratch;
use crate::ws::negotiate::{Encoding, Mode};

/// The connection.
pub(in crate::ws) struct Core {
    pub(in crate::ws) inner: Box<dyn ByteStream>,
    pub(in crate::ws) role: Role,
    pub(in crate::ws) receiving: Receiving,
    pub(in crate::ws) sending: Sending,
    keepalive: Keepalive,
    /// The state of the end of the stream beneath.
    pub(in crate::ws) closing: Closing,
    /// The data that was read ahead, while the other side took nothing.
    ahead: Option<Box<Ahead>>,
    /// Set once the peer's end was passed on: from here on the background watches for the peer's departure.
    is_told: bool,
    /// The time limit of the closing handshake, if it is set.
    pub(in crate::ws) close: Option<Duration>,
    /// How bytes become messages, if they aren't binary ones.
    pub(in crate::ws) encoding: Encoding,
    /// The task that waits to write, perhaps another one: a stream wakes only the last one that polled.
    writer: Option<Waker>,
}

/// The settings of a connection, apart from its stream.
pub(in crate::ws) struct Terms {
    pub(in crate::ws) role: Role,
    pub(in crate::ws) mode: Mode,
    pub(in crate::ws) encoding: Encoding,
    pub(in crate::ws) limits: Limits,
    pub(in crate::ws) keepalive: Keepalive,
    pub(in crate::ws) close: Option<Duration>,
    /// The most payload that a frame of ours has.
    pub(in crate::ws) fragment: Option<usize>,
    /// Both directions of permessage-deflate. Ours may be missing.
    pub(in crate::ws) deflate: Option<(Option<Compressing>, Inflating)>,
}

impl Core {
    /// After the handshake; `unread` is what came right behind it.
    pub(in crate::ws) fn new(inner: Box<dyn ByteStream>, terms: Terms, unread: BytesMut) -> Self {
        let Terms { role, mode, encoding, limits, keepalive, close, fragment, deflate } = terms;
        let vectored = inner.is_write_vectored();
        let (compressing, inflating) = deflate.unzip();
        let inflating = inflating.map(Box::new);
        let compressing = compressing.flatten().map(Box::new);
        Self {
            inner,
            role,
            receiving: Receiving::new(role, mode, limits, inflating, unread),
            sending: Sending::new(role, mode, fragment, vectored, compressing),
            keepalive,
            closing: Closing::Open,
            ahead: None,
            is_told: false,
            close,
            encoding: if mode == Mode::Any { encoding } else { Encoding::Binary },
            writer: None,
        }
    }

    /// Returns `true` if its messages are those of the session: binary ones of a terminal are pieces of a stream.
    pub(in crate::ws) fn keeps_messages(&self) -> bool {
        self.receiving.beside.as_ref().is_none_or(|beside| beside.keeps_messages())
    }

    /// Switches to the byte view.
    pub(in crate::ws) fn flattened(mut self) -> Self {
        self.receiving = self.receiving.flattened();
        self
    }

    // === Reading ===

    /// Reads into `buf`, at least a byte unless the data has ended: a read that brings only headers
    /// and control frames is followed by another.
    pub(in crate::ws) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if self.take_ahead_into(buf) {
            return Poll::Ready(Ok(()));
        }
        for _ in 0..READS {
            if let Some(end) = self.take_end(cx) {
                return Poll::Ready(end);
            }
            ready!(self.poll_room(cx));
            let start = buf.filled().len();
            if self.receiving.unread.is_empty() {
                match Pin::new(&mut *self.inner).poll_read(cx, buf) {
                    Poll::Pending => return self.poll_wait(cx),
                    Poll::Ready(read) => {
                        let read = read.map(|()| buf.filled().len() - start);
                        if !self.received(read)? {
                            continue;
                        }
                    }
                }
            } else {
                let unread = &mut self.receiving.unread;
                let taken = unread.split_to(unread.len().min(buf.remaining()));
                buf.put_slice(&taken);
                if unread.is_empty() {
                    *unread = BytesMut::new();
                }
            }
            let payload = self.receiving.compact(&mut buf.filled_mut()[start..]);
            buf.set_filled(start + payload);
            self.react(cx);
            if payload > 0 {
                return Poll::Ready(Ok(()));
            }
        }
        // Frames without data are work, too, and others want their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Has something in `unread`. Ready with `false` when the data has ended.
    pub(in crate::ws) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            if let Some(end) = self.take_end(cx) {
                return Poll::Ready(end.map(|()| false));
            }
            if self.has_ahead() {
                return Poll::Ready(Ok(true));
            }
            ready!(self.poll_room(cx));
            if self.receiving.has_more() {
                return Poll::Ready(Ok(true));
            }
            ready!(self.poll_more(cx))?;
        }
    }

    /// Reads into `unread`, where nothing is left, or notes the end.
    pub(in crate::ws) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let inner = &mut self.inner;
        let read = with_scratch(|scratch| {
            let mut buf = ReadBuf::new(scratch);
            Pin::new(&mut **inner).poll_read(cx, &mut buf).map_ok(|()| BytesMut::from(buf.filled()))
        });
        let Poll::Ready(read) = read else { return self.poll_wait(cx) };
        let (read, len) = match read {
            Ok(read) => (read, None),
            Err(error) => (BytesMut::new(), Some(error)),
        };
        let count = len.map_or(Ok(read.len()), Err);
        if self.received(count)? {
            self.receiving.unread = read;
        }
        Poll::Ready(Ok(()))
    }

    /// Handles a read of the stream beneath; returns whether it brought bytes.
    pub(in crate::ws) fn received(&mut self, read: io::Result<usize>) -> io::Result<bool> {
        match read {
            Ok(0) => {
                // After our Close, nothing more is owed to us.
                let end = if self.sending.is_closed() {
                    End::eof()
                } else {
                    End::with_code(
                        Reason::Truncated,
                        1006,
                        "the connection ended without a Close frame",
                    )
                };
                self.receiving.state = State::Ended(Box::new(end));
                Ok(false)
            }
            Ok(_) => {
                self.keepalive.heard();
                Ok(true)
            }
            Err(error) => {
                self.receiving.state = State::Over;
                self.closing = self.closing.after(Event::Unwritable);
                Err(error)
            }
        }
    }

    /// The end of the data or the mistake that it ended with, if it has ended.
    fn take_end(&mut self, cx: &Context<'_>) -> Option<io::Result<()>> {
        if self.has_ahead() {
            return None;
        }
        if let Some(error) = self.ahead.take().and_then(|ahead| ahead.error) {
            return Some(Err(error));
        }
        match &mut self.receiving.state {
            State::Open => None,
            State::Finished(_) => {
                if let Some(beside) = &mut self.receiving.beside {
                    beside.halves.heard = true;
                }
                // From here on the background reads, and has to be asked to.
                cx.waker().wake_by_ref();
                Some(Ok(()))
            }
            State::Ended(_) => {
                if !std::mem::replace(&mut self.is_told, true) {
                    // From here on the background listens, and has to be asked to.
                    cx.waker().wake_by_ref();
                }
                Some(Ok(()))
            }
            State::Lingering(_) | State::Over => Some(Ok(())),
            State::Failed(_) => {
                // The rest is the background's, too.
                cx.waker().wake_by_ref();
                self.linger().map(|failure| Err(failure.into_error()))
            }
        }
    }

    /// Sends the frames that a read has called for: a pong, an answer of a terminal's server, the Close of a mistake,
    /// the end after both Closes.
    pub(in crate::ws) fn react(&mut self, cx: &mut Context<'_>) {
        if std::mem::take(&mut self.receiving.ponged) {
            self.keepalive.confirmed();
        }
        let asked = self.receiving.beside.as_ref().is_some_and(|beside| beside.is_asked());
        let mut acts = asked && self.say(cx);
        if !self.receiving.pinged.is_empty() {
            self.sending.pong(std::mem::take(&mut self.receiving.pinged));
            acts = true;
        }
        if let State::Failed(failure) = &self.receiving.state {
            self.sending.close(failure.frame.clone());
            self.closing = self.closing.after(Event::Mistake);
            acts = true;
        }
        if self.receiving.is_closed() && self.sending.is_closed() {
            acts = true;
        }
        if acts {
            self.write_controls(cx);
        }
        if matches!(self.receiving.state, State::Failed(_)) {
            // Unread data is discarded at once, and not only while the connection lingers.
            let _ = poll_forget(cx, &mut *self.inner);
        }
    }

    /// A read found nothing.
    pub(in crate::ws) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing == Closing::Dead {
            return Poll::Ready(Err(timed_out()));
        }
        let mut asks = false;
        // Once for the ping; then the timer has to be asked again, to be woken by it.
        let (keepalive, inner) = (&mut self.keepalive, &mut self.inner);
        while let Poll::Ready(due) = keepalive.poll_silence(cx, || inner.peer()) {
            match due {
                Due::Ping => {
                    if !self.sending.is_closed() {
                        self.sending.ping();
                        asks = true;
                    }
                }
                Due::Death => {
                    self.closing = self.closing.after(Event::Silent);
                    cx.waker().wake_by_ref();
                    break;
                }
            }
        }
        if asks {
            self.write_controls(cx);
        }
        Poll::Pending
    }

    /// Ends the connection because of what our side wants to send.
    pub(in crate::ws) fn refuse(&mut self, cx: &mut Context<'_>, frame: CloseFrame) {
        self.sending.close(frame);
        self.closing = self.closing.after(Event::Mistake);
        self.write_controls(cx);
    }

    // === Writing ===

    /// Writes by way of `write`, remembering who waits if it has to.
    pub(in crate::ws) fn poll_sending<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut Sending, &mut Context<'_>, &mut dyn ByteStream) -> Poll<T>,
    ) -> Poll<T> {
        let written = write(&mut self.sending, cx, &mut *self.inner);
        if written.is_ready() {
            self.writer = None;
        } else if !self.writer.as_ref().is_some_and(|writer| writer.will_wake(cx.waker())) {
            self.writer = Some(cx.waker().clone());
        }
        written
    }

    /// Data was taken to be sent: a peer answers a later ping behind it. Being ready for data, or flushed, is none.
    pub(in crate::ws) fn wrote(&mut self) {
        self.keepalive.wrote();
    }

    // === In addition to the data ===

    /// Writes control frames as far as they go. Failing is no news here: a peer that has gone may
    /// have left data that is still to be read.
    pub(in crate::ws) fn write_controls(&mut self, cx: &mut Context<'_>) {
        if !self.closing.is_open() {
            let _ = self.poll_end(cx);
            return;
        }
        if self.writer.as_ref().is_some_and(|writer| !writer.will_wake(cx.waker())) {
            return;
        }
        match self.sending.poll_flush(cx, &mut *self.inner) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => {
                self.closing = self.closing.after(Event::Unwritable);
                return;
            }
            Poll::Pending => return,
        }
        let both = self.receiving.is_closed() && self.sending.is_closed();
        let over = self.closing == Closing::Failing && !self.sending.is_inside_frame();
        if (both && self.role == Role::Server) || over {
            self.closing = self.closing.after(Event::Flushed);
            let _ = self.poll_end(cx);
        }
    }

    pub(in crate::ws) fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.closing == Closing::Dead {
            return Poll::Ready(timed_out());
        }
        if let Poll::Ready(error) = self.poll_beside(cx) {
            return Poll::Ready(error);
        }
        self.write_controls(cx);
        let _ = self.poll_linger(cx);
        if self.is_told && self.poll_departure(cx).is_ready() {
            return Poll::Ready(left());
        }
        self.inner.poll_background(cx)
    }

    /// Ready once a peer that has sent its end has gone, too: WebSocket has no half-close, so an answer can't be
    /// read. The peer gets our Close all the same, in case it only ended its own direction.
    fn poll_departure(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Ended(end) = &self.receiving.state else { return Poll::Pending };
        let frame = close_frame(codes::code(end), "");
        let gone = ready!(poll_forget(cx, &mut *self.inner));
        if gone.is_ok() && self.closing == Closing::Open && !self.sending.is_inside_frame() {
            self.sending.close(frame);
            self.write_controls(cx);
        }
        Poll::Ready(())
    }

    /// Ready when a signal has room.
    pub(in crate::ws) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.receiving.beside.as_ref().map_or(Poll::Ready(()), |beside| beside.poll_room(cx))
    }

    pub(super) fn keep_little(&mut self) {
        self.inner.keep_little();
    }

    pub(super) fn close_timeout(&self) -> Option<Duration> {
        self.close
    }

    /// Returns the facts about the peer, beneath and here.
    pub(in crate::ws) fn peer(&mut self) -> Option<Peer> {
        let mut peer = self.inner.peer()?;
        peer.pending += self.sending.unwritten() as u64;
        if self.receiving.is_closed() {
            peer.state = peer.state.max(PeerState::Ended);
        }
        Some(peer)
    }

    pub(in crate::ws) fn pending(&mut self) -> Option<u64> {
        Some(self.inner.pending()? + self.sending.unwritten() as u64)
    }
}

/// Reads without data before others get their turn: 64 KiB of control frames, at most.
pub(in crate::ws) const READS: usize = 2;

fn left() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the WebSocket peer has disconnected")
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the WebSocket peer does not answer pings")
}

/// Returns `true` if it means only that the peer has left.
pub(in crate::ws) fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::BrokenPipe | K::ConnectionAborted | K::ConnectionReset | K::NotConnected | K::WriteZero
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten thousand idle connections are ten thousand of these, a timer each and what is beneath.
    #[test]
    fn an_idle_connection_is_small() {
        assert!(size_of::<Core>() <= 528, "{}", size_of::<Core>());
    }
}
