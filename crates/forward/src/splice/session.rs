//! The state of a session, and what a poll does with it.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use endpoint::{Clock, End, Ending, Hold, Life};
use tokio::time::{Instant, timeout};

use super::half::{Half, Reading, Rest, Writing};
use super::medium::{Medium, Step};
use super::signals::cross;
use super::timer::Timer;
use crate::{Act, Ended, Failure, Outcome, Side, Timers};

/// Two sides, and what is going on between them.
pub(super) struct Session<'t, M: Medium> {
    near: Half<M>,
    far: Half<M>,
    timers: &'t Timers,
    /// [`Timers::close`], unless a side has a time of its own for that.
    close_time: Duration,
    timer: Timer,
    began: Instant,
    /// When the last byte was taken.
    moved: Instant,
    /// When the last byte was taken or a side came closer to its end.
    stirred: Instant,
    /// Who or what ended it, once that is known. The first error stays.
    ended: Option<Box<Ended>>,
    /// No data is read any more, and both sides are let go at this time at the latest.
    winding_up: Option<Instant>,
    /// What is held for the sides, if anything is; given back last, when their streams are gone.
    _held: Option<Box<(Hold, Hold)>>,
}

/// A session, whatever it moves.
pub(super) trait Running: Send {
    /// Ready when both sides are over and may be dropped.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Stops reading for good, and has both sides told `end`, within the close timeout.
    fn wind_up(&mut self, why: Ended, end: &End);

    /// Takes leave of the sides that were told their end, within the close timeout.
    fn leave(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Lets both sides go.
    fn into_outcome(self: Box<Self>) -> Outcome;
}

impl<'t, M: Medium> Session<'t, M> {
    pub(super) fn new(
        near: Half<M>,
        far: Half<M>,
        timers: &'t Timers,
        held: (Hold, Hold),
        clock: &Clock,
    ) -> Self {
        let began = Instant::now();
        // A timer of the runtime's own is made when it is first waited for: nothing is polled yet.
        let idle = timers.idle.filter(|_| clock.is_elsewhere());
        let idle = idle.map(|idle| Timer::of(clock.alarm(began + idle)));
        // The more patient one decides: both sides are told and heard in one go.
        let own = near.stream.close_timeout().into_iter().chain(far.stream.close_timeout()).max();
        Self {
            near,
            far,
            timers,
            close_time: own.unwrap_or(timers.close),
            timer: idle.unwrap_or_default(),
            began,
            moved: began,
            stirred: began,
            ended: None,
            winding_up: None,
            _held: (!held.0.is_empty() || !held.1.is_empty()).then(|| Box::new(held)),
        }
    }
}

impl<M: Medium> Running for Session<'_, M> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            for side in SIDES {
                self.live(cx, side);
            }
            self.cross_signals(cx);
            let before = self.written();
            if self.winding_up.is_none() {
                for side in SIDES {
                    self.pump(cx, side);
                }
                // A program's exit status is said beside its end and must not come after it.
                self.cross_signals(cx);
            }
            if self.ended.is_none() && self.timers.idle.is_none() {
                // Both are whole: nothing is to be closed, and no timer asks for the clock.
                return Poll::Pending;
            }
            for side in SIDES {
                self.close(cx, side);
            }
            if self.written() != before {
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

    fn wind_up(&mut self, why: Ended, end: &End) {
        if self.winding_up.is_none() {
            self.winding_up = Some(Instant::now() + self.close_time);
            self.note(why);
            self.near.close(end.clone());
            self.far.close(end.clone());
        }
    }

    fn leave(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let (near, far, close) = (&mut self.near, &mut self.far, self.close_time);
        let leaving = poll_fn(|cx| {
            let pending = near.poll_leave(cx).is_pending() | far.poll_leave(cx).is_pending();
            if pending { Poll::Pending } else { Poll::Ready(()) }
        });
        // Boxed, so that a session doesn't carry its farewell's timer all along. Whoever doesn't
        // take our leave is left without it.
        Box::pin(async move {
            let _ = timeout(close, leaving).await;
        })
    }

    fn into_outcome(self: Box<Self>) -> Outcome {
        Outcome {
            sent: self.far.out.written,
            received: self.near.out.written,
            spliced: self.near.out.spliced + self.far.out.spliced,
            duration: self.began.elapsed(),
            end: *self.ended.expect("a side is closed only by an end, an error or a timer"),
            near: self.near.said.map(|end| *end),
            far: self.far.said.map(|end| *end),
        }
    }
}

impl<M: Medium> Session<'_, M> {
    /// What the sides do besides moving data.
    fn live(&mut self, cx: &mut Context<'_>, side: Side) {
        let half = self.half(side);
        if half.dead.is_some() || half.is_over() {
            return;
        }
        if let Poll::Ready(error) = half.stream.poll_background(cx) {
            half.dead = Some(error.kind());
            let was_open = half.is_open();
            if !matches!(half.writing, Writing::Closed) {
                half.give_up();
            }
            self.stirred = Instant::now();
            // Who has ended may go; it is an error only if somebody waits for more.
            if was_open {
                self.note(Ended::Error(side, Failure { act: Act::Live, error }));
            }
        }
    }

    /// Moves what `side` sends, and sees what that changes.
    fn pump(&mut self, cx: &mut Context<'_>, side: Side) {
        let (from, to) = self.lane(side);
        if from.is_open() && to.is_open() && matches!(to.writing, Writing::Gone) {
            // What a failed side has sent before is still delivered. The side that it goes to must
            // not be stalled by data of its own that nobody takes any more.
            if M::discard(cx, &mut from.stream).1.is_ready() {
                from.reading = Reading::Ended(Instant::now());
                from.said = Some(Box::new(from.stream.end()));
                self.stirred = Instant::now();
            }
            return;
        }
        if !from.is_open() || !to.takes() {
            return;
        }
        let step = match M::pump(cx, &mut from.stream, &mut to.stream, &mut to.out) {
            // What it had read ahead before it died has been read by now.
            Step::Dry => match from.dead {
                Some(kind) => Step::read_failed(kind.into()),
                None => return,
            },
            Step::Full | Step::Turn => return,
            step => step,
        };
        let now = Instant::now();
        let ended = match step {
            Step::End => {
                let end = from.stream.end();
                from.reading = Reading::Ended(now);
                from.said = Some(Box::new(end.clone()));
                to.close(end);
                Ended::Eof(side)
            }
            Step::ReadFailed(failure) => {
                from.reading = Reading::Failed;
                to.close(lost(&failure.error));
                Ended::Error(side, failure)
            }
            Step::WriteFailed(failure) => {
                to.give_up();
                // What is not taken any more is read and forgotten from the next poll on.
                cx.waker().wake_by_ref();
                Ended::Error(side.other(), failure)
            }
            Step::Dry | Step::Full | Step::Turn => return,
        };
        if !from.is_open() && from.stream.ending() == Ending::Whole {
            from.give_up();
        }
        self.stirred = now;
        self.note(ended);
    }

    fn close(&mut self, cx: &mut Context<'_>, side: Side) {
        let half = self.half(side);
        let before = std::mem::discriminant(&half.writing);
        let failed = half.poll_close(cx).err();
        if failed.is_some() {
            half.give_up();
            cx.waker().wake_by_ref();
        }
        if std::mem::discriminant(&half.writing) != before {
            self.stirred = Instant::now();
        }
        if let Some(failure) = failed {
            self.note(Ended::Error(side, failure));
        }
    }

    /// Reads what nobody takes any more from a side that was told the end.
    fn settle(&mut self, cx: &mut Context<'_>, side: Side) {
        let close = self.close_time;
        let (from, to) = self.lane(side);
        let told = matches!(from.writing, Writing::Closed);
        if !told || !from.is_open() || to.takes() || from.rest == Rest::Settled {
            return;
        }
        let ending = from.stream.ending();
        if ending == Ending::Whole || from.dead.is_some() {
            from.rest = Rest::Settled;
            return;
        }
        let (bytes, done) = M::discard(cx, &mut from.stream);
        let (by, left) = match from.rest {
            Rest::Read { by, left } => (by, left.saturating_sub(bytes)),
            // A side that isn't sending now will see the end as its next event. One that says its
            // end with a handshake answers ours: a moment more is due to it.
            _ if bytes == 0 && ending == Ending::HalfClose => (Instant::now(), 0),
            _ => (Instant::now() + close, DISCARD.saturating_sub(bytes)),
        };
        let more = done.is_pending() && left > 0;
        from.rest = if more { Rest::Read { by, left } } else { Rest::Settled };
    }

    /// Moves each side's outgoing signals to the other's incoming ones.
    fn cross_signals(&mut self, cx: &mut Context<'_>) {
        cross(cx, &mut self.near.control, &self.far.control);
        cross(cx, &mut self.far.control, &self.near.control);
    }

    /// What has to come to an end next, and when.
    fn due(&self) -> Option<(Instant, Due)> {
        if let Some(by) = self.winding_up {
            return Some((by, Due::Over));
        }
        let idle = self.timers.idle.map(|idle| (self.moved + idle, Due::Idle));
        let rests = SIDES.map(|side| self.rest_due(side));
        idle.into_iter().chain(rests.into_iter().flatten()).min_by_key(|(at, _)| *at)
    }

    /// Until when the rest of the session is waited for, as `side` has ended or its data is not
    /// taken any more.
    fn rest_due(&self, side: Side) -> Option<(Instant, Due)> {
        let (from, to) = match side {
            Side::Near => (&self.near, &self.far),
            Side::Far => (&self.far, &self.near),
        };
        if let Rest::Read { by, .. } = from.rest {
            return Some((by, Due::Settled(side)));
        }
        // Whether the other direction lives: an answer may come.
        let answer = to.is_open() && from.takes();
        let linger = self.timers.linger.map(|linger| self.stirred + linger);
        let close = Some(self.stirred + self.close_time);
        let at = match (from.reading, &to.writing) {
            (_, Writing::Gone) if answer => match to.stream.ending() {
                // A program that closed its input may go on for a while.
                Ending::HalfClose => linger.or(Some(self.stirred + DELIVERY)),
                Ending::Handshake | Ending::Whole => close,
            },
            (Reading::Open, _) => return None,
            // What was read is delivered, even to a reader that starts late.
            (_, Writing::Closing(_)) if answer => linger,
            (_, Writing::Closing(_)) => linger.or(Some(self.stirred + DELIVERY)),
            (_, Writing::Finishing(_)) if !answer => close,
            (Reading::Failed, _) if answer => close,
            // Its peer waits for our part of the handshake, or we for the peer's: not for longer
            // than a half-close lives, even if the data doesn't stop.
            (Reading::Ended(at), _) if answer && is_short::<M>(&from.stream, to) => {
                close.min(self.timers.linger.map(|linger| at + linger).or(close))
            }
            (Reading::Ended(_), _) if answer => linger,
            _ => return None,
        };
        at.map(|at| (at, Due::Rest(side)))
    }

    /// Ready if it is over without more ado.
    fn expire(&mut self, due: Due) -> Poll<()> {
        match due {
            Due::Over => return Poll::Ready(()),
            Due::Settled(side) => self.half(side).rest = Rest::Settled,
            Due::Idle => self.wind_up(Ended::Idle, &End::with_code(1001, "idle for too long")),
            Due::Rest(side) => {
                let (from, to) = self.lane(side);
                // Whoever asked for the end and got all of its data through has ended it, and is
                // answered in the same terms: that no answer comes before is nothing unusual.
                let asked =
                    is_short::<M>(&from.stream, to) && matches!(to.writing, Writing::Closed);
                let (why, end) = match from.said.clone() {
                    Some(end) if asked => (Ended::Eof(side), *end),
                    _ => (Ended::Linger(side), End::with_code(1001, "the other side has closed")),
                };
                self.wind_up(why, &end);
            }
        }
        Poll::Pending
    }

    /// Keeps what ended it: the first end, unless an error or a timer cuts what was to follow.
    fn note(&mut self, why: Ended) {
        match (self.ended.as_deref(), &why) {
            (Some(Ended::Eof(_)), Ended::Eof(_)) => {}
            (None | Some(Ended::Eof(_)), _) => self.ended = Some(Box::new(why)),
            _ => {}
        }
    }

    fn half(&mut self, side: Side) -> &mut Half<M> {
        self.lane(side).0
    }

    /// `side`, and the side that its data goes to.
    fn lane(&mut self, side: Side) -> (&mut Half<M>, &mut Half<M>) {
        match side {
            Side::Near => (&mut self.near, &mut self.far),
            Side::Far => (&mut self.far, &mut self.near),
        }
    }

    fn written(&self) -> u64 {
        self.near.out.written + self.far.out.written
    }
}

/// Whether the end of `from` is awaited on the other side for a short time only: it is part of a
/// handshake, on its own side or on the side that was told; or the other side is a device, which
/// never ends by itself and is wanted by others.
fn is_short<M: Medium>(from: &M::Stream, to: &Half<M>) -> bool {
    from.ending() != Ending::HalfClose
        || match to.stream.ending() {
            Ending::HalfClose => false,
            Ending::Handshake => matches!(to.writing, Writing::Closed),
            Ending::Whole => true,
        }
}

/// Why the one timer runs.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// Nothing moved.
    Idle,
    /// This side has ended, and the rest takes too long.
    Rest(Side),
    /// This side still sends, though it was told the end.
    Settled(Side),
    /// Both were told the end, and don't take it.
    Over,
}

/// How long data that was read waits for its reader to move when [`Timers::linger`] is off and the
/// side that it came from has gone: nobody else would end such a session.
const DELIVERY: Duration = Duration::from_secs(60);

/// How much is read from a side that was told the end before it is left: as much as may be on its
/// way in the buffers of both systems.
const DISCARD: usize = 8 * 1024 * 1024;

const SIDES: [Side; 2] = [Side::Near, Side::Far];

/// What a peer is told when the side across from it was lost: the sort of error alone, since its
/// words may name what is none of the peer's business.
fn lost(error: &io::Error) -> End {
    End::with_code(1011, error.kind().to_string())
}
