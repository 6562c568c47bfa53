//! One side of a session: how far it has ended, each way.

use std::task::{Context, Poll};

use endpoint::{Control, End, Life};
use tokio::time::Instant;

use super::medium::{Medium, Outbox};
use crate::{Act, Failure};

/// One side of a session.
pub(super) struct Half<M: Medium> {
    pub(super) stream: Box<M::Stream>,
    pub(super) control: Control,
    /// What comes from it.
    pub(super) reading: Reading,
    /// What goes to it.
    pub(super) writing: Writing,
    /// What is on its way to it.
    pub(super) out: Outbox,
    /// What it said as its end. Boxed, as everything that most of a session does without.
    pub(super) said: Option<Box<End>>,
    /// Why it died by itself; what it had read ahead by then may still be read.
    pub(super) dead: Option<std::io::ErrorKind>,
    /// What is done about data of its that nobody takes any more.
    pub(super) rest: Rest,
    /// Leave was taken of it.
    left: bool,
}

/// The state of a side's own data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Open,
    /// Its end was read, at this time.
    Ended(Instant),
    /// Reading failed.
    Failed,
}

/// The state of the data for a side.
#[derive(Debug)]
pub(super) enum Writing {
    Open,
    /// All has been read; what is kept is written, then the end is said.
    Closing(Box<End>),
    /// The end is being said.
    Finishing(Box<End>),
    /// The end was said.
    Closed,
    /// It takes nothing more: writing failed, or it ended as a whole.
    Gone,
}

/// Data that a side still sends after it was told the end and when nobody takes it.
///
/// A socket that is closed while something lies unread in it is reset, and a reset destroys what
/// the peer has not read yet: the last bytes that we wrote. So it is read, and forgotten. Not for
/// ever: one who goes on and on doesn't care for our end, and has to be reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Unknown,
    /// It is read until then at the latest, and so many bytes at most.
    Read {
        by: Instant,
        left: usize,
    },
    /// There is no need to wait any more.
    Settled,
}

impl<M: Medium> Half<M> {
    pub(super) fn new(stream: Box<M::Stream>, control: Control) -> Self {
        Self {
            stream,
            control,
            reading: Reading::Open,
            writing: Writing::Open,
            out: Outbox::default(),
            said: None,
            dead: None,
            rest: Rest::Unknown,
            left: false,
        }
    }

    /// No more data will come for it; the end is to be said once the rest is written.
    pub(super) fn close(&mut self, end: End) {
        if matches!(self.writing, Writing::Open) {
            self.writing = Writing::Closing(Box::new(end));
        }
    }

    /// It takes nothing more.
    pub(super) fn give_up(&mut self) {
        self.writing = Writing::Gone;
        self.out.forget();
    }

    /// Brings a close forward: the rest is written, then the end is said.
    ///
    /// # Errors
    /// It takes nothing more.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if let Writing::Closing(end) = &mut self.writing {
            match M::drain(cx, &mut self.stream, &mut self.out) {
                Poll::Ready(Ok(())) => self.writing = Writing::Finishing(std::mem::take(end)),
                Poll::Ready(Err(error)) => return Err(Failure { act: Act::Write, error }),
                Poll::Pending => {}
            }
        }
        if let Writing::Finishing(end) = &self.writing {
            match self.stream.poll_finish(cx, end) {
                Poll::Ready(Ok(())) => self.writing = Writing::Closed,
                Poll::Ready(Err(error)) => return Err(Failure { act: Act::Finish, error }),
                Poll::Pending => {}
            }
        }
        Ok(())
    }

    /// Takes leave of it, if it was told its end and still lives.
    pub(super) fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.left || self.dead.is_some() || !matches!(self.writing, Writing::Closed) {
            return Poll::Ready(());
        }
        let done = self.stream.poll_close(cx);
        self.left = done.is_ready();
        done.map(|_| ())
    }

    /// Whether nothing is left to be done for it.
    pub(super) fn is_over(&self) -> bool {
        match self.writing {
            Writing::Gone => true,
            Writing::Closed => self.reading != Reading::Open || self.rest == Rest::Settled,
            _ => false,
        }
    }

    /// Whether data may still come from it.
    pub(super) fn is_open(&self) -> bool {
        self.reading == Reading::Open
    }

    /// Whether data may still go to it.
    pub(super) fn takes(&self) -> bool {
        matches!(self.writing, Writing::Open)
    }
}
