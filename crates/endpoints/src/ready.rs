//! A caller's system call on a descriptor that tokio waits for.

use std::io;
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};

use endpoint::SystemCall;
use tokio::net::unix::pipe::{Receiver, Sender};

/// Has `call` done once `it` is ready. One that would block takes the readiness back, as `try_io`
/// of tokio's does, and waits for the next.
pub(crate) fn poll_by<T>(
    cx: &mut Context<'_>,
    it: &T,
    poll_ready: fn(&T, &mut Context<'_>) -> Poll<io::Result<()>>,
    mut try_io: impl FnMut(&T) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(poll_ready(it, cx))?;
        match try_io(it) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return Poll::Ready(done),
        }
    }
}

/// [`Raw::poll_read_by`](endpoint::Raw::poll_read_by) of a pipe, or of what is treated as one.
pub(crate) fn read_by(
    cx: &mut Context<'_>,
    pipe: &Receiver,
    call: SystemCall<'_>,
) -> Poll<io::Result<usize>> {
    poll_by(cx, pipe, Receiver::poll_read_ready, |pipe| pipe.try_io(|| call(pipe.as_fd())))
}

/// [`Raw::poll_write_by`](endpoint::Raw::poll_write_by) of a pipe, or of what is treated as one.
pub(crate) fn write_by(
    cx: &mut Context<'_>,
    pipe: &Sender,
    call: SystemCall<'_>,
) -> Poll<io::Result<usize>> {
    poll_by(cx, pipe, Sender::poll_write_ready, |pipe| pipe.try_io(|| call(pipe.as_fd())))
}
