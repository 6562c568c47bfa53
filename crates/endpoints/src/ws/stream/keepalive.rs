//! Keepalive: a ping after some silence, and an end if the peer is found to be gone after that.
//!
//! Slow is not gone. Signs of life:
//!
//! - anything that the peer sends;
//! - bytes of ours that it takes out of the system's buffers, as far as the transport can tell.
//!
//! A ping with none of our data before it is answered within the pong timeout. One behind data that no pong has
//! confirmed is answered when the peer gets there, which may be tomorrow: until then only the transport knows if the
//! peer is there. It is gone if it has owed an acknowledgement for as long as a ping and its pong may take, at two
//! looks.
//!
//! Time counts only while the peer is being read from. So the clock is looked at in one place: when a read found
//! nothing.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endpoint::{Clock, Peer};
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep};

/// The limits of silence.
#[derive(Clone, Copy, Debug)]
pub(in crate::ws) struct Pace {
    /// Before a ping; `None` is for ever.
    pub(in crate::ws) ping: Option<Duration>,
    /// After one; `None` is for ever.
    pub(in crate::ws) pong: Option<Duration>,
}

/// The clock of one connection.
pub(in crate::ws) struct Keepalive {
    pong: Option<Duration>,
    /// The time of silence before a ping, and a timer until then or earlier; `None` is for ever.
    ping: Option<(Duration, Pin<Box<Sleep>>)>,
    /// Set if something arrived since the clock was last read.
    heard: bool,
    /// Since when there was no sign of life, as far as was looked; or since we have asked.
    since: Instant,
    asked: Asked,
    /// Something was written that no pong has confirmed.
    unconfirmed: bool,
    /// That was written behind our last ping.
    written_since: bool,
    /// The amount that the peer had acknowledged at the last look.
    taken: u64,
}

/// The state of our ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    No,
    /// With or without unconfirmed data before the ping.
    Yes {
        behind: bool,
    },
    /// The answer is overdue, unless it has arrived and hasn't been read.
    Overdue,
    /// The transport found the peer gone, unless a second look finds otherwise.
    Suspected,
}

/// The action after a silence.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ws) enum Due {
    Ping,
    /// There was no answer.
    Death,
}

impl Keepalive {
    pub(in crate::ws) fn new(pace: Pace, clock: &Clock) -> Self {
        let since = Instant::now();
        let ping = pace.ping.map(|ping| (ping, Box::pin(clock.alarm(since + ping))));
        Self {
            pong: pace.pong,
            ping,
            heard: true,
            since,
            asked: Asked::No,
            unconfirmed: false,
            written_since: false,
            taken: 0,
        }
    }

    /// Something came.
    pub(in crate::ws) fn heard(&mut self) {
        self.heard = true;
    }

    /// Something was written.
    pub(in crate::ws) fn wrote(&mut self) {
        self.unconfirmed = true;
        self.written_since = true;
    }

    /// A pong came: data that was written before the ping has been read.
    pub(in crate::ws) fn confirmed(&mut self) {
        if self.asked != Asked::No {
            self.unconfirmed = self.written_since;
        }
    }

    /// Handles a read that found nothing: ready if it has been so for too long. While pending, the
    /// task is woken when it will have been. `peer` has the facts that the transport knows.
    pub(in crate::ws) fn poll_silence(
        &mut self,
        cx: &mut Context<'_>,
        peer: impl FnOnce() -> Option<Peer>,
    ) -> Poll<Due> {
        let Some((ping, _)) = self.ping else { return Poll::Pending };
        if std::mem::take(&mut self.heard) {
            self.since = Instant::now();
            self.asked = Asked::No;
        }
        let due = match (self.asked, self.pong) {
            (Asked::No, _) => self.since + ping,
            (Asked::Suspected, Some(pong)) => self.since + pong.min(RECHECK),
            (_, Some(pong)) => self.since + pong,
            (_, None) => return Poll::Pending,
        };
        ready!(self.poll_timer(cx, due));
        let now = Instant::now();
        match self.asked {
            Asked::No => {
                (self.since, self.asked) = (now, Asked::Yes { behind: self.unconfirmed });
                self.written_since = false;
                if self.unconfirmed {
                    self.taken = peer().map_or(0, |peer| peer.taken);
                }
                Poll::Ready(Due::Ping)
            }
            Asked::Overdue => Poll::Ready(Due::Death),
            Asked::Yes { behind: true } | Asked::Suspected => {
                let limit = ping + self.pong.unwrap_or_default();
                match peer() {
                    Some(peer) if peer.taken > self.taken => {
                        self.taken = peer.taken;
                        (self.since, self.asked) = (now, Asked::Yes { behind: true });
                    }
                    Some(peer) if peer.overdue.is_none_or(|overdue| overdue < limit) => {
                        // It may owe its acknowledgement until then, and no longer.
                        let left = limit - peer.overdue.unwrap_or_default();
                        let early = self.pong.unwrap_or_default().saturating_sub(left);
                        let since = now.checked_sub(early).unwrap_or(now);
                        (self.since, self.asked) = (since, Asked::Yes { behind: true });
                    }
                    Some(_) if self.asked != Asked::Suspected => {
                        (self.since, self.asked) = (now, Asked::Suspected);
                    }
                    Some(_) => return Poll::Ready(Due::Death),
                    // The transport has no facts: the peer has to answer.
                    None => {
                        self.look_again(cx);
                        return Poll::Pending;
                    }
                }
                // To be woken when it is to be looked at next.
                let next = self.since + self.pong.unwrap_or_default();
                let _ = self.poll_timer(cx, next);
                Poll::Pending
            }
            Asked::Yes { behind: false } => {
                self.look_again(cx);
                Poll::Pending
            }
        }
    }

    /// Has the task woken again once this thread has looked for what has arrived.
    fn look_again(&mut self, cx: &mut Context<'_>) {
        self.asked = Asked::Overdue;
        let _ = pin!(yield_now()).poll(cx);
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        let Some((_, timer)) = &mut self.ping else { return Poll::Pending };
        loop {
            // One that would fire too early is left to do so, instead of moved at every read.
            let early = timer.deadline() < due;
            if timer.deadline() > due || (early && timer.is_elapsed()) {
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= due {
                return Poll::Ready(());
            }
        }
    }
}

/// After this, a peer that looks gone is looked at once more.
const RECHECK: Duration = Duration::from_secs(1);
