//! Signals cross between the two sides of a session, apart from the data.

use std::task::{Context, Poll};

use endpoint::control::{EVENTS, Undelivered};
use endpoint::{Control, Signal};
use tracing::{debug, warn};

/// Moves what `from` sends to what `to` acts on, in order.
///
/// An event is taken only when the other side's queue has room for it; until then it waits where it
/// is, and stalls its sender there. States always have room.
pub(super) fn cross(cx: &mut Context<'_>, from: &mut Control, to: &Control) {
    let Some(outgoing) = &mut from.outgoing else { return };
    let mut room = false;
    let mut taken = 0;
    while taken < EVENTS {
        let mut is_stalled = false;
        let next = outgoing.poll_recv_if(cx, |signal| {
            is_stalled = !(room || signal.is_state());
            !is_stalled
        });
        match next {
            Poll::Ready(Some(signal)) => {
                hand_over(signal, to);
                (room, taken) = (false, taken + 1);
            }
            Poll::Ready(None) => {
                from.outgoing = None;
                return;
            }
            // Asked while this queue isn't locked, so that two sessions never wait for each other's; and only for an
            // event, of which there are few.
            Poll::Pending if is_stalled => {
                room = to.incoming.as_ref().is_none_or(|to| to.poll_ready(cx).is_ready());
                if !room {
                    return;
                }
            }
            Poll::Pending => return,
        }
    }
    cx.waker().wake_by_ref();
}

fn hand_over(signal: Signal, to: &Control) {
    let Some(incoming) = &to.incoming else {
        return debug!("the other side supports no signals, such as {signal:?}");
    };
    match incoming.send(signal) {
        // A side that dropped its queue is not interested any more, as one that has none.
        Ok(()) | Err(Undelivered::Gone) => {}
        Err(Undelivered::Full(signal)) => warn!("lost {signal:?}: the queue is full"),
    }
}
