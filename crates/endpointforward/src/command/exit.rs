//! Exit statuses of the command, as in sysexits(3).

use std::process::ExitCode;

use crate::{Error, Summary};
use endpoint::{ErrorKind, ExitStatus, Reason};
use forward::{Ended, Outcome};

/// A status of sysexits.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well, or was stopped and drained.
    Ok,
    /// `EX_USAGE`: options or descriptors have mistakes.
    Usage,
    /// `EX_UNAVAILABLE`: an endpoint can't be bound, a device or the destination can't be opened.
    Unavailable,
    /// `EX_IOERR`: an open endpoint failed.
    Io,
    /// `EX_TEMPFAIL`: a timer or a stop of ours cut the session.
    Cut,
    /// `EX_PROTOCOL`: a peer ended with a failure.
    BadEnd,
    /// `EX_NOPERM`: the system doesn't let us.
    Permission,
}

impl Exit {
    /// For an error before anything was served.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Descriptor(_) => Self::Usage,
            Error::Endpoint(error) if error.kind() == ErrorKind::Permission => Self::Permission,
            _ => Self::Unavailable,
        }
    }

    /// For a forwarder that ended without a stop, as with `stdio` or `--once`.
    pub(crate) fn of_summary(summary: &Summary) -> Self {
        match &summary.last {
            _ if summary.panicked > 0 => Self::Io,
            Some(outcome) if !outcome.is_clean() => Self::of_outcome(outcome),
            // It may have failed: its status is not known.
            Some(outcome) if has_unknown_status(outcome) => Self::Io,
            Some(outcome) if has_failed_program(outcome) => Self::BadEnd,
            None if summary.unreachable > 0 => Self::Unavailable,
            _ => Self::Ok,
        }
    }

    /// For a session that did not end well.
    fn of_outcome(outcome: &Outcome) -> Self {
        match outcome.end {
            _ if outcome.reason() == Reason::Unresponsive => Self::Cut,
            Ended::Error(..) => Self::Io,
            Ended::Eof(_) if !outcome.reason().is_clean() => Self::BadEnd,
            Ended::Eof(side) if !outcome.cut && outcome.said(side).is_some() => Self::BadEnd,
            _ => Self::Cut,
        }
    }
}

/// Returns `true` if a program ended, and the system doesn't tell how.
fn has_unknown_status(outcome: &Outcome) -> bool {
    let ends = [&outcome.near, &outcome.far].into_iter().flatten();
    ends.into_iter().any(|end| end.status == Some(ExitStatus::Unknown))
}

/// Returns `true` if a program's exit status reports a failure, before or after the end of its input.
fn has_failed_program(outcome: &Outcome) -> bool {
    let mut ends = [&outcome.near, &outcome.far].into_iter().flatten();
    ends.any(|end| matches!(end.status, Some(ExitStatus::Code(1..))))
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Usage => 64,
            Exit::Unavailable => 69,
            Exit::Io => 74,
            Exit::Cut => 75,
            Exit::BadEnd => 76,
            Exit::Permission => 77,
        })
    }
}

#[cfg(test)]
mod tests {
    use endpoint::End;
    use forward::Side;

    use super::*;

    #[test]
    fn a_program_that_may_have_failed_is_no_success() {
        let exit = |status| {
            let mut outcome = Outcome::new(Ended::Eof(Side::Far));
            outcome.far = Some(End::exited(status));
            let mut summary = Summary::default();
            summary.last = Some(outcome);
            Exit::of_summary(&summary)
        };
        assert_eq!(exit(ExitStatus::Code(0)), Exit::Ok);
        assert_eq!(exit(ExitStatus::Unknown), Exit::Io);
        assert_eq!(exit(ExitStatus::Code(3)), Exit::BadEnd);
        assert_eq!(exit(ExitStatus::Signal(9)), Exit::BadEnd);
    }
}
