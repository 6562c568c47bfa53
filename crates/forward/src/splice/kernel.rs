//! Moves bytes from one descriptor to another inside the kernel.

use std::io;
use std::task::{Context, Poll, ready};

use endpoint::{ByteStream, Raw};

use super::medium::{Outbox, Step};
use super::pipe::Pipe;
use super::scratch::FULL;

/// The result of one move.
pub(super) enum Move {
    /// So many bytes were taken, and more are likely to be there.
    More(usize),
    /// So many bytes were taken, which may be none; whether more are there is found out by reading.
    Unknown(usize),
    /// It stopped there.
    Stop(Step),
}

/// One move, from a readable `from` into a pipe and from there to `to`.
///
/// A move of nothing does not mean that there is nothing: splice(2) returns the same for a full
/// pipe, for an empty socket, and for data behind an urgent byte, with an end behind it too. So
/// only a read decides.
pub(super) fn once(
    cx: &mut Context<'_>,
    from: &mut dyn ByteStream,
    to: &mut dyn ByteStream,
    out: &mut Outbox,
) -> Move {
    let (Some(from), Some(to)) = (from.raw(), to.raw()) else {
        out.path.refuse_kernel();
        return Move::Unknown(0);
    };
    let Some(mut pipe) = Pipe::take() else {
        out.path.leave_kernel();
        return Move::Unknown(0);
    };
    let read = from.poll_read_by(cx, &mut |fd| pipe.fill(fd));
    let Poll::Ready(Ok(bytes @ 1..)) = read else {
        let stop = match read {
            Poll::Pending => Move::Stop(Step::Dry),
            Poll::Ready(Ok(_)) => {
                out.path.moved(0);
                Move::Unknown(0)
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Unsupported => {
                out.path.refuse_kernel();
                Move::Unknown(0)
            }
            Poll::Ready(Err(error)) => Move::Stop(Step::read_failed(error)),
        };
        keep(pipe, out);
        return stop;
    };
    out.path.moved(bytes);
    match empty(cx, &mut pipe, to, out) {
        Poll::Ready(Ok(())) => {
            keep(pipe, out);
            if bytes >= MUCH { Move::More(bytes) } else { Move::Unknown(bytes) }
        }
        Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Unsupported => {
            out.path.refuse_kernel();
            out.pipe = Some(pipe);
            // Written as any tail is, at once.
            cx.waker().wake_by_ref();
            Move::Stop(Step::Turn)
        }
        Poll::Ready(Err(error)) => Move::Stop(Step::write_failed(error)),
        Poll::Pending => {
            out.pipe = Some(pipe);
            Move::Stop(Step::Full)
        }
    }
}

/// Keeps the pipe for the next move, if there is likely to be one.
fn keep(pipe: Box<Pipe>, out: &Outbox) {
    if out.path.is_kernel() {
        pipe.give_back();
    }
}

/// Moves all that lies in `pipe` to `to`.
pub(super) fn empty(
    cx: &mut Context<'_>,
    pipe: &mut Pipe,
    to: &mut dyn Raw,
    out: &mut Outbox,
) -> Poll<io::Result<()>> {
    while !pipe.is_empty() {
        let taken = ready!(to.poll_write_by(cx, &mut |fd| pipe.empty(fd)))?;
        if taken == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        out.wrote(taken);
        out.spliced += taken as u64;
    }
    Poll::Ready(Ok(()))
}

/// After so much, more is likely to have come meanwhile: another move is tried before a read.
const MUCH: usize = 2 * FULL;
