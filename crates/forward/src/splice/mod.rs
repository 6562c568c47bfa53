//! Moves the data of two connections, in one task, both directions in one poll.
//!
//! A poll goes through these steps, in this order, so that what one of them changes is seen by the
//! next:
//!
//! 1. both sides live on in the background, and signals cross;
//! 2. data is pumped, each direction independently;
//! 3. a side is sent the end of the opposite side, once all of its data is written;
//! 4. what a side still sends after that is read and forgotten, so that its socket isn't reset;
//! 5. it is over if both sides are, and their transports are closed; otherwise the one timer is set to whatever is due
//!    next.
//!
//! The states that a session goes through while it ends, and what it waits for in them, are the two tables of
//! [`closing`].

mod bytes;
mod closing;
mod due;
mod half;
mod kernel;
mod look;
mod medium;
mod messages;
mod path;
#[cfg_attr(not(target_os = "linux"), path = "no_pipe.rs")]
mod pipe;
mod scratch;
mod session;
mod signals;
mod steps;
mod timer;
mod watch;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use endpoint::{Clock, Conn, End, MessageStream, Reason, Transport};
use tokio::time::Instant;

use self::bytes::OfBytes;
use self::half::Half;
use self::messages::OfMessages;
use self::pipe::Pipe;
use self::session::{Running, Session};
use crate::endings::{Ending, Endings};
use crate::observer::SessionObserver;
use crate::places::Places;
use crate::{Ended, Outcome, Stop, Timers};

/// Moves the data of two connections until both have ended, a timer runs out or `stop` comes; then
/// drops both.
///
/// Messages keep their boundaries and types if both sides have messages; otherwise both are flattened to bytes. The
/// end of one side is sent to the other after its last byte, and data goes on the other way, for as long as
/// [`Timers`] allow. Nothing is read that the other side can't take: in each direction at most 33 KiB wait, or 1 MiB
/// in the kernel if it is bulk, and nothing at all when it is idle.
///
/// Dropping the future drops both connections at once: no end is sent to the peers, and what was
/// read but not written is lost.
pub fn splice<'t>(
    near: Conn,
    far: Conn,
    timers: &'t Timers,
    stop: &'t Stop,
) -> impl Future<Output = Outcome> + Send + use<'t> {
    splice_by(&Clock::HERE, near, far, timers, stop, Company::default())
}

/// The parties of a session apart from its two sides.
#[derive(Default)]
pub(crate) struct Company<'t> {
    /// The list that it is entered in when it is ending, and its destination there.
    pub(crate) endings: Option<(&'t Endings, Arc<str>)>,
    /// Its observer.
    pub(crate) observer: Option<Box<dyn SessionObserver>>,
    /// Its places in the limits.
    pub(crate) places: Option<Arc<Places>>,
}

/// [`splice()`], whose seldom timers are that clock's.
pub(crate) fn splice_by<'t>(
    clock: &'t Clock,
    near: Conn,
    far: Conn,
    timers: &'t Timers,
    stop: &'t Stop,
    company: Company<'t>,
) -> impl Future<Output = Outcome> + Send + use<'t> {
    // No async function: that would carry both connections in addition to the session they are moved
    // into, and the facts about them, which are not needed any more. The session is boxed for that
    // reason too: a future keeps its arguments twice.
    let Conn { transport: near, control: near_control, guard: near_guard, .. } = near;
    let Conn { transport: far, control: far_control, guard: far_guard, .. } = far;
    let held = (near_guard, far_guard);
    let session: Box<dyn Running<'t> + 't> = match framed(near, far) {
        (Transport::Messages(near), Transport::Messages(far)) => {
            let near = Half::new(near, near_control);
            let far = Half::new(far, far_control);
            Box::new(Session::<OfMessages>::new(near, far, timers, held, clock, company))
        }
        (near, far) => {
            let near = Half::new(near.into_bytes(), near_control);
            let far = Half::new(far.into_bytes(), far_control);
            Box::new(Session::<OfBytes>::new(near, far, timers, held, clock, company))
        }
    };
    let mut sitting = Sitting::of(session, stop);
    async move {
        let mut overdue = pin!(overdue(sitting.stop, sitting.session.timers()));
        poll_fn(|cx| sitting.poll(cx, overdue.as_mut())).await;
        if !sitting.farewell.as_ref().is_some_and(|farewell| farewell.is_cut) {
            sitting.session.leave(sitting.stop).await;
        }
        sitting.into_outcome()
    }
}

/// Both sides, with messages on both if the one that has them knows where those of the other begin and end.
fn framed(near: Transport, far: Transport) -> (Transport, Transport) {
    let over = |messages: &dyn MessageStream, bytes| match messages.frame(bytes) {
        Ok(framed) => Transport::Messages(framed),
        Err(bytes) => Transport::Bytes(bytes),
    };
    match (near, far) {
        (Transport::Messages(near), Transport::Bytes(far)) => {
            let far = over(&*near, far);
            (Transport::Messages(near), far)
        }
        (Transport::Bytes(near), Transport::Messages(far)) => {
            let near = over(&*far, near);
            (near, Transport::Messages(far))
        }
        alike => alike,
    }
}

/// Once there is a stop: waits for the grace period. No async function, which would keep its arguments twice.
#[expect(clippy::manual_async_fn, reason = "the memory of every session")]
fn overdue<'t>(stop: &'t Stop, timers: &'t Timers) -> impl Future<Output = End> + use<'t> {
    async move {
        let end = stop.drained().await;
        // Boxed, so that a session that is never stopped doesn't carry the room for this timer.
        Box::pin(stop.grace(timers.grace, end)).await
    }
}

/// A session, and what is there for it.
struct Sitting<'t> {
    session: Box<dyn Running<'t> + 't>,
    /// The state that is needed only while it is ending: boxed, as it does without for most of its
    /// life.
    farewell: Option<Box<Farewell<'t>>>,
    stop: &'t Stop,
    is_stopped: bool,
    /// The waker of the task that last asked for a stop.
    asked_by: Option<Waker>,
    /// Set if an observer counts the bytes that move.
    is_counted: bool,
}

impl<'t> Sitting<'t> {
    fn of(mut session: Box<dyn Running<'t> + 't>, stop: &'t Stop) -> Self {
        let observer = session.company().observer.as_ref();
        let is_counted = observer.is_some_and(|observer| observer.counts());
        Self { session, farewell: None, stop, is_stopped: false, asked_by: None, is_counted }
    }

    /// Ready when it is over; `overdue` is set if its grace period has passed.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        overdue: Pin<&mut impl Future<Output = End>>,
    ) -> Poll<()> {
        if !self.is_stopped && self.must_ask(cx) {
            self.asked_by = Some(cx.waker().clone());
            if let Poll::Ready(end) = overdue.poll(cx) {
                self.is_stopped = true;
                self.session.wind_up(Ended::Shutdown(end.clone()), &end);
            }
        }
        let done = self.session.poll(cx);
        if self.is_counted {
            let (sent, received) = self.session.written();
            if let Some(observer) = &mut self.session.company().observer {
                observer.moved(sent, received);
            }
        }
        if done.is_pending() && self.session.is_ending() {
            let session = &mut self.session;
            let farewell = self.farewell.get_or_insert_with(|| {
                if let Some(observer) = &mut session.company().observer {
                    observer.ending();
                }
                let stirred = session.stirred();
                Box::new(Farewell::of(session.company(), stirred))
            });
            if let Poll::Ready(why) = farewell.poll_cut(cx, self.session.stirred(), self.stop) {
                let end = match &why {
                    Ended::Shutdown(end) => end.clone(),
                    _ => End::of(Reason::GaveWay),
                };
                self.session.cut(cx, why, &end);
                return Poll::Ready(());
            }
        }
        done
    }

    /// Returns `true` if a stop has to be polled for. That takes a sixth of the time of a poll with little data; as
    /// long as none has come and the task that asked is woken by it, there is no need.
    fn must_ask(&self, cx: &Context<'_>) -> bool {
        let is_woken = self.asked_by.as_ref().is_some_and(|asked| asked.will_wake(cx.waker()));
        !is_woken || self.stop.is_stopped()
    }

    /// Drops both sides, and returns the outcome.
    fn into_outcome(mut self) -> Outcome {
        let Company { endings, observer, places } = std::mem::take(self.session.company());
        drop(self.farewell);
        Pipe::let_go();
        let outcome = self.session.into_outcome();
        drop(places);
        if let Some((endings, destination)) = &endings {
            endings.left(destination);
        }
        if let Some(observer) = observer {
            observer.ended(&outcome);
        }
        outcome
    }
}

/// The events that can end a session that is ending already.
struct Farewell<'t> {
    place: Option<Ending<'t>>,
    /// Made once there is a stop.
    now: Option<Pin<Box<dyn Future<Output = End> + Send + 't>>>,
    is_cut: bool,
}

impl<'t> Farewell<'t> {
    fn of(company: &Company<'t>, stirred: Instant) -> Self {
        let place = company
            .endings
            .as_ref()
            .map(|(endings, name)| endings.enter(name, company.places.as_ref(), stirred));
        Self { place, now: None, is_cut: false }
    }

    /// Ready if it is to be cut; something last moved at `stirred`.
    fn poll_cut(&mut self, cx: &mut Context<'_>, stirred: Instant, stop: &'t Stop) -> Poll<Ended> {
        if let Some(place) = &self.place
            && place.poll_asked(cx, stirred).is_ready()
        {
            self.is_cut = true;
            return Poll::Ready(Ended::GaveWay);
        }
        if !stop.is_stopped() {
            // The session is woken by the first step of a stop, and comes here again.
            return Poll::Pending;
        }
        let now = self.now.get_or_insert_with(|| Box::pin(stop.immediate()));
        let end = ready!(now.as_mut().poll(cx));
        self.is_cut = true;
        Poll::Ready(Ended::Shutdown(end))
    }
}
