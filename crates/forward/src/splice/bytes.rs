//! Two streams of bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use endpoint::{ByteStream, Plain};
use tokio::io::ReadBuf;

use super::kernel::{self, Move};
use super::medium::{Medium, Outbox, Step};
use super::path::Path;
use super::scratch::with_scratch;

/// Bytes go through the thread's scratch buffer, or through its pipe; the session keeps a tail that
/// can't be written.
pub(super) struct OfBytes;

impl Medium for OfBytes {
    type Stream = dyn ByteStream;

    fn pump(
        cx: &mut Context<'_>,
        from: &mut Self::Stream,
        to: &mut Self::Stream,
        out: &mut Outbox,
    ) -> Step {
        match write_tail(cx, to, out) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Step::write_failed(error),
            Poll::Pending => return Step::Full,
        }
        let step = with_scratch(|scratch| read_and_write(cx, from, to, out, scratch));
        match step {
            // A flush while there is more to read would cut the data small; none when the reader
            // waits for an answer to what lies in a buffer would be a deadlock.
            Step::Dry if out.unflushed => match flush(cx, to, out) {
                Poll::Ready(Err(error)) => Step::write_failed(error),
                Poll::Ready(Ok(())) | Poll::Pending => Step::Dry,
            },
            step => step,
        }
    }

    fn nothing() -> Box<Self::Stream> {
        Box::new(Plain::new(tokio::io::empty()))
    }

    fn drain(
        cx: &mut Context<'_>,
        to: &mut Self::Stream,
        out: &mut Outbox,
    ) -> Poll<io::Result<()>> {
        ready!(write_tail(cx, to, out))?;
        if out.unflushed { flush(cx, to, out) } else { Poll::Ready(Ok(())) }
    }

    fn discard(cx: &mut Context<'_>, from: &mut Self::Stream) -> (usize, Poll<()>) {
        let mut bytes = 0;
        with_scratch(|scratch| {
            for _ in 0..TURN {
                let mut buf = ReadBuf::new(scratch);
                match Pin::new(&mut *from).poll_read(cx, &mut buf) {
                    Poll::Ready(Ok(())) if !buf.filled().is_empty() => bytes += buf.filled().len(),
                    Poll::Ready(_) => return (bytes, Poll::Ready(())),
                    Poll::Pending => return (bytes, Poll::Pending),
                }
            }
            cx.waker().wake_by_ref();
            (bytes, Poll::Pending)
        })
    }
}

fn read_and_write(
    cx: &mut Context<'_>,
    from: &mut dyn ByteStream,
    to: &mut dyn ByteStream,
    out: &mut Outbox,
    scratch: &mut [u8],
) -> Step {
    let mut turn = TURN * scratch.len();
    while turn > 0 {
        if out.path.is_kernel() {
            let (bytes, more) = match kernel::once(cx, from, to, out) {
                Move::More(bytes) => (bytes, true),
                Move::Unknown(bytes) => (bytes, false),
                Move::Stop(step) => return step,
            };
            turn = turn.saturating_sub(bytes);
            if more {
                continue;
            }
        }
        turn = turn.saturating_sub(scratch.len());
        let mut buf = ReadBuf::new(scratch);
        match Pin::new(&mut *from).poll_read(cx, &mut buf) {
            Poll::Ready(Ok(())) if buf.filled().is_empty() => return Step::End,
            Poll::Ready(Ok(())) => out.path.copied(buf.filled().len()),
            Poll::Ready(Err(error)) => return Step::read_failed(error),
            Poll::Pending => return Step::Dry,
        }
        let mut data = buf.filled();
        let written = write_all(cx, to, &mut data, out);
        match written {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Step::write_failed(error),
            Poll::Pending => {
                out.tail = Bytes::copy_from_slice(data);
                return Step::Full;
            }
        }
    }
    cx.waker().wake_by_ref();
    Step::Turn
}

fn write_tail(
    cx: &mut Context<'_>,
    to: &mut dyn ByteStream,
    out: &mut Outbox,
) -> Poll<io::Result<()>> {
    loop {
        if !out.tail.is_empty() {
            let mut tail = std::mem::take(&mut out.tail);
            let done = write_all(cx, to, &mut tail, out);
            if done.is_pending() {
                out.tail = tail;
            }
            ready!(done)?;
        }
        let Some(mut pipe) = out.pipe.take() else { return Poll::Ready(Ok(())) };
        let done = match to.raw() {
            Some(to) if out.path != Path::CopiedOnly => kernel::empty(cx, &mut pipe, to, out),
            _ => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        };
        match done {
            Poll::Ready(Ok(())) => pipe.give_back(),
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Unsupported => {
                out.path.refuse_kernel();
                // A tail again, a buffer at a time.
                let bytes = with_scratch(|scratch| {
                    pipe.read(scratch).map(|bytes| Bytes::copy_from_slice(&scratch[..bytes]))
                });
                out.tail = bytes?;
                out.pipe = (!pipe.is_empty()).then_some(pipe);
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => {
                out.pipe = Some(pipe);
                return Poll::Pending;
            }
        }
    }
}

/// Writes as much of `data` as is taken, and takes that off its front.
///
/// Not bounded by a turn: it is one buffer at most, and sockets take part of one only when they are
/// full.
fn write_all(
    cx: &mut Context<'_>,
    to: &mut dyn ByteStream,
    data: &mut (impl Buf + ?Sized),
    out: &mut Outbox,
) -> Poll<io::Result<()>> {
    while data.has_remaining() {
        let taken = ready!(Pin::new(&mut *to).poll_write(cx, data.chunk()))?;
        if taken == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        data.advance(taken);
        out.wrote(taken);
    }
    Poll::Ready(Ok(()))
}

fn flush(cx: &mut Context<'_>, to: &mut dyn ByteStream, out: &mut Outbox) -> Poll<io::Result<()>> {
    ready!(Pin::new(to).poll_flush(cx))?;
    out.unflushed = false;
    Poll::Ready(Ok(()))
}

/// Buffers moved in one direction before others get their turn: 512 KiB, some 150 µs of work; one
/// pipeful may go beyond it. Two operations each, so both directions stay within tokio's budget of
/// 128 a poll, and one of them can't starve the other of it.
const TURN: usize = 16;
