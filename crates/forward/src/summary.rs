//! The summary of everything that one listener accepted.

use std::fmt;
use std::ops::AddAssign;

use crate::{Ended, Outcome};

/// The numbers of one [`Forwarder::serve`](crate::Forwarder::serve), or of several that were added.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Sessions that were spliced.
    pub sessions: u64,
    /// Those of them that ended with an error of one side.
    pub failed: u64,
    /// Those of them that a timer or a stop of ours cut while data was on its way.
    pub cut: u64,
    /// Those of them that ended after a stop.
    pub cut_by_stop: u64,
    /// Offers that were refused, for whatever reason.
    pub refused: u64,
    /// Those of them whose destination could not be connected.
    pub unreachable: u64,
    /// Peers that left before their offer was decided, or whose handshake failed.
    pub lost: u64,
    /// Tasks that panicked. Each cost its own session.
    pub panicked: u64,
    /// Bytes of payload from near to far.
    pub sent: u64,
    /// Bytes of payload from far to near.
    pub received: u64,
    /// The outcome of the session that ended last.
    pub last: Option<Outcome>,
}

impl Summary {
    /// Adds a session; `stopped` is set once there was a stop.
    pub(crate) fn add(&mut self, outcome: Outcome, stopped: bool) {
        self.sessions += 1;
        self.failed += u64::from(matches!(outcome.end, Ended::Error(..)));
        self.cut += u64::from(outcome.cut);
        self.cut_by_stop += u64::from(outcome.cut && stopped);
        self.sent += outcome.sent;
        self.received += outcome.received;
        self.last = Some(outcome);
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        // Every field by its name, so that none is forgotten.
        let Self {
            sessions,
            failed,
            cut,
            cut_by_stop,
            refused,
            unreachable,
            lost,
            panicked,
            sent,
            received,
            last,
        } = other;
        self.sessions += sessions;
        self.failed += failed;
        self.cut += cut;
        self.cut_by_stop += cut_by_stop;
        self.refused += refused;
        self.unreachable += unreachable;
        self.lost += lost;
        self.panicked += panicked;
        self.sent += sent;
        self.received += received;
        self.last = last.or(self.last.take());
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sessions, refused, sent, received, .. } = self;
        let s = if *sessions == 1 { "" } else { "s" };
        write!(
            f,
            "{sessions} session{s}, {refused} refused, {sent} bytes sent, {received} received"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_session_is_one() {
        let one = Summary { sessions: 1, ..Summary::default() };
        assert_eq!(one.to_string(), "1 session, 0 refused, 0 bytes sent, 0 received");
        assert!(Summary::default().to_string().starts_with("0 sessions"));
    }
}
