//! The places of a session in the limits: of all sessions together, and of its listeners.

use endpoint::SessionPlaces;
use tokio::sync::OwnedSemaphorePermit;

/// The places that a session holds, given back when they are dropped.
#[derive(Debug)]
pub(crate) struct Places {
    /// Its place among the sessions of all listeners.
    pub(crate) total: Option<OwnedSemaphorePermit>,
    /// Its places in the limits of its listeners.
    pub(crate) limits: SessionPlaces,
}

impl Places {
    /// Returns `true` if nothing limits the session.
    pub(crate) fn is_empty(&self) -> bool {
        self.total.is_none() && self.limits.is_empty()
    }
}
