//! The places that a session takes: in the limits of its listeners, among all sessions, and the only one with `once`.

use std::sync::Arc;

use endpoint::{Info, OfferLimits, Refusal, RefusalKind, SessionPlaces};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Opening;
use super::denial::Denied;
use crate::endings::Wanted;
use crate::places::Places;
use crate::shared::Shared;

/// A session's place in the limits, given back when it is dropped.
pub(super) struct Place {
    places: Places,
    once: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Takes the session's place: with `once`, no other session gets one. Returns what to hold for
    /// as long as the session lasts.
    pub(super) fn keep(self, shared: &Shared) -> Option<Arc<Places>> {
        if let (Some(permit), Some(once)) = (self.once, &shared.once) {
            permit.forget();
            once.close();
            shared.enough.send_replace(true);
        }
        (!self.places.is_empty()).then(|| Arc::new(self.places))
    }
}

/// The place of a peer that is accepted before its destination is connected.
pub(super) enum Seat {
    Taken(Place),
    /// It is taken if the peer has no session yet that it could have joined.
    Needed(OfferLimits),
}

impl Opening<'_> {
    /// Takes a place in the limits; `info` has the client's identity.
    pub(super) async fn place(self, limits: &OfferLimits, info: &Info) -> Result<Place, Denied> {
        let once = match &self.shared.once {
            // Waits for what becomes of the offer that has it now.
            Some(once) => {
                Some(Arc::clone(once).acquire_owned().await.map_err(|_| Denied::Closing)?)
            }
            None => None,
        };
        let limits = self.enter(limits, info).await.map_err(Denied::Refused)?;
        let total = match &self.shared.places {
            Some(places) => Some(self.take_place(places).await.ok_or_else(|| {
                Denied::Refused(Refusal::new(RefusalKind::Busy, "there are too many sessions"))
            })?),
            None => None,
        };
        Ok(Place { places: Places { total, limits }, once })
    }

    /// Places in the limits of the listeners, perhaps those of a session which is ending.
    async fn enter(self, limits: &OfferLimits, info: &Info) -> Result<SessionPlaces, Refusal> {
        let mut attempts = self.shared.endings.attempts();
        loop {
            match limits.enter(info) {
                Ok(places) => return Ok(places),
                Err(full) if attempts.next(Wanted::PlaceOf(&full)).await => {}
                Err(full) => return Err(full.refusal()),
            }
        }
    }

    /// A place among all sessions, perhaps that of a session which is ending.
    async fn take_place(self, places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        let mut attempts = self.shared.endings.attempts();
        loop {
            if let Ok(place) = Arc::clone(places).try_acquire_owned() {
                return Some(place);
            }
            if !attempts.next(Wanted::Place).await {
                return None;
            }
        }
    }
}
