//! Writing standard output.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endpoint::{Peer, SystemCall};
use rustix::fs::{Mode, OFlags};
use rustix::net::{Shutdown, shutdown};
use tokio::io::AsyncWrite;
use tokio::net::unix::pipe::Sender;

use super::opened::{Opened, Sort};
use crate::ready::write_by;

/// Standard output.
pub(super) struct Output {
    /// `None` once it was closed.
    opened: Option<Opened<Sender>>,
    sort: Sort,
    /// Closes the descriptor that this process was started with, which keeps a pipe open in
    /// addition to ours; `None` if it is to be kept.
    close: Option<Close>,
}

/// Closes a descriptor for good.
pub(super) type Close = Box<dyn FnOnce() -> io::Result<()> + Send>;

impl Output {
    pub(super) fn open(fd: BorrowedFd<'_>, close: Option<Close>) -> io::Result<Self> {
        // Terminals and sockets are written by write(2) as pipes are; hence "unchecked".
        let (opened, sort) = Opened::open(fd, OFlags::WRONLY, Sender::from_owned_fd_unchecked)?;
        Ok(Self { opened: Some(opened), sort, close })
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.opened {
            Some(Opened::Ready(pipe, _)) => Pin::new(pipe).poll_write(cx, buf),
            Some(Opened::File(file)) => Pin::new(file).poll_write(cx, buf),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    pub(super) fn poll_write_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        match &self.opened {
            Some(Opened::Ready(pipe, _)) => write_by(cx, pipe, call),
            // Another thread writes it, or it is not written.
            Some(Opened::File(_)) | None => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.opened {
            Some(Opened::File(file)) => Pin::new(file).poll_flush(cx),
            Some(Opened::Ready(..)) | None => Poll::Ready(Ok(())),
        }
    }

    /// Returns the facts about the reader of a pipe.
    pub(super) fn peer(&self) -> Option<Peer> {
        match &self.opened {
            Some(Opened::Ready(pipe, _)) if self.sort == Sort::Pipe => {
                crate::peer::of_pipe(pipe.as_fd())
            }
            _ => None,
        }
    }

    /// Passes on the end, if the output has a reader and isn't kept open; returns whether it did.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        ready!(self.poll_flush(cx))?;
        if self.sort == Sort::Other {
            return Poll::Ready(Ok(false));
        }
        let Some(close) = self.close.take() else { return Poll::Ready(Ok(false)) };
        if let Some(Opened::Ready(_, Some(blocking))) = &self.opened {
            // Standard input may be the same socket: only this direction ends.
            match shutdown(blocking.socket(), Shutdown::Write) {
                Ok(()) | Err(rustix::io::Errno::NOTCONN) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
            return Poll::Ready(Ok(true));
        }
        self.opened = None;
        close()?;
        Poll::Ready(Ok(true))
    }
}

/// Puts `/dev/null` in the place of our standard output. Merely closing it would let the next file
/// or socket that is opened become standard output.
pub(super) fn to_null() -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdout(null)?;
    Ok(())
}
