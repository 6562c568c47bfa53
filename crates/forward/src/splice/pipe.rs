//! The pipes through which splice(2) moves bytes from one descriptor to another.
//!
//! As with the scratch, a worker thread has one while it moves bulk, and a session has one only while
//! something lies in it that its reader does not take. There is a limit to how many there are at all.

use std::cell::Cell;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::{Errno, read, retry_on_intr};
use rustix::pipe::{
    PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, splice,
};

/// A pipe, and how much lies in it.
#[derive(Debug)]
pub(super) struct Pipe {
    output: OwnedFd,
    input: OwnedFd,
    capacity: usize,
    holds: usize,
    _place: Place,
}

impl Pipe {
    /// The thread's pipe, or a new one; `None` if there are too many, or the system gives none.
    pub(super) fn take() -> Option<Box<Self>> {
        SPARE.take().or_else(|| Self::open().map(Box::new))
    }

    /// Has it be used again by this thread, if nothing lies in it. It is closed otherwise.
    pub(super) fn give_back(self: Box<Self>) {
        if self.holds == 0 {
            SPARE.set(Some(self));
        }
    }

    /// Closes the thread's pipe: bulk has ended, and a session that still moves bulk makes another one.
    pub(super) fn let_go() {
        SPARE.take();
    }

    fn open() -> Option<Self> {
        let place = Place::take()?;
        let (output, input) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
        // There is a limit for users other than root (pipe-user-pages-soft): the pipe keeps the capacity
        // that it has then.
        let capacity = fcntl_setpipe_size(&input, CAPACITY)
            .or_else(|_| fcntl_getpipe_size(&input))
            .ok()
            .filter(|capacity| *capacity >= LEAST)?;
        Some(Self { output, input, capacity, holds: 0, _place: place })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.holds == 0
    }

    /// Moves what `from` has into it; 0 if nothing can be had this way.
    pub(super) fn fill(&mut self, from: BorrowedFd<'_>) -> io::Result<usize> {
        let room = self.capacity - self.holds;
        let moved = retry_on_intr(|| splice(from, None, &self.input, None, room, FLAGS));
        match moved {
            Ok(bytes) => {
                self.holds += bytes;
                Ok(bytes)
            }
            // A socket returns it before its urgent data too, whatever comes behind it.
            Err(Errno::AGAIN) => Ok(0),
            Err(error) => Err(explain(error)),
        }
    }

    /// Moves what lies in it to `to`, as far as that takes it.
    pub(super) fn empty(&mut self, to: BorrowedFd<'_>) -> io::Result<usize> {
        let moved = retry_on_intr(|| splice(&self.output, None, to, None, self.holds, FLAGS));
        match moved {
            Ok(bytes) => {
                self.holds -= bytes;
                Ok(bytes)
            }
            Err(error) => Err(explain(error)),
        }
    }

    /// Reads the bytes in it: for a reader that takes nothing from the kernel after all.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let bytes = retry_on_intr(|| read(&self.output, &mut *buf))?;
        self.holds -= bytes;
        Ok(bytes)
    }
}

/// Descriptors that can't be spliced, and sandboxes that don't let us, are `Unsupported`: copying
/// finds out whether there is more to it.
fn explain(error: Errno) -> io::Error {
    match error {
        Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS => {
            io::ErrorKind::Unsupported.into()
        }
        error => error.into(),
    }
}

/// One of the pipes that may exist.
#[derive(Debug)]
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let more = |taken| (taken < MOST).then_some(taken + 1);
        TAKEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        TAKEN.fetch_sub(1, Ordering::Relaxed);
    }
}

static TAKEN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SPARE: Cell<Option<Box<Pipe>>> = const { Cell::new(None) };
}

/// The most that a system allows every user by default (pipe-max-size).
const CAPACITY: usize = 1024 * 1024;

/// Smaller moves save nothing.
const LEAST: usize = 64 * 1024;

/// Half of the pages that the system grants one user by default. Sessions whose readers stall may
/// hold all of them; others are copied then.
const MOST: usize = 32;

const FLAGS: SpliceFlags = SpliceFlags::NONBLOCK.union(SpliceFlags::MOVE);
