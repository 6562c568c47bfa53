//! Two streams of messages: parts pass with their boundaries and types.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endpoint::{ByteStream, End, Life, MessageStream, Part, Plain};
use futures_core::Stream;
use futures_sink::Sink;

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

    fn nothing() -> Box<Self::Stream> {
        Box::new(Nothing)
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

/// The remains of a side whose stream was taken.
struct Nothing;

impl Stream for Nothing {
    type Item = io::Result<Part>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}

impl Sink<Part> for Nothing {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, _: Part) -> io::Result<()> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Life for Nothing {
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl MessageStream for Nothing {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        Box::new(Plain::new(tokio::io::empty()))
    }
}

/// Ready when another part can be sent. A sink that is full of unflushed data is flushed: the
/// contract doesn't require that it does so itself.
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
