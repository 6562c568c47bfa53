//! The descriptor under a stream, for moving its bytes inside the kernel.

use std::io;
use std::os::fd::BorrowedFd;
use std::task::{Context, Poll};

/// A stream whose bytes are exactly those of a descriptor, with nothing buffered above it.
///
/// The code that moves the bytes makes the system call, such as splice(2); the stream knows when
/// its descriptor is ready for one. This is an alternative to reading and writing, and never the
/// only one: both may be used in turn, and together they see one sequence of bytes.
///
/// Cancel safety is that of poll functions: the bytes that `call` has moved are always reported.
pub trait Raw {
    /// Has `call` read from the descriptor once it is readable.
    ///
    /// 0 is not the end: it means that nothing could be read this way, and
    /// [`poll_read`](tokio::io::AsyncRead::poll_read) gives the reason. The descriptor then still
    /// counts as readable.
    ///
    /// # Errors
    /// Those of reading. `Unsupported`: nothing was moved, and the bytes have to be read instead
    /// from now on.
    fn poll_read_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        let _ = (cx, call);
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Has `call` write to the descriptor once it is writable, and returns the number of bytes, never 0.
    ///
    /// # Errors
    /// Those of writing. `Unsupported`: nothing was moved, and the bytes have to be written instead
    /// from now on.
    fn poll_write_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        let _ = (cx, call);
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

/// A system call on a descriptor that never waits: how many bytes it moved.
///
/// `WouldBlock` means that this descriptor isn't ready, and nothing else: it is waited for then.
pub type SystemCall<'a> = &'a mut dyn FnMut(BorrowedFd<'_>) -> io::Result<usize>;
