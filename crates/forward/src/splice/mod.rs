//! Moves the data of two connections, in one task, both directions in one poll.
//!
//! A poll goes through these steps, in this order, so that what one of them changes is seen by the
//! next:
//!
//! 1. both sides live on in the background, and signals cross;
//! 2. data is pumped, each way by itself;
//! 3. a side whose opposite has ended is told so, once all of its data is written;
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
mod timer;
mod watch;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use endpoint::{Clock, Conn, End, Transport};

use self::bytes::OfBytes;
use self::half::Half;
use self::messages::OfMessages;
use self::pipe::Pipe;
use self::session::{Running, Session};
use crate::endings::{Ending, Endings};
use crate::observer::SessionObserver;
use crate::{Ended, Outcome, Stop, Timers};

/// Moves the data of two connections until both have ended, a timer runs out or `stop` comes; then
/// lets both go.
///
/// Messages keep their boundaries and types if both sides have messages; otherwise both are
/// flattened to bytes. The end of one side is said to the other after its last byte, and data goes
/// on the other way, for as long as [`Timers`] allow. Nothing is read that the other side can't
/// take: in each direction at most 33 KiB wait, or 1 MiB in the kernel if it is bulk, and nothing at
/// all when it is idle.
///
/// Dropping the future drops both connections at once: nothing is said to the peers, and what was
/// read but not written is lost.
pub fn splice<'t>(
    near: Conn,
    far: Conn,
    timers: &'t Timers,
    stop: &'t Stop,
) -> impl Future<Output = Outcome> + Send + use<'t> {
    splice_by(&Clock::HERE, near, far, timers, stop, Company::default())
}

/// Who has to do with a session beside its two sides.
#[derive(Default)]
pub(crate) struct Company<'t> {
    /// Where it is entered when it is ending, and its destination there.
    pub(crate) endings: Option<(&'t Endings, Arc<str>)>,
    /// What sees it.
    pub(crate) observer: Option<Box<dyn SessionObserver>>,
}

/// [`splice()`], whose seldom timers are that clock's.
pub(crate) fn splice_by<'t>(
    clock: &'t Clock,
    near: Conn,
    far: Conn,
    timers: &'t Timers,
    stop: &'t Stop,
    mut company: Company<'t>,
) -> impl Future<Output = Outcome> + Send + use<'t> {
    // No async function: that would carry both connections beside the session they are moved into,
    // and what is known about them, which nobody asks for any more. The session is boxed for that
    // reason too: a future keeps what it is given twice.
    let Conn { transport: near, control: near_control, hold: near_hold, .. } = near;
    let Conn { transport: far, control: far_control, hold: far_hold, .. } = far;
    let held = (near_hold, far_hold);
    let mut session: Box<dyn Running + '_> = match (near, far) {
        (Transport::Messages(near), Transport::Messages(far)) => {
            let near = Half::new(near, near_control);
            let far = Half::new(far, far_control);
            Box::new(Session::<OfMessages>::new(near, far, timers, held, clock))
        }
        (near, far) => {
            let near = Half::new(near.into_bytes(), near_control);
            let far = Half::new(far.into_bytes(), far_control);
            Box::new(Session::<OfBytes>::new(near, far, timers, held, clock))
        }
    };
    async move {
        let mut overdue = pin!(async {
            let end = stop.drained().await;
            // Boxed, so that a session that nobody stops doesn't carry the room for this timer.
            Box::pin(stop.grace(timers.grace, end)).await
        });
        let counts = company.observer.as_ref().is_some_and(|observer| observer.counts());
        let mut stopped = false;
        // What is needed only while it is ending: boxed, as most of its life it does without.
        let mut farewell: Option<Box<Farewell<'t>>> = None;
        poll_fn(|cx| {
            if !stopped && let Poll::Ready(end) = overdue.as_mut().poll(cx) {
                stopped = true;
                session.wind_up(Ended::Shutdown(end.clone()), &end);
            }
            let done = session.poll(cx);
            if counts && let Some(observer) = &mut company.observer {
                let (sent, received) = session.written();
                observer.moved(sent, received);
            }
            if done.is_pending() && session.is_ending() {
                let farewell = farewell.get_or_insert_with(|| {
                    if let Some(observer) = &mut company.observer {
                        observer.ending();
                    }
                    Box::new(Farewell::of(&company, &*session, stop))
                });
                if let Poll::Ready(why) = farewell.poll_cut(cx, &*session) {
                    session.cut(why);
                    return Poll::Ready(());
                }
            }
            done
        })
        .await;
        if !farewell.as_ref().is_some_and(|farewell| farewell.is_cut) {
            session.leave().await;
        }
        drop(farewell);
        Pipe::let_go();
        let outcome = session.into_outcome();
        if let Some((endings, destination)) = &company.endings {
            endings.left(destination);
        }
        if let Some(observer) = company.observer.take() {
            observer.ended(&outcome);
        }
        outcome
    }
}

/// What can end a session that is ending already.
struct Farewell<'t> {
    place: Option<Ending<'t>>,
    now: Pin<Box<dyn Future<Output = End> + Send + 't>>,
    is_cut: bool,
}

impl<'t> Farewell<'t> {
    fn of(company: &Company<'t>, session: &(dyn Running + '_), stop: &'t Stop) -> Self {
        let place = company
            .endings
            .as_ref()
            .map(|(endings, destination)| endings.enter(destination, session.stirred()));
        Self { place, now: Box::pin(stop.immediate()), is_cut: false }
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>, session: &(dyn Running + '_)) -> Poll<Ended> {
        if let Some(place) = &mut self.place {
            place.stirred(session.stirred());
            if place.poll_asked(cx).is_ready() {
                self.is_cut = true;
                return Poll::Ready(Ended::GaveWay);
            }
        }
        let end = ready!(self.now.as_mut().poll(cx));
        self.is_cut = true;
        Poll::Ready(Ended::Shutdown(end))
    }
}
