//! A descriptor that we were started with, opened so that it can be waited for.
//!
//! `O_NONBLOCK` belongs to what is open, not to the descriptor: setting it on our standard input
//! sets it for the shell that shares the terminal, which then fails with `EAGAIN`. So:
//!
//! * a pipe or terminal is opened a second time, through `/proc/self/fd`, and only the new opening
//!   is non-blocking;
//! * a socket can't be opened again: it is made non-blocking, and blocking again at the end;
//! * a file is always ready as far as epoll is concerned: it is read and written by another
//!   thread, and never for long.
//!
//! If a pipe can't be opened again (no `/proc`, or another user's), it is treated as a file. A read
//! that blocks then outlasts the session: a command that has ended drops its runtime with
//! `shutdown_background`, which waits for no such thread.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, fstat, open};

/// The way in which it is read or written.
pub(super) enum Opened<P> {
    /// A pipe, terminal or socket that can be waited for.
    Ready(P, Option<Blocking>),
    /// Anything else, in another thread.
    File(tokio::fs::File),
}

/// The object behind a descriptor, as far as its end is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Pipe,
    Socket,
    /// A terminal or a file: no peer waits for an end of ours.
    Other,
}

impl<P> Opened<P> {
    /// Opens `fd` for one direction; `access` is how a pipe or terminal is opened again, and
    /// `register` hands it to the runtime.
    pub(super) fn open(
        fd: BorrowedFd<'_>,
        access: OFlags,
        register: fn(OwnedFd) -> io::Result<P>,
    ) -> io::Result<(Self, Sort)> {
        let (sort, ready) = match FileType::from_raw_mode(fstat(fd)?.st_mode) {
            FileType::Socket => {
                let blocking = Blocking::suspend(fd)?;
                let socket = register(fd.try_clone_to_owned()?)?;
                (Sort::Socket, Some(Self::Ready(socket, Some(blocking))))
            }
            FileType::Fifo => (Sort::Pipe, again(fd, access, register)),
            FileType::CharacterDevice => (Sort::Other, again(fd, access, register)),
            _ => (Sort::Other, None),
        };
        let opened = match ready {
            Some(ready) => ready,
            None => Self::File(File::from(fd.try_clone_to_owned()?).into()),
        };
        Ok((opened, sort))
    }
}

/// A second opening of the same pipe or terminal; `None` if there can't be one that is waited for,
/// as of `/dev/null`.
fn again<P>(
    fd: BorrowedFd<'_>,
    access: OFlags,
    register: fn(OwnedFd) -> io::Result<P>,
) -> Option<Opened<P>> {
    let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let own = open(path, flags, Mode::empty()).ok()?;
    register(own).ok().map(|own| Opened::Ready(own, None))
}

/// A socket that is non-blocking until this is dropped.
pub(super) struct Blocking {
    socket: OwnedFd,
    flags: OFlags,
}

impl Blocking {
    fn suspend(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let flags = fcntl_getfl(fd)?;
        fcntl_setfl(fd, flags | OFlags::NONBLOCK)?;
        Ok(Self { socket: fd.try_clone_to_owned()?, flags })
    }

    /// The socket itself.
    pub(super) fn socket(&self) -> &OwnedFd {
        &self.socket
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // Standard input and output may be one socket: the second of them found it as the first
        // had made it, and leaves the restoring to that one.
        if !self.flags.contains(OFlags::NONBLOCK) {
            // Of a descriptor that is open this doesn't fail.
            let _ = fcntl_setfl(&self.socket, self.flags);
        }
    }
}
