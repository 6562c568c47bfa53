//! Reading standard input.

use std::io;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endpoint::SystemCall;
use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe::Receiver;

use super::opened::Opened;
use crate::ready::read_by;

/// Standard input.
pub(super) struct Input(Opened<Receiver>);

impl Input {
    pub(super) fn open(fd: BorrowedFd<'_>) -> io::Result<Self> {
        // Terminals and sockets are read by read(2) as pipes are; hence "unchecked".
        Opened::open(fd, OFlags::RDONLY, Receiver::from_owned_fd_unchecked).map(|(it, _)| Self(it))
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = match &mut self.0 {
            Opened::Ready(pipe, _) => Pin::new(pipe).poll_read(cx, buf),
            Opened::File(file) => Pin::new(file).poll_read(cx, buf),
        };
        Poll::Ready(match ready!(read) {
            Err(error) if is_hung_up(&error) => Ok(()),
            read => read,
        })
    }

    pub(super) fn poll_read_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        let read = match &self.0 {
            Opened::Ready(pipe, _) => read_by(cx, pipe, call),
            // Another thread reads it.
            Opened::File(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        };
        Poll::Ready(match ready!(read) {
            Err(error) if is_hung_up(&error) => Ok(0),
            read => read,
        })
    }
}

/// A terminal that was hung up returns EIO: that is its end.
fn is_hung_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::IO.raw_os_error())
}
