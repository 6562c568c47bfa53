//! Exit statuses of the command, as in sysexits(3).

use std::process::ExitCode;

use crate::{Error, Summary};
use endpoint::{ErrorKind, ExitStatus, Reason};
use forward::{Ended, Outcome};

/// A status of sysexits.h. [`STATUSES`] has the meaning of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok,
    /// `EX_USAGE`
    Usage,
    /// `EX_UNAVAILABLE`
    Unavailable,
    /// `EX_IOERR`
    Io,
    /// `EX_TEMPFAIL`
    Cut,
    /// `EX_PROTOCOL`
    BadEnd,
    /// `EX_NOPERM`
    Permission,
}

/// Every status, its number, and the sentence that `--help` has.
const STATUSES: [(Exit, u8, &str); 7] = [
    (Exit::Ok, 0, "Done, or stopped without cutting off data."),
    (Exit::Usage, 64, "An option or a descriptor has an error."),
    (Exit::Unavailable, 69, "An endpoint can't be opened."),
    (Exit::Io, 74, "An endpoint failed later, or standard output can't be written."),
    (
        Exit::Cut,
        75,
        "A timer ended the session (--linger, --idle-timeout, a ping timeout), or a close timeout or a stop cut off data \
         (--grace, a second signal).",
    ),
    (
        Exit::BadEnd,
        76,
        "A peer ended abnormally: a WebSocket broke off or closed with another code than 1000, or a program failed.",
    ),
    (Exit::Permission, 77, "The system denies permission to open an endpoint to listen on."),
];

/// Returns the number of every status, and its sentence.
pub(crate) fn statuses() -> impl Iterator<Item = (u8, &'static str)> {
    STATUSES.iter().map(|(_, number, about)| (*number, *about))
}

/// The sessions that the statuses are about.
pub(crate) const NOTE: &str = "With `stdio` or --once, 74 to 76 describe the last session. After a signal to stop, 75 describes all sessions that it \
                               ended.";

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
    ends.any(|end| match end.status {
        Some(ExitStatus::Code(code)) => code > 0,
        Some(ExitStatus::Signal(signal)) => !OURS.contains(&signal),
        Some(ExitStatus::Unknown) | None => false,
    })
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        // The table is in the order of the type.
        Self::from(STATUSES[exit as usize].1)
    }
}

/// SIGHUP and SIGTERM, with the numbers of POSIX: a program that has closed its input and output is sent these by us.
const OURS: [i32; 2] = [1, 15];

#[cfg(test)]
mod tests {
    use endpoint::End;
    use forward::Side;

    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_type() {
        for (index, (exit, ..)) in STATUSES.iter().enumerate() {
            assert_eq!(*exit as usize, index, "{exit:?}");
        }
        assert_eq!(Exit::Permission as usize, STATUSES.len() - 1, "every status has a row");
    }

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
