//! The end of a connection that was failed (RFC 6455 sections 7.1.1 and 7.1.7), while its peer still sends.
//!
//! A socket that is closed with unread data in it, or that data arrives at afterwards, is reset. A reset overtakes
//! what its receiver hasn't read yet: our last data, and the Close with the error. So the peer is drained:
//!
//! 1. framed data goes out, then the Close, then the end of the stream beneath;
//! 2. incoming data is read and discarded until the peer ends, too: for the close timeout at most, however much comes;
//! 3. the data that our side still has for it is taken and discarded meanwhile. A writer that gets an error drops the
//!    connection.
//!
//! The far side isn't delayed by that: it gets the failure first.

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
    /// Begins to drain the peer, and returns its mistake, to be reported.
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

    /// Returns `true` if data to send is taken and discarded. A frame that was begun is completed
    /// before.
    pub(in crate::ws) fn forgets(&self) -> bool {
        let failed = matches!(self.receiving.state, State::Failed(_) | State::Lingering(_));
        failed && !self.sending.is_inside_frame()
    }

    /// Drains the peer, if it has to be. Ready once the stream beneath may be dropped.
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

/// The default of `close-timeout`.
pub(in crate::ws) const CLOSE: Duration = Duration::from_secs(5);

/// Buffers that are forgotten before others get their turn: together 256 KiB, as much as a socket's receive buffer
/// usually holds.
const TURN: usize = 8;
