//! The state of a session, and what a poll does with it.

use std::future::{Future, poll_fn};
use std::io;
use std::num::NonZero;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use endpoint::{Clock, End, Ending, Life, PeerState, SessionGuard};
use tokio::time::{Instant, timeout};

use super::Company;
use super::closing::{Hears, Says};
use super::half::{Half, Rest};
use super::medium::{Medium, Step};
use super::signals::cross;
use super::timer::Timer;
use super::watch::{self, Watch};
use crate::{Act, Ended, Failure, Outcome, Side, Timers};

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
    /// When something was written that nobody has looked for yet: milliseconds since it began. A watch is larger, and most
    /// sessions never need one.
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

    /// Ends at once: ends that have not been sent are not sent.
    fn cut(&mut self, why: Ended);

    /// Closes the transports of the sides that were sent their end, within the close timeout.
    fn leave(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

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
                    // A program's exit status is said beside its end and must not come after it.
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
            // What is stalled may have more behind it, which is not read any more.
            let cut = self.has_unwritten() && !matches!(why, Ended::Eof(_));
            self.note(why);
            if let Some(over) = &mut self.ended {
                over.cut |= cut;
                over.by = Some(by);
            }
            self.near.close(end.clone());
            self.far.close(end.clone());
        }
    }

    fn cut(&mut self, why: Ended) {
        let cut = self.is_moving();
        self.note(why);
        if let Some(over) = &mut self.ended {
            over.cut |= cut;
        }
        self.near.lose();
        self.far.lose();
    }

    fn leave(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let close = self.close_time();
        let (near, far, held) = (&mut self.near, &mut self.far, &mut self.held);
        let leaving = poll_fn(move |cx| {
            match (near.poll_leave(cx).is_pending(), far.poll_leave(cx).is_pending()) {
                (false, false) => return Poll::Ready(()),
                // A side that has nothing more to say is given back at once, and what is held for it: the next client
                // of a device doesn't wait for the farewell of the last one.
                (true, false) => far.give_back(held.as_mut().map(|held| &mut held.1)),
                (false, true) => near.give_back(held.as_mut().map(|held| &mut held.0)),
                (true, true) => {}
            }
            Poll::Pending
        });
        // Boxed, so that a session doesn't carry this timer all along. A peer that doesn't take its
        // close is left without it.
        Box::pin(async move {
            let _ = timeout(close, leaving).await;
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
    /// Runs the operations of a side apart from moving data.
    fn live(&mut self, cx: &mut Context<'_>, side: Side) {
        let half = self.half(side);
        if half.dead().is_some() || half.is_over() {
            return;
        }
        if let Poll::Ready(error) = half.stream.poll_background(cx) {
            self.bury(side, error);
        }
    }

    /// Marks a side as gone.
    pub(super) fn bury(&mut self, side: Side, error: io::Error) {
        let half = self.half(side);
        if half.hears == Hears::Deliver {
            half.look();
        }
        // A side that has ended may go; it is an error only if something was still to come, or to be taken by a peer that
        // didn't choose to leave.
        let chose = error.kind() == io::ErrorKind::BrokenPipe;
        let takes = half.hears == Hears::Deliver || half.has_unwritten();
        let is_loss = half.is_open() || (takes && !chose);
        half.die(error.kind());
        self.stirred = Instant::now();
        if is_loss {
            self.note(Ended::Error(side, Failure { act: Act::Live, error }));
        }
    }

    /// Moves what `side` sends, and sees what that changes; whether it waits for the other side.
    fn pump(&mut self, cx: &mut Context<'_>, side: Side) -> bool {
        let (from, to) = self.lane(side);
        if from.is_open() && to.is_open() && to.hears == Hears::Cut {
            // What a failed side has sent before is still delivered. The side that it goes to must
            // not be stalled by data of its own that nobody takes any more.
            if M::discard(cx, &mut from.stream).1.is_ready() {
                let end = from.stream.end();
                from.over(Says::Ended, Some(end));
                self.stirred = Instant::now();
            }
            return false;
        }
        if !from.is_open() || !to.hears.takes() {
            return false;
        }
        let before = to.out.written;
        let step = match M::pump(cx, &mut from.stream, &mut to.stream, &mut to.out) {
            // What it had sent before it died has been read by now.
            Step::Dry => match from.dead() {
                Some(kind) if from.is_dry(cx) => Step::read_failed(from.death(kind)),
                _ => return false,
            },
            Step::Full => {
                if from.dead().is_none() {
                    from.stream.poll_ahead(cx);
                }
                return true;
            }
            Step::Turn => match from.dead() {
                Some(kind) if !from.has_left(to.out.written - before) => {
                    Step::read_failed(from.death(kind))
                }
                _ => return false,
            },
            step => step,
        };
        let ended = match step {
            Step::End => {
                let end = from.stream.end();
                from.over(Says::Ended, Some(end.clone()));
                to.close(end);
                Ended::Eof(side)
            }
            Step::ReadFailed(failure) => {
                from.over(Says::Failed, None);
                // Nobody hears an answer there; but a peer that broke its protocol is there, and is told so.
                if failure.error.kind() != io::ErrorKind::InvalidData {
                    from.lose();
                }
                to.close(End::lost(&failure.error));
                Ended::Error(side, failure)
            }
            Step::WriteFailed(failure) => {
                match to.stream.peer() {
                    Some(peer) if is_over(peer.state, &failure.error) => {
                        to.die(failure.error.kind());
                    }
                    _ => to.lose(),
                }
                // What is not taken any more is read and forgotten from the next poll on.
                cx.waker().wake_by_ref();
                Ended::Error(side.other(), failure)
            }
            Step::Dry | Step::Full | Step::Turn => return false,
        };
        if !from.is_open() && from.stream.ending() == Ending::Whole {
            from.lose();
        }
        self.stirred = Instant::now();
        self.note(ended);
        false
    }

    fn close(&mut self, cx: &mut Context<'_>, side: Side) {
        let half = self.half(side);
        let before = half.hears;
        let failed = half.poll_close(cx).err();
        if failed.is_some() {
            half.lose();
            cx.waker().wake_by_ref();
        }
        let (after, now) = (half.hears, Instant::now());
        if after != before {
            self.stirred = now;
            if after == Hears::Deliver {
                match &mut self.watch {
                    Some(watch) => watch.hurry(watch::DELIVERY, now),
                    None => self.begin_watch(watch::DELIVERY),
                }
            }
        }
        if let Some(failure) = failed {
            self.note(Ended::Error(side, failure));
        }
    }

    /// Reads and discards data of a side that was sent the end.
    fn settle(&mut self, cx: &mut Context<'_>, side: Side) {
        let close = self.close_time();
        let (from, to) = self.lane(side);
        let told = matches!(from.hears, Hears::Deliver | Hears::Told);
        if !told || !from.is_open() || to.hears.takes() || from.rest() == Rest::Settled {
            return;
        }
        let ending = from.stream.ending();
        if ending == Ending::Whole || from.dead().is_some() {
            from.set_rest(Rest::Settled);
            return;
        }
        let (bytes, done) = M::discard(cx, &mut from.stream);
        let taken = from.hears == Hears::Told;
        let until = |by: Option<Instant>| by.or_else(|| taken.then(|| Instant::now() + close));
        let quiet = bytes == 0 && ending == Ending::HalfClose && taken;
        let (by, left) = match from.rest() {
            // A side that isn't sending when it has taken everything will see the end as its next event. One that says
            // its end with a handshake answers ours: a moment more is due to it.
            Rest::Unknown | Rest::Read { by: None, .. } if quiet => (until(None), 0),
            Rest::Read { by, left } => (until(by), left.saturating_sub(bytes)),
            _ => (until(None), DISCARD.saturating_sub(bytes)),
        };
        let more = done.is_pending() && left > 0;
        from.set_rest(if more { Rest::Read { by, left } } else { Rest::Settled });
    }

    /// Moves each side's outgoing signals to the other's incoming ones.
    fn cross_signals(&mut self, cx: &mut Context<'_>) {
        cross(cx, &mut self.near.control, &self.far.control);
        cross(cx, &mut self.far.control, &self.near.control);
    }

    // === The rest ===

    /// Keeps what ended it: the first end, unless an error or a timer cuts what was to follow.
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
        // The more patient one decides: both sides are told and heard in one go.
        let own = [&self.near, &self.far].map(|half| half.stream.close_timeout());
        own.into_iter().flatten().max().unwrap_or(self.timers.close)
    }

    /// No data is read any more.
    fn is_winding_up(&self) -> bool {
        self.ended.as_ref().is_some_and(|over| over.by.is_some())
    }

    pub(super) fn has_unwritten(&self) -> bool {
        self.near.has_unwritten() || self.far.has_unwritten()
    }

    /// Returns `true` if data is on its way that has not been written.
    pub(super) fn is_moving(&mut self) -> bool {
        SIDES.into_iter().any(|side| {
            let half = self.half(side);
            let takes = !half.hears.is_final() && half.dead().is_none();
            takes && (half.has_unwritten() || half.stream.peer().is_some_and(|it| it.pending > 1))
        })
    }

    pub(super) fn half(&mut self, side: Side) -> &mut Half<M> {
        self.lane(side).0
    }

    /// `side`, and the side that its data goes to.
    fn lane(&mut self, side: Side) -> (&mut Half<M>, &mut Half<M>) {
        match side {
            Side::Near => (&mut self.near, &mut self.far),
            Side::Far => (&mut self.far, &mut self.near),
        }
    }

    fn total(&self) -> u64 {
        self.near.out.written + self.far.out.written
    }
}

/// The maximum that is read from a side that was sent the end before it is left: as much as the
/// buffers of both systems may hold.
const DISCARD: usize = 8 * 1024 * 1024;

pub(super) const SIDES: [Side; 2] = [Side::Near, Side::Far];

/// Returns `true` if a peer that can't be written to is gone. A TCP connection that was reset has no error left after
/// the write that failed by it.
fn is_over(state: PeerState, error: &io::Error) -> bool {
    let broken = matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe);
    state == PeerState::Gone || (state == PeerState::Ended && broken)
}
