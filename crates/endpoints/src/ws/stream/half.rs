//! A connection of [`terminal`](crate::ws::terminal): signals go along with the data, and one direction may end
//! without the other.
//!
//! 1. `eof` that is read ends our input. The peer still reads: from then on its frames are read in
//!    the background, until its Close.
//! 2. Our own end is `eof`, and how the program ended before it.
//! 3. The Close comes when the session is over both ways, with the code and the reason of that end.
//!
//! A peer that sends a Close earlier has ended both, as on any other WebSocket.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endpoint::{End, Ending};
use tokio::io::ReadBuf;

use super::closing::{Closing, Event};
use super::codes;
use super::core::{Core, is_gone};
use super::receiving::State;
use super::sending::close_frame;
use crate::scratch::with_scratch;
use crate::ws::terminal::Beside;

impl Core {
    /// Adds the signals.
    pub(in crate::ws) fn with(mut self, beside: Box<Beside>) -> Self {
        self.receiving.beside = Some(beside);
        self
    }

    /// Ready while the peer is to be sent more data. A frame that was begun is not held up.
    pub(in crate::ws) fn poll_window(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(beside) = &mut self.receiving.beside else { return Poll::Ready(()) };
        // A client can only acknowledge a message that it has whole.
        let is_inside = match beside.keeps_messages() {
            true => self.sending.is_inside_message(),
            false => self.sending.is_inside_frame(),
        };
        if is_inside { Poll::Ready(()) } else { beside.poll_window(cx) }
    }

    /// Announces the type of the message before a part of it is sent, if the peer doesn't know it.
    pub(in crate::ws) fn announce(&mut self, text: bool) {
        if self.sending.is_inside_message() {
            return;
        }
        let beside = self.receiving.beside.as_mut();
        if let Some(said) = beside.and_then(|beside| beside.announce(text)) {
            self.sending.beside(&said);
        }
    }

    /// Counts data that was sent, for the window.
    pub(in crate::ws) fn count_sent(&mut self, bytes: usize) {
        if let Some(beside) = &mut self.receiving.beside {
            beside.sent(bytes);
        }
    }

    pub(in crate::ws) fn ending(&self) -> Ending {
        let halves = self.receiving.beside.is_some() && self.receiving.is_reading();
        if halves { Ending::HalfClose } else { Ending::Handshake }
    }

    /// Puts control messages where a message may begin, and returns whether there were any.
    pub(super) fn say(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(beside) = &mut self.receiving.beside else { return false };
        let mut said = false;
        while self.sending.has_room_beside()
            && let Poll::Ready(Some(text)) = beside.poll_next(cx)
        {
            self.sending.beside(&text);
            said = true;
        }
        said
    }

    pub(in crate::ws) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.say(cx);
        ready!(self.sending.poll_flush(cx, &mut *self.inner))?;
        // Signals that had no room before the data was gone.
        if self.say(cx) {
            ready!(self.sending.poll_flush(cx, &mut *self.inner))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Runs the signals. Ready once the peer, whose data has ended before, has left.
    pub(in crate::ws) fn poll_beside(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        self.say(cx);
        if !self.receiving.beside.as_ref().is_some_and(|beside| beside.halves.heard) {
            return Poll::Pending;
        }
        for _ in 0..ROUNDS {
            if !matches!(self.receiving.state, State::Finished(_)) {
                break;
            }
            if let Err(error) = ready!(self.poll_skip(cx)) {
                return Poll::Ready(error);
            }
        }
        match &self.receiving.state {
            State::Finished(_) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            State::Ended(end) => self.sending.close(close_frame(codes::code(end), "")),
            _ => {}
        }
        self.write_controls(cx);
        Poll::Ready(io::Error::new(
            io::ErrorKind::BrokenPipe,
            "the WebSocket peer has disconnected",
        ))
    }

    /// Reads messages after the end of the peer's data.
    fn poll_skip(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_room(cx));
        if self.receiving.inflates() {
            // Past the end of the data, where `poll_fill` stops.
            if !self.receiving.has_more() {
                ready!(self.poll_more(cx))?;
            }
            while self.receiving.next().is_some() {}
            self.react(cx);
            return Poll::Ready(Ok(()));
        }
        if !self.receiving.unread.is_empty() {
            let mut unread = std::mem::take(&mut self.receiving.unread);
            self.receiving.compact(&mut unread);
            self.react(cx);
            return Poll::Ready(Ok(()));
        }
        let (inner, receiving) = (&mut self.inner, &mut self.receiving);
        let read = with_scratch(|scratch| {
            let mut buf = ReadBuf::new(scratch);
            Pin::new(&mut **inner).poll_read(cx, &mut buf).map_ok(|()| {
                receiving.compact(buf.filled_mut());
                buf.filled().len()
            })
        });
        match read {
            Poll::Pending => self.poll_wait(cx),
            Poll::Ready(read) => {
                if self.received(read)? {
                    self.react(cx);
                }
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Returns `true` if our end can be sent as the end of one direction.
    pub(in crate::ws) fn half_closes(&self) -> bool {
        self.receiving.beside.is_some()
            && self.receiving.is_reading()
            && self.closing == Closing::Open
            && !self.sending.is_inside_frame()
            && !self.sending.is_closed()
    }

    /// Says `eof`.
    pub(in crate::ws) fn poll_half_close(
        &mut self,
        cx: &mut Context<'_>,
        end: &End,
    ) -> Poll<io::Result<()>> {
        if self.told().is_none() {
            self.sending.end_message();
            // Earlier signals go out before the end.
            ready!(self.poll_flush_of_peer(cx))?;
            let beside = self.receiving.beside.as_mut().expect("it half-closes");
            for text in beside.last_words(end) {
                self.sending.beside(&text);
            }
            beside.halves.told = Some(end.clone());
        }
        self.poll_flush_of_peer(cx)
    }

    /// Takes leave: Close, the peer's answer to it, and the end of the stream beneath.
    pub(in crate::ws) fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(end) = self.told() else { return Poll::Ready(Ok(())) };
        if self.closing.is_open() {
            let frame = close_frame(codes::code(end), &end.reason);
            self.sending.close(frame);
            ready!(self.poll_flush_of_peer(cx))?;
        }
        while !self.closing.is_broken() && self.receiving.is_reading() {
            ready!(self.poll_skip(cx))?;
        }
        self.closing = self.closing.after(Event::Flushed);
        self.poll_end(cx)
    }

    fn told(&self) -> Option<&End> {
        self.receiving.beside.as_ref()?.halves.told.as_ref()
    }

    /// Flushes; that the peer has gone is no error.
    fn poll_flush_of_peer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(self.poll_flush(cx)) {
            Err(error) if is_gone(&error) => {
                self.closing = self.closing.after(Event::Unwritable);
                Poll::Ready(Ok(()))
            }
            done => Poll::Ready(done),
        }
    }
}

/// Buffers that are read from a peer without data in one go.
const ROUNDS: usize = 4;
