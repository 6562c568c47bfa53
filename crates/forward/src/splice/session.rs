//! The state of a session, and what a poll does with it; [`steps`](super::steps) has the steps for each side.

use std::future::{Future, poll_fn};
use std::num::NonZero;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use endpoint::{Clock, End, Life, SessionGuard};
use tokio::time::{Instant, timeout};

use super::Company;
use super::half::Half;
use super::medium::Medium;
use super::signals::cross;
use super::timer::Timer;
use super::watch::{self, Watch};
use crate::{Ended, Outcome, Side, Stop, Timers};

/// Two sides, and what is going on between them.
pub(super) struct Session<'t, M: Medium> {
    pub(super) near: Half<M>,
    pub(super) far: Half<M>,
    pub(super) timers: &'t Timers,
    timer: Timer<'t>,
    pub(super) began: Instant,
    /// When the last byte was taken.
    pub(super) moved: Instant,
    /// When the last byte was taken or a side came closer to its end.
    pub(super) stirred: Instant,
    /// The side or event that ended it, once known. The first error stays.
    pub(super) ended: Option<Box<Over>>,
    /// The watch over the transports, if there is one.
    pub(super) watch: Option<Box<Watch>>,
    /// The time of a write whose effect was not looked for yet: milliseconds since the session began. A watch is
    /// larger, and most sessions never need one.
    pub(super) wrote: Option<NonZero<u32>>,
    /// Set if neither transport knows anything: there is nothing to look at.
    pub(super) blind: bool,
    /// The guards of the sides, if any; dropped last, when their streams are gone.
    held: Option<Box<(SessionGuard, SessionGuard)>>,
    /// Here rather than in a wrapper of the session: the future of its task is as large as what it keeps, and rounded
    /// up.
    company: Company<'t>,
}

/// How a session ends.
pub(super) struct Over {
    pub(super) why: Ended,
    /// Since when it has been ending. A reader that was found slow, and proven alive, sets it anew.
    pub(super) since: Instant,
    /// The time at which both sides are dropped at the latest; no data is read any more.
    pub(super) by: Option<Instant>,
    /// Data was thrown away that its reader might have taken.
    pub(super) cut: bool,
}

/// A session, whatever it moves.
pub(super) trait Running<'t>: Send {
    /// Ready when both sides are over and may be dropped.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Returns `true` if a side has ended, so that the session goes on for the rest only.
    fn is_ending(&self) -> bool;

    /// When something last moved.
    fn stirred(&self) -> Instant;

    /// Payload that the far side and the near side have taken.
    fn written(&self) -> (u64, u64);

    /// Stops reading for good, and has `end` sent to both sides, within the close timeout.
    fn wind_up(&mut self, why: Ended, end: &End);

    /// Ends at once. A side that misses no data is sent `end`, if it takes that now.
    fn cut(&mut self, cx: &mut Context<'_>, why: Ended, end: &End);

    /// Closes the transports of the sides that were sent their end, within the close timeout and before the last step of
    /// `stop`.
    fn leave<'a>(&'a mut self, stop: &'a Stop) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// The times that it keeps to.
    fn timers(&self) -> &'t Timers;

    /// Returns the parties apart from the two sides.
    fn company(&mut self) -> &mut Company<'t>;

    /// Lets both sides go.
    fn into_outcome(self: Box<Self>) -> Outcome;
}

impl<'t, M: Medium> Session<'t, M> {
    pub(super) fn new(
        near: Half<M>,
        far: Half<M>,
        timers: &'t Timers,
        held: (SessionGuard, SessionGuard),
        clock: &'t Clock,
        company: Company<'t>,
    ) -> Self {
        let began = Instant::now();
        Self {
            near,
            far,
            timers,
            timer: Timer::by(clock),
            began,
            moved: began,
            stirred: began,
            ended: None,
            watch: None,
            wrote: None,
            blind: false,
            held: (!held.0.is_empty() || !held.1.is_empty()).then(|| Box::new(held)),
            company,
        }
    }
}

impl<'t, M: Medium> Running<'t> for Session<'t, M> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            for side in SIDES {
                self.live(cx, side);
            }
            self.cross_signals(cx);
            let before = self.total();
            let mut stalled = false;
            if !self.is_winding_up() {
                for side in SIDES {
                    stalled |= self.pump(cx, side);
                }
                if self.ended.is_some() {
                    // A program's exit status is sent separately from its end, and must not come after it.
                    self.cross_signals(cx);
                }
            }
            let wrote = self.total() != before;
            if stalled && self.watch.is_none() {
                self.begin_watch(watch::STALLED);
            } else if wrote && self.watch.is_none() && self.wrote.is_none() && !self.blind {
                self.remember_write();
            } else if stalled && let Some(watch) = &mut self.watch {
                watch.hurry(watch::STALLED, Instant::now());
            }
            if self.ended.is_none() && self.timers.idle.is_none() && self.watch.is_none() {
                // Both are whole: nothing is to be closed, and no timer asks for the clock, but for one that runs already.
                if self.wrote.is_none() {
                    self.timer.forget();
                    return Poll::Pending;
                }
                if self.timer.is_running() {
                    return Poll::Pending;
                }
            }
            for side in SIDES {
                self.close(cx, side);
            }
            if self.total() != before {
                self.moved = Instant::now();
                self.stirred = self.moved;
            }
            for side in SIDES {
                self.settle(cx, side);
            }
            if self.near.is_over() && self.far.is_over() {
                self.cross_signals(cx);
                return Poll::Ready(());
            }
            let due = self.due();
            if self.timer.poll(cx, due.map(|(at, _)| at)).is_pending() {
                return Poll::Pending;
            }
            if let Some((_, due)) = due
                && self.expire(due).is_ready()
            {
                return Poll::Ready(());
            }
        }
    }

    fn is_ending(&self) -> bool {
        self.ended.is_some()
    }

    fn stirred(&self) -> Instant {
        self.stirred
    }

    fn written(&self) -> (u64, u64) {
        (self.far.out.written, self.near.out.written)
    }

    fn wind_up(&mut self, why: Ended, end: &End) {
        if !self.is_winding_up() {
            let by = Instant::now() + self.close_time();
            let asked = matches!(why, Ended::Eof(_));
            self.note(why);
            let mut cut = false;
            for side in SIDES {
                let (from, to) = self.lane(side);
                // A stalled side may have more data behind it, which is not read any more.
                let more = to.hears.takes() && (to.is_stalled() || from.is_unfinished());
                cut |= more;
                to.close(if more { end.clone().cutting() } else { end.clone() });
            }
            if let Some(over) = &mut self.ended {
                over.cut |= cut && !asked;
                over.by = Some(by);
            }
        }
    }

    fn cut(&mut self, cx: &mut Context<'_>, why: Ended, end: &End) {
        self.note(why);
        let lost = self.drop_rest();
        for (side, lost) in SIDES.into_iter().zip(lost) {
            let half = self.half(side);
            if !lost {
                half.close(end.clone());
                // No peer is waited for.
                let _ = half.poll_close(cx);
            }
            half.lose();
        }
    }

    fn leave<'a>(&'a mut self, stop: &'a Stop) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let close = self.close_time();
        let (near, far, held) = (&mut self.near, &mut self.far, &mut self.held);
        let leaving = poll_fn(move |cx| {
            match (near.poll_leave(cx).is_pending(), far.poll_leave(cx).is_pending()) {
                (false, false) => return Poll::Ready(()),
                // A side that has nothing more to send is given back at once, with the guard that is held for it: the
                // next client of a device doesn't wait for the farewell of the last one.
                (true, false) => far.give_back(held.as_mut().map(|held| &mut held.1)),
                (false, true) => near.give_back(held.as_mut().map(|held| &mut held.0)),
                (true, true) => {}
            }
            Poll::Pending
        });
        // Boxed, so that a session doesn't carry this timer all along. A peer that doesn't take its
        // close is left without it.
        Box::pin(async move {
            tokio::select! {
                _ = timeout(close, leaving) => {}
                _ = stop.immediate() => {}
            }
        })
    }

    fn timers(&self) -> &'t Timers {
        self.timers
    }

    fn company(&mut self) -> &mut Company<'t> {
        &mut self.company
    }

    fn into_outcome(mut self: Box<Self>) -> Outcome {
        self.near.complete_end();
        self.far.complete_end();
        let ended = self.ended.expect("a side is closed only by an end, an error or a timer");
        Outcome {
            sent: self.far.out.written,
            received: self.near.out.written,
            spliced: self.near.out.spliced + self.far.out.spliced,
            duration: self.began.elapsed(),
            end: ended.why,
            near: self.near.said().cloned(),
            far: self.far.said().cloned(),
            cut: ended.cut,
        }
    }
}

impl<M: Medium> Session<'_, M> {
    /// Moves each side's outgoing signals to the other's incoming ones.
    fn cross_signals(&mut self, cx: &mut Context<'_>) {
        cross(cx, &mut self.near.control, &self.far.control);
        cross(cx, &mut self.far.control, &self.near.control);
    }

    /// Keeps the reason of its end: the first one, unless an error or a timer cuts the rest.
    pub(super) fn note(&mut self, why: Ended) {
        match &mut self.ended {
            None => {
                self.ended =
                    Some(Box::new(Over { why, since: Instant::now(), by: None, cut: false }));
            }
            Some(over) => match (&over.why, &why) {
                (Ended::Eof(_), Ended::Eof(_)) => {}
                (Ended::Eof(_), _) => over.why = why,
                _ => {}
            },
        }
    }

    /// Returns [`Timers::close`], unless a side has its own close timeout.
    pub(super) fn close_time(&self) -> Duration {
        // The longer one decides: the close of both sides runs under one timer.
        let own = [&self.near, &self.far].map(|half| half.stream.close_timeout());
        own.into_iter().flatten().max().unwrap_or(self.timers.close)
    }

    /// No data is read any more.
    pub(super) fn is_winding_up(&self) -> bool {
        self.ended.as_ref().is_some_and(|over| over.by.is_some())
    }

    pub(super) fn has_unwritten(&self) -> bool {
        self.near.has_unwritten() || self.far.has_unwritten()
    }

    /// Both sides are dropped next: one that misses data sees a cut. Returns which of [`SIDES`] may miss some.
    pub(super) fn drop_rest(&mut self) -> [bool; 2] {
        let lost = SIDES.map(|side| {
            let (from, to) = self.lane(side.other());
            let more = from.is_unfinished();
            to.drop_rest(more)
        });
        self.mark_cut(lost.contains(&true));
        lost
    }

    /// Notes that data was thrown away, if `cut`.
    pub(super) fn mark_cut(&mut self, cut: bool) {
        if let Some(over) = &mut self.ended {
            over.cut |= cut;
        }
    }

    pub(super) fn half(&mut self, side: Side) -> &mut Half<M> {
        self.lane(side).0
    }

    /// `side`, and the side that its data goes to.
    pub(super) fn lane(&mut self, side: Side) -> (&mut Half<M>, &mut Half<M>) {
        match side {
            Side::Near => (&mut self.near, &mut self.far),
            Side::Far => (&mut self.far, &mut self.near),
        }
    }

    fn total(&self) -> u64 {
        self.near.out.written + self.far.out.written
    }
}

pub(super) const SIDES: [Side; 2] = [Side::Near, Side::Far];
