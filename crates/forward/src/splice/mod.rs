//! Moves the data of two connections, in one task, both directions in one poll.
//!
//! A poll goes through these steps, in this order, so that what one of them changes is seen by the
//! next:
//!
//! 1. both sides live on in the background, and signals cross;
//! 2. data is pumped, each way by itself;
//! 3. a side whose opposite has ended is told so, once all of its data is written;
//! 4. what a side still sends after that is read and forgotten, so that its socket isn't reset;
//! 5. it is over if both sides are, and takes its leave of both; otherwise the one timer is set to whatever is due next.

mod bytes;
mod half;
mod kernel;
mod medium;
mod messages;
mod path;
#[cfg_attr(not(target_os = "linux"), path = "no_pipe.rs")]
mod pipe;
mod scratch;
mod session;
mod signals;
mod timer;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use endpoint::{Clock, Conn, Transport};

use self::bytes::OfBytes;
use self::half::Half;
use self::messages::OfMessages;
use self::pipe::Pipe;
use self::session::{Running, Session};
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
    splice_by(&Clock::HERE, near, far, timers, stop)
}

/// [`splice()`], whose idle timer is that clock's.
pub(crate) fn splice_by<'t>(
    clock: &Clock,
    near: Conn,
    far: Conn,
    timers: &'t Timers,
    stop: &'t Stop,
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
            let end = stop.stopped().await;
            // Boxed, so that a session that nobody stops doesn't carry the room for this timer.
            Box::pin(stop.grace(timers.grace, end)).await
        });
        let mut stopped = false;
        poll_fn(|cx| {
            if !stopped && let Poll::Ready(end) = overdue.as_mut().poll(cx) {
                stopped = true;
                session.wind_up(Ended::Shutdown(end.clone()), &end);
            }
            session.poll(cx)
        })
        .await;
        session.leave().await;
        Pipe::let_go();
        session.into_outcome()
    }
}
