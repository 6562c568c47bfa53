//! The outcome of a session: its end, the reason, and the amounts moved.

use std::fmt;
use std::io;
use std::time::Duration;

use endpoint::{End, ExitStatus, Reason, describe};

/// One of a session's two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one that was accepted.
    Near,
    /// The one that was connected.
    Far,
}

impl Side {
    /// Returns the opposite side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Near => Self::Far,
            Self::Far => Self::Near,
        }
    }

    /// Returns the name for users: `client` or `destination`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Near => "client",
            Self::Far => "destination",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The outcome of a session. `Display` is one line with the end, the reason and the numbers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Bytes of payload that the far side took.
    pub sent: u64,
    /// Bytes of payload that the near side took.
    pub received: u64,
    /// Those of both that went past us inside the kernel.
    pub spliced: u64,
    /// The time from when both sides were open until both are closed.
    pub duration: Duration,
    /// The side or the event that ended it.
    pub end: Ended,
    /// The end of the near side, if it came to that.
    pub near: Option<End>,
    /// The end of the far side, if it came to that; it has a program's exit status.
    pub far: Option<End>,
    /// Set if data was dropped that its reader might still have read: a timer, a stop or a failure cut it.
    pub cut: bool,
}

/// The side or the event that ended a session.
#[derive(Debug)]
pub enum Ended {
    /// This side ended first, and all went well.
    Eof(Side),
    /// This side failed. Data that could still be delivered was delivered.
    Error(Side, Failure),
    /// No byte moved for as long as [`Timers::idle`](crate::Timers::idle) allows.
    Idle,
    /// This side had ended, and the rest took longer than
    /// [`Timers::linger`](crate::Timers::linger) or [`Timers::close`](crate::Timers::close) allows.
    Linger(Side),
    /// It was ending, and gave its place to another client.
    GaveWay,
    /// The forwarder stopped, with this end for the peers.
    Shutdown(End),
}

/// The failure of a side.
#[derive(Debug)]
pub struct Failure {
    /// While doing what.
    pub act: Act,
    /// The error.
    pub error: io::Error,
}

/// The operation of the splice on a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Reading its data.
    Read,
    /// Writing, or flushing what was written.
    Write,
    /// Sending the end.
    Finish,
    /// None: the connection died without one, for example when a ping was not answered.
    Live,
}

impl Outcome {
    /// Creates an outcome without data, for tests of an observer.
    #[must_use]
    pub fn new(end: Ended) -> Self {
        Self {
            sent: 0,
            received: 0,
            spliced: 0,
            duration: Duration::ZERO,
            end,
            near: None,
            far: None,
            cut: false,
        }
    }

    /// Returns the reason of the end, from the closed list.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match &self.end {
            Ended::Eof(side) => {
                // The worse of both ends: the second one may be the answer to the first one.
                let first = self.said(*side).map_or(Reason::EndOfStream, |end| end.why);
                let second = self.said(side.other()).map(|end| end.why);
                match second {
                    Some(second) if first.is_clean() && is_failure(second) => second,
                    _ => first,
                }
            }
            Ended::Error(_, failure) => match failure.error.kind() {
                io::ErrorKind::TimedOut => Reason::Unresponsive,
                io::ErrorKind::InvalidData => Reason::ProtocolError,
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => Reason::Reset,
                _ => Reason::Failed,
            },
            Ended::Idle => Reason::Idle,
            Ended::Linger(_) => Reason::Linger,
            Ended::GaveWay => Reason::GaveWay,
            Ended::Shutdown(end) => end.why,
        }
    }

    /// Returns the side that ended the session, by its end or its failure; `None` if this process did.
    #[must_use]
    pub fn by(&self) -> Option<Side> {
        match self.end {
            Ended::Eof(side) | Ended::Error(side, _) => Some(side),
            Ended::Idle | Ended::Linger(_) | Ended::GaveWay | Ended::Shutdown(_) => None,
        }
    }

    /// Returns `true` if both sides ended normally and each has received all data of the other, as far as this can be
    /// known.
    ///
    /// A stop that cut nothing is no failure; a client that gave way to another one had ended before.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        match &self.end {
            // A signal that a program got while its session went on wasn't ours.
            Ended::Eof(side) => self.reason().is_clean() && !self.cut && !self.was_killed(*side),
            Ended::Shutdown(_) | Ended::GaveWay => !self.cut,
            Ended::Error(..) | Ended::Idle | Ended::Linger(_) => false,
        }
    }

    fn was_killed(&self, side: Side) -> bool {
        let status = self.said(side).and_then(|end| end.status);
        matches!(status, Some(ExitStatus::Signal(_)))
    }

    /// Returns the end and its reason in words, without the numbers.
    pub fn cause(&self) -> impl fmt::Display {
        Cause(self)
    }

    /// Returns the end that `side` sent.
    #[must_use]
    pub fn said(&self, side: Side) -> Option<&End> {
        match side {
            Side::Near => self.near.as_ref(),
            Side::Far => self.far.as_ref(),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause())?;
        if self.cut {
            f.write_str(", data was lost")?;
        }
        let Self { sent, received, .. } = self;
        let seconds = self.duration.as_secs_f64();
        write!(f, "; {sent} bytes sent, {received} received, {seconds:.1} s")
    }
}

/// The end of a session and its reason in words, without the numbers.
struct Cause<'a>(&'a Outcome);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.0;
        match &outcome.end {
            Ended::Eof(side) => {
                let left = if *side == Side::Near { "left" } else { "ended" };
                write!(f, "{side} {left}")?;
                if let Some(end) = outcome.said(*side)
                    && *end != End::eof()
                {
                    write!(f, " ({end})")?;
                }
                // A program's exit status is news even if it was the other side that began.
                if let Some(status) = outcome.said(side.other()).and_then(|end| end.status) {
                    write!(f, "; {status}")?;
                }
            }
            Ended::Error(side, failure) => write!(f, "{side} failed, {failure}")?,
            Ended::Idle => f.write_str("ended by us: idle")?,
            Ended::Linger(side) => {
                let (left, other) = match side {
                    Side::Near => ("had left", "destination"),
                    Side::Far => ("had ended", "client"),
                };
                let took = outcome.said(side.other()).is_some();
                let what = if took { "did not read the rest" } else { "went on" };
                write!(f, "ended by us: {side} {left}, {other} {what} for too long")?;
            }
            Ended::GaveWay => f.write_str("ended by us: another client needs its place")?,
            Ended::Shutdown(end) => write!(f, "ended by us: {end}")?,
        }
        Ok(())
    }
}

/// Returns `true` if an end that only answers another one is a failure: a side that repeats the close code that it
/// received isn't.
fn is_failure(why: Reason) -> bool {
    matches!(why, Reason::Truncated | Reason::ProtocolError | Reason::InvalidData | Reason::Failed)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { act, error } = self;
        write!(f, "{act}: {}", describe(error))
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "reading",
            Self::Write => "writing",
            Self::Finish => "finishing",
            Self::Live => "waiting",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(end: Ended, near: Option<End>, far: Option<End>) -> String {
        let duration = Duration::from_millis(1234);
        Outcome { sent: 12, received: 340, duration, near, far, ..Outcome::new(end) }.to_string()
    }

    #[test]
    fn one_line_says_who_and_why() {
        let numbers = "; 12 bytes sent, 340 received, 1.2 s";
        let reset = || io::Error::from_raw_os_error(104);
        let cases = [
            (
                line(
                    Ended::Eof(Side::Near),
                    Some(End::with_code(Reason::EndOfStream, 1000, "")),
                    None,
                ),
                "client left (close 1000)",
            ),
            (line(Ended::Eof(Side::Far), None, Some(End::eof())), "destination ended"),
            (
                line(
                    Ended::Error(Side::Far, Failure { act: Act::Read, error: reset() }),
                    None,
                    None,
                ),
                "destination failed, reading: connection reset by peer",
            ),
            (line(Ended::Idle, None, None), "ended by us: idle"),
            (
                line(Ended::Linger(Side::Near), Some(End::eof()), None),
                "ended by us: client had left, destination went on for too long",
            ),
            (
                line(Ended::Shutdown(End::of(Reason::Restart)), None, None),
                "ended by us: service restart",
            ),
        ];
        for (line, start) in cases {
            assert_eq!(line, format!("{start}{numbers}"));
        }
    }
}
