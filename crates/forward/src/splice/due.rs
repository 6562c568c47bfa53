//! The next deadline of a session: its only timer, and what it does.

use std::task::Poll;
use std::time::Duration;

use endpoint::{End, Life, Reason};
use tokio::time::Instant;

use super::closing::{Hears, Lane, Patience, Says, patience};
use super::half::Rest;
use super::medium::Medium;
use super::session::{Running as _, SIDES, Session};
use crate::{Ended, Side};

impl<M: Medium> Session<'_, M> {
    /// Returns the next deadline and what it ends.
    pub(super) fn due(&self) -> Option<(Instant, Due)> {
        let look = self.look_at().map(|at| (at, Due::Look));
        if let Some(by) = self.ended.as_ref().and_then(|over| over.by) {
            return look.into_iter().chain([(by, Due::Over)]).min_by_key(|(at, _)| *at);
        }
        let pending = self.watch.as_ref().is_some_and(|watch| watch.is_pending());
        let idle = self.timers.idle.map(|idle| {
            // A system reports only now and then how much its program has taken, a sixteenth of its buffer at a time.
            let idle = if pending { idle.max((idle * 4).min(DELIVERY)) } else { idle };
            (self.moved + idle, Due::Idle)
        });
        let rests = SIDES.map(|side| self.rest_due(side));
        look.into_iter().chain(idle).chain(rests.into_iter().flatten()).min_by_key(|(at, _)| *at)
    }

    /// Until when what `side` sends is waited for, or what it is sent.
    pub(super) fn rest_due(&self, side: Side) -> Option<(Instant, Due)> {
        let from = match side {
            Side::Near => &self.near,
            Side::Far => &self.far,
        };
        if let Rest::Read { by: Some(by), .. } = from.rest() {
            return Some((by, Due::Settled(side)));
        }
        let lane = self.describe(side);
        let linger = self.timers.linger;
        let at = match patience(lane) {
            Patience::Endless => None,
            Patience::Linger => match self.own_linger(side) {
                Some(own) => Some(self.stirred + own),
                None => linger.map(|linger| self.stirred + linger),
            },
            Patience::Delivery => Some(self.stirred + linger.unwrap_or(DELIVERY)),
            Patience::Close => {
                let close = self.stirred + self.close_time();
                // An answer that goes on and on: not for longer than a half-close lives.
                let since = self.ended.as_ref().map_or(self.stirred, |over| over.since);
                let answers = lane.answers && lane.sink == Hears::Told;
                Some(match linger.filter(|_| answers) {
                    Some(linger) => close.min(since + linger),
                    None => close,
                })
            }
        };
        at.map(|at| (at, Due::Rest(side)))
    }

    /// Returns the input of [`patience`] for what `side` sends.
    pub(super) fn describe(&self, side: Side) -> Lane {
        let (from, to) = match side {
            Side::Near => (&self.near, &self.far),
            Side::Far => (&self.far, &self.near),
        };
        let watch = self.watch.as_ref();
        let sink = watch.and_then(|watch| watch.is_proven(side == Side::Far));
        let ended_behind = watch.is_some_and(|watch| watch.has_ended(side == Side::Near));
        let source = watch.and_then(|watch| watch.is_proven(side == Side::Near));
        let dead = from.dead().is_some();
        let gone = from.says == Says::Failed || (dead && from.is_open() && !ended_behind);
        Lane {
            source: from.says,
            sink: to.hears,
            listens: from.hears.takes(),
            answers: to.is_open(),
            gone,
            left: dead && !gone,
            ended_behind,
            sink_gone: to.dead().is_some(),
            source_ending: from.stream.ending(),
            sink_ending: to.stream.ending(),
            proven: sink == Some(true),
            known: sink.is_some(),
            answer_waits: source == Some(true) && from.has_unwritten(),
            serves: side == Side::Near,
        }
    }

    /// Returns the linger time of the other side of `side`, if that side sets one.
    pub(super) fn own_linger(&self, side: Side) -> Option<Duration> {
        let to = match side {
            Side::Near => &self.far,
            Side::Far => &self.near,
        };
        let own = to.stream.linger().filter(|_| self.timers.own_linger)?;
        Some(self.timers.linger.map_or(own, |linger| linger.min(own)))
    }

    /// Ready if it is over without more ado.
    pub(super) fn expire(&mut self, due: Due) -> Poll<()> {
        match due {
            Due::Over => {
                self.drop_rest();
                return Poll::Ready(());
            }
            Due::Settled(side) => {
                self.half(side).set_rest(Rest::Settled);
            }
            Due::Idle => self.wind_up(Ended::Idle, &End::of(Reason::Idle)),
            Due::Look => self.look(),
            Due::Rest(side) => {
                let (lane, own) = (self.describe(side), self.own_linger(side).is_some());
                if (lane.gone || lane.left) && !lane.sink.is_final() {
                    // It had its time for the data that a client has left behind, and no peer remains for an end.
                    self.abandon(side);
                    return Poll::Pending;
                }
                // A side that asked for the end and got all of its data through has ended the session, and is
                // answered in the same terms: that no answer comes before is nothing unusual. An answer that goes on
                // is cut. One that hasn't begun is not: the end may have been read late.
                let sent = self.half(side).out.written;
                let silent = Instant::now() >= self.stirred + self.close_time()
                    || self.half(side.other()).sent_before().is_none_or(|before| sent <= before);
                let short = own || (patience(lane) == Patience::Close && silent);
                let quiet = !self.has_unwritten();
                let asked = lane.sink == Hears::Told && short && quiet;
                let (why, end) = match self.half(side).said().cloned() {
                    Some(end) if asked => (Ended::Eof(side), end),
                    _ => (Ended::Linger(side), End::of(Reason::Linger)),
                };
                self.wind_up(why, &end);
            }
        }
        Poll::Pending
    }

    /// Gives up a direction whose source is gone and whose sink takes nothing.
    pub(super) fn abandon(&mut self, side: Side) {
        self.note(Ended::Linger(side));
        self.mark_cut(true);
        let sink = self.half(side.other());
        sink.drop_rest(true);
        sink.lose();
        let half = self.half(side);
        if half.is_open() {
            half.over(Says::Failed, None);
        }
        self.stirred = Instant::now();
    }
}

/// Why the one timer runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    /// Nothing moved.
    Idle,
    /// The transports are to be asked.
    Look,
    /// This side has ended, and the rest takes too long.
    Rest(Side),
    /// This side still sends, though it was sent the end.
    Settled(Side),
    /// Both were sent the end, and don't read it.
    Over,
}

/// The time that data that was read waits for progress of its reader when [`Timers::linger`] is off
/// and the side that it came from has gone: nothing else would end such a session.
const DELIVERY: Duration = Duration::from_secs(60);
