//! The difference between bytes and messages: how the data of one direction moves.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use endpoint::Life;

use super::path::Path;
use super::pipe::Pipe;
use crate::{Act, Failure};

/// Bytes or messages.
///
/// Both sorts read only what can be written, flush only when the reader has nothing more, and do a
/// bounded amount of work a poll.
pub(super) trait Medium {
    /// The stream of a side.
    type Stream: Life + Send + ?Sized;

    /// Moves data from `from` to `to` until it has to wait, was at it for long enough, or nothing
    /// will move again. `out` keeps account of what `to` took.
    fn pump(
        cx: &mut Context<'_>,
        from: &mut Self::Stream,
        to: &mut Self::Stream,
        out: &mut Outbox,
    ) -> Step;

    /// A stream that is no more, in the place of one that was given back.
    fn nothing() -> Box<Self::Stream>;

    /// Writes the kept data and flushes, after the last read.
    fn drain(cx: &mut Context<'_>, to: &mut Self::Stream, out: &mut Outbox)
    -> Poll<io::Result<()>>;

    /// Reads and forgets: how many bytes, and ready once the end or an error was read.
    fn discard(cx: &mut Context<'_>, from: &mut Self::Stream) -> (usize, Poll<()>);
}

/// Where the work of one poll in one direction stopped.
#[derive(Debug)]
pub(super) enum Step {
    /// The reader has nothing more for now.
    Dry,
    /// The writer takes nothing more for now.
    Full,
    /// There is more to do, but others want their turn. The task has been woken.
    Turn,
    /// The reader's end was read.
    End,
    /// Reading failed.
    ReadFailed(Failure),
    /// Writing failed.
    WriteFailed(Failure),
}

impl Step {
    pub(super) fn read_failed(error: io::Error) -> Self {
        Self::ReadFailed(Failure { act: Act::Read, error })
    }

    pub(super) fn write_failed(error: io::Error) -> Self {
        Self::WriteFailed(Failure { act: Act::Write, error })
    }
}

/// The data on its way to one side.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Data that was read but not written: allocated exactly as large, and freed when it is
    /// written. It is all that a session buffers in this direction, apart from a pipe. Messages
    /// have none.
    pub(super) tail: Bytes,
    /// Data that was moved inside the kernel but not written, behind the tail. Messages have none.
    pub(super) pipe: Option<Box<Pipe>>,
    /// The path of the bytes.
    pub(super) path: Path,
    /// Set if something was written since the last flush.
    pub(super) unflushed: bool,
    /// Bytes of payload that were taken.
    pub(super) written: u64,
    /// Those of them that never left the kernel.
    pub(super) spliced: u64,
}

impl Outbox {
    /// Forgets data that was not taken.
    pub(super) fn forget(&mut self) {
        self.tail = Bytes::new();
        self.pipe = None;
        self.unflushed = false;
    }

    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
        self.unflushed = true;
    }
}
