//! One side of a session: how far it has ended, each way.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use endpoint::{Control, End, Life, Peer, PeerState, SessionGuard};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::closing::{Event, Hears, Says};
use super::medium::{Medium, Outbox};
use crate::{Act, Failure};

/// One side of a session.
pub(super) struct Half<M: Medium> {
    pub(super) stream: Box<M::Stream>,
    pub(super) control: Control,
    /// The state of the data that it sends.
    pub(super) says: Says,
    /// The state of the data sent to it.
    pub(super) hears: Hears,
    /// The data on its way to it.
    pub(super) out: Outbox,
    /// Its transport was closed.
    closed: bool,
    /// The state of its end. Boxed, like everything that most of a session does without.
    last: Option<Box<Last>>,
}

/// The state that a side has only when it comes to an end.
#[derive(Debug)]
struct Last {
    /// The end that is to be sent to it.
    word: Option<End>,
    /// The end that it sent.
    said: Option<End>,
    /// Its connection died; data that it had sent by then may still be read.
    dead: Option<Death>,
    /// How its data is handled that nothing reads any more.
    rest: Rest,
    /// The number of bytes that it had sent when it was told of the end.
    sent_before: Option<u64>,
}

/// A peer that is gone.
#[derive(Clone, Copy, Debug)]
struct Death {
    kind: io::ErrorKind,
    /// The number of bytes that may still be read of what it has sent.
    left: u64,
    /// Nothing was there to read, and this thread has looked for what has arrived since.
    looked: bool,
}

/// Data that a side still sends after it was sent the end, and that nothing reads.
///
/// A socket that is closed while something lies unread in it is reset, and a reset destroys what
/// the peer has not read yet: the last bytes that we wrote. So it is read, and forgotten. Not for
/// ever: one that goes on and on doesn't care for our end, and has to be reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing was looked for yet.
    Unknown,
    /// So much may still come, until then.
    Read { by: Option<Instant>, left: usize },
    /// Nothing more is read.
    Settled,
}

impl<M: Medium> Half<M> {
    pub(super) fn new(stream: Box<M::Stream>, control: Control) -> Self {
        Self {
            stream,
            control,
            says: Says::Open,
            hears: Hears::Flow,
            out: Outbox::default(),
            closed: false,
            last: None,
        }
    }

    fn last(&mut self) -> &mut Last {
        self.last.get_or_insert_with(|| {
            Box::new(Last {
                word: None,
                said: None,
                dead: None,
                rest: Rest::Unknown,
                sent_before: None,
            })
        })
    }

    /// Returns the end that it sent.
    pub(super) fn said(&self) -> Option<&End> {
        self.last.as_ref()?.said.as_ref()
    }

    /// Its end, or the error that there is instead, was read.
    pub(super) fn over(&mut self, says: Says, said: Option<End>) {
        self.says = says;
        if said.is_some() {
            self.last().said = said;
        }
        self.ask();
    }

    /// Adds the exit status of a program that ended after its output did.
    pub(super) fn complete_end(&mut self) {
        let Some(said) = self.last.as_mut().and_then(|last| last.said.as_mut()) else { return };
        if said.status.is_none() {
            let end = self.stream.end();
            if end.status.is_some() {
                *said = end;
            }
        }
    }

    /// Returns why its connection died, if it did.
    pub(super) fn dead(&self) -> Option<io::ErrorKind> {
        Some(self.last.as_ref()?.dead?.kind)
    }

    /// Returns the failure of reading from a peer that is gone, once all that it had sent was read. Some streams know
    /// that data is missing then.
    pub(super) fn death(&mut self, kind: io::ErrorKind) -> io::Error {
        let end = self.stream.end();
        if end.is_cut() { end.into_error(kind) } else { kind.into() }
    }

    /// Returns `true` if data would be missing if it were not read any more. A stream that would tell its end from a cut
    /// has not ended: what came of it must not pass for all of it.
    pub(super) fn is_unfinished(&mut self) -> bool {
        self.is_open() && self.stream.end().is_cut()
    }

    /// Counts bytes read of the data that it had sent before it died; returns `true` if there may be more.
    pub(super) fn has_left(&mut self, read: u64) -> bool {
        let Some(dead) = self.last.as_mut().and_then(|last| last.dead.as_mut()) else {
            return true;
        };
        dead.left = dead.left.saturating_sub(read);
        dead.left > 0
    }

    /// Returns `true` if, after a read that found nothing, there is nothing left of what it had sent. Its transport
    /// may have reported the death before this thread has polled for what arrived with it, so the first time another
    /// read decides.
    pub(super) fn is_dry(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(dead) = self.last.as_mut().and_then(|last| last.dead.as_mut()) else {
            return true;
        };
        if dead.looked {
            return true;
        }
        dead.looked = true;
        // Wakes the task when that is done.
        let _ = pin!(yield_now()).poll(cx);
        false
    }

    /// Returns how data is handled that nothing reads.
    pub(super) fn rest(&self) -> Rest {
        self.last.as_ref().map_or(Rest::Unknown, |last| last.rest)
    }

    pub(super) fn set_rest(&mut self, rest: Rest) {
        self.last().rest = rest;
    }

    /// Returns the number of bytes that it had sent when it was told of the end.
    pub(super) fn sent_before(&self) -> Option<u64> {
        self.last.as_ref()?.sent_before
    }

    pub(super) fn set_sent_before(&mut self, bytes: u64) {
        self.last().sent_before = Some(bytes);
    }

    /// Ends its data; `end` is sent once the rest is written.
    pub(super) fn close(&mut self, end: End) {
        if self.hears.takes() {
            self.last().word = Some(end);
        }
        self.hears = self.hears.after(Event::SourceOver);
    }

    /// Returns `true` if something that was sent to it is on its way.
    pub(super) fn is_moving(&mut self) -> bool {
        let takes = !self.hears.is_final() && self.dead().is_none();
        takes && (self.is_stalled() || self.stream.pending().is_some_and(|bytes| bytes > 1))
    }

    /// It is dropped next; `more` is set if data for it was not read. Returns `true` if it may miss some: it sees a cut
    /// then, unless it was sent the end behind that, which its system delivers without us.
    pub(super) fn drop_rest(&mut self, more: bool) -> bool {
        let lost = self.is_moving() || (more && self.hears.takes() && self.dead().is_none());
        if lost && self.hears != Hears::Deliver {
            self.stream.abort();
        }
        lost
    }

    /// It takes nothing more. Unless it chose that itself, it sees a cut if data on its way to it is dropped.
    pub(super) fn fail(&mut self) {
        if !self.hears.is_final() && self.has_unwritten() {
            self.stream.abort();
        }
        self.lose();
    }

    /// It takes nothing more.
    pub(super) fn lose(&mut self) {
        self.hears = self.hears.after(Event::Lost);
        if self.hears == Hears::Cut {
            self.out.forget();
        }
    }

    /// Marks its connection as dead, though what it sent before may still be read.
    pub(super) fn die(&mut self, kind: io::ErrorKind) {
        self.last().dead.get_or_insert(Death { kind, left: UNREAD, looked: false });
        self.lose();
    }

    /// Advances a close: the rest is written, then the end is sent.
    ///
    /// # Errors
    /// It takes nothing more.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if self.hears == Hears::Drain {
            match M::drain(cx, &mut self.stream, &mut self.out) {
                Poll::Ready(Ok(())) => self.hears = self.hears.after(Event::Written),
                Poll::Ready(Err(error)) => return Err(Failure { act: Act::Write, error }),
                Poll::Pending => {}
            }
        }
        if self.hears == Hears::Finish {
            let eof = End::eof();
            let word = self.last.as_ref().and_then(|last| last.word.as_ref());
            match self.stream.poll_finish(cx, word.unwrap_or(&eof)) {
                Poll::Ready(Ok(())) => {
                    self.hears = self.hears.after(Event::Said);
                }
                Poll::Ready(Err(error)) => return Err(Failure { act: Act::Finish, error }),
                Poll::Pending => {}
            }
            self.ask();
        }
        Ok(())
    }

    /// Asks the transport, once its end was sent, whether it has taken everything.
    ///
    /// That is one system call, where a look takes three. It is asked when the end was sent, and when its own end is
    /// there, which acknowledges ours: an ordinary session needs no look.
    pub(super) fn ask(&mut self) {
        if self.hears == Hears::Deliver && self.stream.pending().unwrap_or(0) == 0 {
            self.hears = self.hears.after(Event::Taken);
        }
    }

    /// Asks the transport what it knows, and notes what was delivered.
    pub(super) fn look(&mut self) -> Option<Peer> {
        let peer = self.stream.peer();
        // A FIN counts as a byte: a peer that reset with no more than that on its way has taken all data.
        let taken =
            |peer: Peer| peer.pending == 0 || (peer.state == PeerState::Gone && peer.pending <= 1);
        if peer.is_none_or(taken) {
            self.hears = self.hears.after(Event::Taken);
        }
        peer
    }

    /// Closes its transport, if it was sent its end and is still alive.
    pub(super) fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.closed || self.dead().is_some() || self.hears != Hears::Told {
            return Poll::Ready(());
        }
        let done = self.stream.poll_close(cx);
        self.closed = done.is_ready();
        done.map(|_| ())
    }

    /// Drops the stream, and then what is held for it.
    pub(super) fn give_back(&mut self, guard: Option<&mut SessionGuard>) {
        self.closed = true;
        self.stream = M::nothing();
        if let Some(guard) = guard {
            *guard = SessionGuard::default();
        }
    }

    /// Returns `true` if nothing is left to do for it.
    pub(super) fn is_over(&self) -> bool {
        match self.hears {
            Hears::Cut => true,
            Hears::Told => self.says != Says::Open || self.rest() == Rest::Settled,
            _ => false,
        }
    }

    /// Returns `true` if data may still come from it.
    pub(super) fn is_open(&self) -> bool {
        self.says == Says::Open
    }

    /// Returns `true` if data for it waits to be written or flushed, so that nothing behind it is read.
    pub(super) fn is_stalled(&self) -> bool {
        self.has_unwritten() || self.out.unflushed
    }

    /// Returns `true` if data is on its way to it that has not been written.
    pub(super) fn has_unwritten(&self) -> bool {
        !self.out.tail.is_empty() || self.out.pipe.is_some()
    }
}

/// The maximum that is read of what a peer had sent before it was gone: as much as the buffers of one system may
/// hold. An endless source, such as the standard input of a command whose output is closed, is left there.
const UNREAD: u64 = 8 * 1024 * 1024;
