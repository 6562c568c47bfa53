//! State shared by the accept loops, the handshakes and the sessions of a forwarder, and the work that they hand to
//! its loop.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use endpoint::{Context, Incoming, Offer};
use tokio::sync::{Semaphore, watch};

use crate::endings::Endings;
use crate::refusals::Refusals;
use crate::undecided::{Place, Undecided};
use crate::{Gate, Observer, Route, Stop, Timers};

/// State shared by all listeners of a forwarder.
pub(crate) struct Shared {
    pub(crate) cx: Context,
    pub(crate) gate: Box<dyn Gate>,
    pub(crate) route: Box<dyn Route>,
    pub(crate) timers: Timers,
    /// Places of sessions.
    pub(crate) places: Option<Arc<Semaphore>>,
    /// Places of undecided connections.
    pub(crate) undecided: Undecided,
    /// The one session's place, closed once it is taken for good.
    pub(crate) once: Option<Arc<Semaphore>>,
    /// Set when the one session of `once` has begun.
    pub(crate) enough: watch::Sender<bool>,
    pub(crate) ids: AtomicU64,
    /// Sessions that are ending.
    pub(crate) endings: Endings,
    /// The refusals that the log has.
    pub(crate) refusals: Refusals,
    pub(crate) observer: Box<dyn Observer>,
}

impl Shared {
    /// Waits until nothing new is to begin. Cancel safe.
    pub(crate) async fn closing(&self, stop: &Stop) {
        if self.once.is_none() {
            stop.drained().await;
            return;
        }
        let enough = async {
            let mut enough = self.enough.subscribe();
            // The sender is held by `self`: this can't fail.
            let _ = enough.wait_for(|enough| *enough).await;
        };
        tokio::select! {
            _ = stop.drained() => {}
            () = enough => {}
        }
    }

    /// Returns `true` if nothing new is to begin.
    pub(crate) fn is_closing(&self, stop: &Stop) -> bool {
        stop.is_stopped() || *self.enough.borrow()
    }
}

/// The work that the loop spawns a task for.
pub(crate) enum Work {
    Incoming(Incoming, Place),
    Offer(Offer, Place),
}
