//! The end of a connection that was failed (RFC 6455 sections 7.1.1 and 7.1.7), while its peer still sends.
//!
//! A socket that is closed with something unread in it, or that anything comes to afterwards, is reset. A reset
//! overtakes what its receiver hasn't read yet: our last data, and the Close that says what was wrong. So the peer is
//! heard out:
//!
//! 1. what was framed goes out, then the Close, then the end of the stream beneath;
//! 2. what comes is read and forgotten until the peer ends, too: for the close timeout at most, however much it sends;
//! 3. what our side still has for it is taken and forgotten meanwhile. Who is told that nothing more is taken lets go
//!    of the connection.
//!
//! The far side isn't held up by that: it is told of the failure before anything else.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::bytes::BytesMut;
use endpoint::ByteStream;
use tokio::io::ReadBuf;
use tokio::time::sleep;

use super::Core;
use crate::scratch::with_scratch;
use crate::ws::stream::closing::{Closing, Event};
use crate::ws::stream::receiving::{Failure, State};

impl Core {
    /// Begins to hear the peer out; what it did wrong, to be reported.
    pub(in crate::ws) fn linger(&mut self) -> Option<Failure> {
        let State::Failed(_) = self.receiving.state else { return None };
        // Boxed by now, unlike what an idle connection carries.
        let lingering = State::Lingering(Box::pin(sleep(self.close.unwrap_or(CLOSE))));
        self.receiving.unread = BytesMut::new();
        match std::mem::replace(&mut self.receiving.state, lingering) {
            State::Failed(failure) => Some(*failure),
            _ => None,
        }
    }

    /// Whether what is to be sent is taken and forgotten. A frame that was begun is ended before.
    pub(in crate::ws) fn forgets(&self) -> bool {
        let failed = matches!(self.receiving.state, State::Failed(_) | State::Lingering(_));
        failed && !self.sending.is_inside_frame()
    }

    /// Hears the peer out, if it has to be. Ready once the stream beneath may be let go.
    pub(in crate::ws) fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Lingering(timer) = &mut self.receiving.state else { return Poll::Ready(()) };
        if timer.as_mut().poll(cx).is_pending() {
            self.write_controls(cx);
            match ready!(poll_forget(cx, &mut *self.inner)) {
                // It has ended, and may still read what is on its way.
                Ok(()) if self.closing != Closing::Ended && !self.closing.is_broken() => {
                    return Poll::Pending;
                }
                Ok(()) => {}
                Err(_) => self.closing = self.closing.after(Event::Unwritable),
            }
        }
        self.receiving.state = State::Over;
        Poll::Ready(())
    }
}

/// Reads and forgets; ready at the end, or with the error that there is instead.
pub(in crate::ws) fn poll_forget(
    cx: &mut Context<'_>,
    stream: &mut dyn ByteStream,
) -> Poll<io::Result<()>> {
    with_scratch(|scratch| {
        for _ in 0..TURN {
            let mut buf = ReadBuf::new(scratch);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// What `close-timeout` is unless something else is said.
pub(in crate::ws) const CLOSE: Duration = Duration::from_secs(5);

/// Buffers that are forgotten before others get their turn: together 256 KiB, as much as a socket's receive buffer
/// usually holds.
const TURN: usize = 8;
