//! Reading standard input.

use std::io;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe::Receiver;

use super::opened::Opened;

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
            // A terminal that was hung up says EIO: that is its end.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(()),
            read => read,
        })
    }
}
