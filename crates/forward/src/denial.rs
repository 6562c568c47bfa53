//! Why an offer does not become a session, and what its peer may know about that.

use endpoint::{End, Error, ErrorKind, Grants, Refusal, RefusalKind};

/// Why an offer does not become a session.
pub(crate) enum Denied {
    Refused(Refusal),
    Unreachable(Refusal),
    Left(End),
    /// Nothing new is to begin.
    Closing,
}

/// Returns the denial for a destination that took too long.
pub(crate) fn out_of_time() -> Denied {
    let words = "the destination did not answer in time";
    Denied::Unreachable(Refusal::new(RefusalKind::Timeout, words))
}

/// Returns the refusal that a peer gets if its destination can't be connected: the cause that the log has, without
/// names and addresses.
pub(crate) fn told(error: &Error, grants: Grants) -> Refusal {
    let program = grants == Grants::Program;
    let kind = match error.kind() {
        ErrorKind::Timeout => RefusalKind::Timeout,
        ErrorKind::Busy | ErrorKind::Unavailable => RefusalKind::Busy,
        ErrorKind::Forbidden => RefusalKind::Forbidden,
        ErrorKind::Unrouted => RefusalKind::NotFound,
        // A device is plugged in again, and a name may be known later. A program that isn't there stays away.
        ErrorKind::NotFound | ErrorKind::Permission if program => RefusalKind::Broken,
        _ => RefusalKind::Refused,
    };
    let words = match (error.kind(), grants) {
        (ErrorKind::Timeout, _) => "the destination did not answer in time".to_owned(),
        (ErrorKind::Busy, _) => "the destination is in use".to_owned(),
        (ErrorKind::Forbidden, _) => "this destination is not allowed".to_owned(),
        (ErrorKind::Unavailable, _) => {
            "the destination can't be looked up at the moment".to_owned()
        }
        (ErrorKind::Unrouted, _) => "there is no such destination".to_owned(),
        (ErrorKind::NotFound, Grants::Program) => "there is no such program".to_owned(),
        (ErrorKind::NotFound, Grants::Device) => "the device doesn't exist".to_owned(),
        (kind, _) => {
            let cause = error.bare_cause().unwrap_or_else(|| {
                let words = match kind {
                    ErrorKind::NotFound => "its name is unknown",
                    ErrorKind::Permission => "permission denied",
                    ErrorKind::Protocol => "it violates its protocol",
                    ErrorKind::Refused => "it refused",
                    _ => "",
                };
                words.to_owned()
            });
            let colon = if cause.is_empty() { "" } else { ": " };
            format!("cannot connect to the destination{colon}{cause}")
        }
    };
    Refusal::new(kind, words)
}
