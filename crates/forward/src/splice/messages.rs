//! Two streams of messages: parts pass with their boundaries and types.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endpoint::MessageStream;

use super::medium::{Medium, Outbox, Step};

/// A part is read only when the writer is ready for it, so none is ever kept.
pub(super) struct OfMessages;

impl Medium for OfMessages {
    type Stream = dyn MessageStream;

    fn pump(
        cx: &mut Context<'_>,
        from: &mut Self::Stream,
        to: &mut Self::Stream,
        out: &mut Outbox,
    ) -> Step {
        for _ in 0..TURN {
            match poll_room(cx, to, out) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Step::write_failed(error),
                Poll::Pending => return Step::Full,
            }
            let part = match Pin::new(&mut *from).poll_next(cx) {
                Poll::Ready(Some(Ok(part))) => part,
                Poll::Ready(Some(Err(error))) => return Step::read_failed(error),
                Poll::Ready(None) => return Step::End,
                Poll::Pending => {
                    return match Self::drain(cx, to, out) {
                        Poll::Ready(Err(error)) => Step::write_failed(error),
                        Poll::Ready(Ok(())) | Poll::Pending => Step::Dry,
                    };
                }
            };
            let bytes = part.data.len();
            if let Err(error) = Pin::new(&mut *to).start_send(part) {
                return Step::write_failed(error);
            }
            out.wrote(bytes);
        }
        cx.waker().wake_by_ref();
        Step::Turn
    }

    fn drain(
        cx: &mut Context<'_>,
        to: &mut Self::Stream,
        out: &mut Outbox,
    ) -> Poll<io::Result<()>> {
        if out.unflushed {
            ready!(Pin::new(to).poll_flush(cx))?;
            out.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn discard(cx: &mut Context<'_>, from: &mut Self::Stream) -> (usize, Poll<()>) {
        let mut bytes = 0;
        for _ in 0..TURN {
            match Pin::new(&mut *from).poll_next(cx) {
                // One for what is around it: empty messages are something, too.
                Poll::Ready(Some(Ok(part))) => bytes += part.data.len() + 1,
                Poll::Ready(_) => return (bytes, Poll::Ready(())),
                Poll::Pending => return (bytes, Poll::Pending),
            }
        }
        cx.waker().wake_by_ref();
        (bytes, Poll::Pending)
    }
}

/// Ready when another part is taken. A sink that is full of what was not flushed is flushed: the
/// contract doesn't say that it does so by itself.
fn poll_room(
    cx: &mut Context<'_>,
    to: &mut (dyn MessageStream + 'static),
    out: &mut Outbox,
) -> Poll<io::Result<()>> {
    if let Poll::Ready(ready) = Pin::new(&mut *to).poll_ready(cx) {
        return Poll::Ready(ready);
    }
    if !out.unflushed {
        return Poll::Pending;
    }
    ready!(OfMessages::drain(cx, to, out))?;
    Pin::new(to).poll_ready(cx)
}

/// Parts moved in one direction before others get their turn. More than the 16 buffers of bytes,
/// because many small messages may lie in one of those and are then written at once.
const TURN: usize = 64;
