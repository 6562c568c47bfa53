//! The end of our side: our Close, and the end of the stream beneath.

use std::io;
use std::task::{Context, Poll, ready};

use endpoint::End;
use websocket::Role;

use super::{Core, is_gone};
use crate::ws::stream::closing::{Closing, Event};
use crate::ws::stream::codes;
use crate::ws::stream::receiving::State;
use crate::ws::stream::sending::close_frame;

impl Core {
    pub(in crate::ws) fn poll_finish(
        &mut self,
        cx: &mut Context<'_>,
        end: &End,
    ) -> Poll<io::Result<()>> {
        if self.half_closes() {
            return self.poll_half_close(cx, end);
        }
        if matches!(self.closing, Closing::Open | Closing::Failing | Closing::Broken) {
            if self.closing.is_open() {
                // The peer's own Close is answered with its code.
                let code = end.code.or(self.peers_code()).unwrap_or_else(|| codes::code(end));
                if !self.sending.is_inside_frame() {
                    self.sending.close(close_frame(code, &end.reason));
                }
                let flushed =
                    self.poll_sending(cx, |sending, cx, inner| sending.poll_flush(cx, inner));
                match ready!(flushed) {
                    Ok(()) => {}
                    Err(error) if is_gone(&error) => {
                        self.closing = self.closing.after(Event::Unwritable);
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            let peer_is_done = !matches!(self.receiving.state, State::Open);
            let server = self.role == Role::Server && peer_is_done;
            // A frame that was cut off leaves no way to send a Close.
            if !server && self.closing.is_open() && !self.sending.is_inside_frame() {
                return Poll::Ready(Ok(()));
            }
            self.closing = self.closing.after(Event::Flushed);
        }
        self.poll_end(cx)
    }

    /// Closes the connection to a peer that was sent the end of one direction, or a protocol error.
    pub(in crate::ws) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let left = ready!(self.poll_leave(cx));
        // The peer's mistake, if it made one, is not reported any more.
        self.linger();
        ready!(self.poll_linger(cx));
        Poll::Ready(left)
    }

    /// Has the stream beneath cut. A peer that gets no Close takes that for one.
    pub(in crate::ws) fn abort(&mut self) {
        self.inner.abort();
    }

    /// Ends the stream beneath.
    pub(in crate::ws) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Closing::Ending { broken } = self.closing {
            let ended = ready!(self.inner.poll_finish(cx, &End::eof()));
            self.closing = self.closing.after(Event::Finished);
            if let Err(error) = ended
                && !broken
                && !is_gone(&error)
            {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn peers_code(&self) -> Option<u16> {
        match &self.receiving.state {
            State::Ended(end) => end.code.filter(|_| self.receiving.is_closed()),
            _ => None,
        }
    }

    pub(in crate::ws) fn end(&mut self) -> End {
        match &mut self.receiving.state {
            State::Ended(end) | State::Finished(end) => (**end).clone(),
            _ => End::eof(),
        }
    }
}
