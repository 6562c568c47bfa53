//! Close codes (RFC 6455 section 7.4, and the registry of IANA) and the reasons that they stand for.

use endpoint::{End, Reason};

/// Returns the reason that a peer's close code stands for.
pub(in crate::ws) fn reason(code: u16) -> Reason {
    match code {
        // 1005 stands for a Close without a code.
        1000 | 1005 => Reason::EndOfStream,
        1001 => Reason::PeerLeft,
        1002 => Reason::ProtocolError,
        1003 | 1007 => Reason::InvalidData,
        1006 => Reason::Truncated,
        1008 => Reason::Forbidden,
        1009 => Reason::TooBig,
        1012 => Reason::Restart,
        1013 => Reason::Limit,
        1014 => Reason::Unreachable,
        1010 | 1011 | 1015 => Reason::Failed,
        _ => Reason::Application,
    }
}

/// Returns the close code of an end: the peer's own if the end came with one.
pub(in crate::ws) fn code(end: &End) -> u16 {
    end.code.unwrap_or_else(|| of(end.why))
}

/// Returns the close code of a reason.
fn of(reason: Reason) -> u16 {
    match reason {
        Reason::EndOfStream | Reason::Exit | Reason::Application => 1000,
        Reason::PeerLeft
        | Reason::Reset
        | Reason::Unresponsive
        | Reason::Idle
        | Reason::Linger
        | Reason::GaveWay
        | Reason::Stopping => 1001,
        Reason::ProtocolError => 1002,
        Reason::InvalidData => 1007,
        Reason::Forbidden | Reason::NotFound => 1008,
        Reason::TooBig => 1009,
        // 1014, a bad gateway, is younger than many a client that would call it an error.
        Reason::Failed | Reason::Truncated | Reason::Unreachable | Reason::Timeout => 1011,
        Reason::Restart => 1012,
        Reason::Limit | Reason::Draining => 1013,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code for a reason is read back as a reason that is as good or as bad.
    #[test]
    fn codes_keep_good_and_bad_apart() {
        for &why in Reason::ALL {
            let heard = reason(of(why));
            if why != Reason::Application {
                assert_eq!(why.is_clean(), heard.is_clean(), "{why:?} is heard as {heard:?}");
            }
        }
        for code in [1000, 1005] {
            assert!(reason(code).is_clean());
        }
        for code in (1001..=1004).chain(1006..=1015).chain([3000, 4999]) {
            assert!(!reason(code).is_clean(), "{code}");
        }
    }
}
