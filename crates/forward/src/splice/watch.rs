//! Looks at the facts that the transports know about their peers, seldom and only while there is something to look for.
//!
//! - A side is *stalled*: nothing is read from the other one, so only a look shows that it was reset or is gone.
//! - Something was *written*: the peer may be gone without a word before it has taken that.
//! - A side was *sent its end*: it is over once everything was acknowledged.
//! - There is an *idle timeout*: bytes that a slow peer takes out of the system's buffers are life, too.

use std::io;
use std::time::Duration;

use endpoint::PeerState;
use tokio::time::Instant;

use super::closing::Hears;
use super::half::Half;
use super::medium::Medium;

/// When to look next, and what was seen. Made at the first look, or when a side stalls or ends.
#[derive(Debug)]
pub(super) struct Watch {
    /// When to look next.
    pub(super) at: Instant,
    /// The time until the next look after that, in milliseconds.
    step: u32,
    near: Seen,
    far: Seen,
    /// When one of them was first found gone.
    suspected: Option<Instant>,
    /// Set if one of them had unread data, and only its acknowledgements show when it reads it.
    pending: bool,
}

/// The last look at one side.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// The amount that it had acknowledged.
    taken: Option<u64>,
    /// Set if its transport proves that it is alive.
    proven: bool,
    /// Its end has arrived.
    ended: bool,
    /// It takes nothing more.
    gone: bool,
}

/// The result of a look at one side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Finding {
    /// It has taken something since the last look.
    pub(super) progress: bool,
    /// It is gone.
    pub(super) gone: Option<io::ErrorKind>,
    /// It has something to take.
    pub(super) pending: bool,
    /// Set if its transport knows anything.
    pub(super) known: bool,
    /// It may be gone: another look decides.
    suspected: bool,
    /// It takes nothing more; another look decides whether it is a failure.
    vanished: bool,
}

impl Watch {
    /// Looks for the first time after `step`.
    pub(super) fn after(step: Duration, now: Instant) -> Self {
        Self {
            at: now + step,
            step: millis(step),
            near: Seen::default(),
            far: Seen::default(),
            suspected: None,
            pending: false,
        }
    }

    /// Looks sooner, if that is sooner than was meant.
    pub(super) fn hurry(&mut self, step: Duration, now: Instant) {
        if now + step < self.at {
            (self.at, self.step) = (now + step, millis(step));
        }
    }

    /// Looks at a side.
    pub(super) fn look<M: Medium>(
        &mut self,
        near: bool,
        half: &mut Half<M>,
        now: Instant,
    ) -> Finding {
        if half.dead().is_some() || half.hears == Hears::Cut {
            return Finding::default();
        }
        let Some(peer) = half.look() else { return Finding::default() };
        let seen = if near { &mut self.near } else { &mut self.far };
        let progress = seen.taken.is_some_and(|before| peer.taken > before);
        seen.taken = Some(peer.taken);
        seen.proven = peer.proven;
        seen.ended |= peer.state == PeerState::Ended;
        let mut finding = Finding {
            progress,
            pending: peer.pending > 0 || half.has_unwritten(),
            known: true,
            ..Finding::default()
        };
        if peer.state == PeerState::Gone {
            // A connection that has ended both ways looks the same. A side that can be read tells which it was, before
            // the next look.
            if std::mem::replace(&mut seen.gone, true) {
                finding.gone = Some(io::ErrorKind::ConnectionReset);
            }
            finding.vanished = true;
        } else if peer.overdue.is_some_and(|overdue| overdue >= SILENCE) && !progress {
            finding.suspected = true;
            let since = *self.suspected.get_or_insert(now);
            finding.gone = (now >= since + RECHECK).then_some(io::ErrorKind::TimedOut);
        }
        finding
    }

    /// Returns `true` if the end of a side has arrived, read or not.
    pub(super) fn has_ended(&self, near: bool) -> bool {
        if near { self.near.ended } else { self.far.ended }
    }

    /// Returns `true` if the transport of a side proves that it is alive; `None` if it doesn't know, or wasn't asked.
    pub(super) fn is_proven(&self, near: bool) -> Option<bool> {
        let seen = if near { self.near } else { self.far };
        seen.taken.map(|_| seen.proven)
    }

    /// Returns `true` if a side had unread data at the last look.
    pub(super) fn is_pending(&self) -> bool {
        self.pending
    }

    /// Sets the time of the next look; `most` is the longest that it may take.
    pub(super) fn again(&mut self, found: [Finding; 2], most: Duration, now: Instant) {
        let suspected = found.iter().any(|finding| finding.suspected);
        if !suspected {
            self.suspected = None;
        }
        self.pending =
            (self.near.proven && found[0].pending) || (self.far.proven && found[1].pending);
        let vanished = found.iter().any(|finding| finding.vanished);
        if vanished {
            self.step = self.step.min(millis(VANISHED));
        }
        let most = match (vanished, suspected) {
            (true, _) => VANISHED,
            (_, true) => RECHECK,
            _ => most,
        };
        self.step = self.step.saturating_mul(2).min(millis(most));
        self.at = now + Duration::from_millis(self.step.into());
    }
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1)
}

/// The time that a peer may owe an acknowledgement. It equals `ping` and `pong-timeout` of a WebSocket together, and
/// the time that the keepalive probes of a silent TCP connection take.
pub(super) const SILENCE: Duration = Duration::from_secs(45);

/// After this, a peer that looks gone is looked at once more.
const RECHECK: Duration = Duration::from_secs(1);

/// After this, a peer that takes nothing more has been read from, if it could be.
const VANISHED: Duration = Duration::from_millis(20);

/// The interval of looks at a stalled session.
pub(super) const STALLED: Duration = Duration::from_secs(1);

/// The first look for what was written, and the longest pause while something is pending.
pub(super) const WRITTEN: Duration = Duration::from_secs(15);

/// The time of the first look after an end was sent; each further one takes twice as long.
pub(super) const DELIVERY: Duration = Duration::from_millis(1);
