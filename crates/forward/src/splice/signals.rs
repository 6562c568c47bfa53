//! Signals cross between the two sides of a session, beside the data.

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
    for _ in 0..EVENTS {
        // Asked before the other queue is locked, so that two sessions never wait for each other's.
        let room = to.incoming.as_ref().is_none_or(|incoming| incoming.poll_ready(cx).is_ready());
        match outgoing.poll_recv_if(cx, |signal| room || signal.is_state()) {
            Poll::Ready(Some(signal)) => hand_over(signal, to),
            Poll::Ready(None) => {
                from.outgoing = None;
                return;
            }
            Poll::Pending => return,
        }
    }
    cx.waker().wake_by_ref();
}

fn hand_over(signal: Signal, to: &Control) {
    let Some(incoming) = &to.incoming else {
        return debug!("the other side acts on no signals, such as {signal:?}");
    };
    match incoming.send(signal) {
        // A side that dropped its queue is not interested any more, as one that has none.
        Ok(()) | Err(Undelivered::Gone) => {}
        Err(Undelivered::Full(signal)) => warn!("no room for {signal:?}, it is lost"),
    }
}
