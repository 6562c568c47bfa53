//! Why an offer does not become a session, and what its peer may know about that.

use std::future::poll_fn;

use endpoint::{
    Conn, End, Error, ErrorKind, Grants, Life, Offer, Reason, Refusal, RefusalKind, Transport,
};
use tracing::info;

use super::{OfferOutcome, Opening};
use crate::refusals::Refused;

/// Why an offer does not become a session.
pub(super) enum Denied {
    Refused(Refusal),
    Unreachable(Refusal),
    Left(End),
    /// Nothing new is to begin.
    Closing,
}

impl Opening<'_> {
    /// Refuses an offer.
    pub(super) async fn deny(self, offer: Offer, denied: Denied) -> OfferOutcome {
        let (refusal, outcome) = self.said(denied);
        let Some(refusal) = refusal else { return outcome };
        // A peer that doesn't take its refusal doesn't hold us.
        let _ = self.while_allowed(self.shared.timers.close, offer.refuse(refusal)).await;
        outcome
    }

    /// Refuses a session that was accepted already: as an end, with the close code that comes nearest.
    pub(super) async fn dismiss(self, mut near: Conn, denied: Denied) -> OfferOutcome {
        let (refusal, outcome) = self.said(denied);
        let Some(refusal) = refusal else { return outcome };
        let end = End::because(refusal.kind.reason(), refusal.message);
        let told = poll_fn(|cx| life(&mut near.transport).poll_finish(cx, &end));
        // As above; and if it can't be told, it is gone.
        let _ = self.while_allowed(self.shared.timers.close, told).await;
        outcome
    }

    /// Logs a denial. Returns the refusal for the peer, if the peer is there.
    fn said(self, denied: Denied) -> (Option<Refusal>, OfferOutcome) {
        match denied {
            Denied::Refused(refusal) => {
                let (endpoint, cause) = (&*self.at.listener, refusal.to_string());
                let text = format!("refused: {cause}");
                let reason = refusal.kind.reason();
                let (of_client, help) = (true, None);
                let refused = Refused { text, endpoint, cause, reason, of_client, help };
                self.shared.refusals.log(refused);
                (Some(refusal), OfferOutcome::Refused)
            }
            Denied::Closing => {
                let refusal = Refusal::new(RefusalKind::Busy, "no more sessions are accepted");
                let (event, endpoint) = ("refused", &*self.at.listener);
                let (reason, cause) = (Reason::Draining.name(), &*refusal.message);
                info!(event, endpoint, reason, cause, "refused: {refusal}");
                (Some(refusal), OfferOutcome::Refused)
            }
            // The reason was logged where it was known, with the destination's name.
            Denied::Unreachable(refusal) => (Some(refusal), OfferOutcome::Unreachable),
            Denied::Left(end) => {
                let (event, reason, cause) = ("left", end.why.name(), end.to_string());
                info!(event, reason, cause, "left before it was connected ({end})");
                (None, OfferOutcome::Lost)
            }
        }
    }
}

/// Returns the denial for a destination that took too long.
pub(super) fn out_of_time() -> Denied {
    let words = "the destination did not answer in time";
    Denied::Unreachable(Refusal::new(RefusalKind::Timeout, words))
}

/// Returns the refusal that a peer gets if its destination can't be connected: the cause that the log has, without
/// names and addresses.
pub(super) fn told(error: &Error, grants: Grants) -> Refusal {
    let program = grants == Grants::Program;
    let kind = match error.kind() {
        ErrorKind::Timeout => RefusalKind::Timeout,
        ErrorKind::Busy | ErrorKind::Unavailable => RefusalKind::Busy,
        ErrorKind::Forbidden => RefusalKind::Forbidden,
        ErrorKind::Unrouted => RefusalKind::NotFound,
        // A device is plugged in again, and a name may be known later. A program that isn't there stays away.
        ErrorKind::NotFound | ErrorKind::Permission if program => RefusalKind::Broken,
        _ => RefusalKind::Refused,
    };
    let words = match (error.kind(), grants) {
        (ErrorKind::Timeout, _) => "the destination did not answer in time".to_owned(),
        (ErrorKind::Busy, _) => "the destination is in use".to_owned(),
        (ErrorKind::Forbidden, _) => "this destination is not allowed".to_owned(),
        (ErrorKind::Unavailable, _) => {
            "the destination can't be looked up at the moment".to_owned()
        }
        (ErrorKind::Unrouted, _) => "there is no such destination".to_owned(),
        (ErrorKind::NotFound, Grants::Program) => "there is no such program".to_owned(),
        (ErrorKind::NotFound, Grants::Device) => "the device doesn't exist".to_owned(),
        (kind, _) => {
            let cause = error.bare_cause().unwrap_or_else(|| {
                let words = match kind {
                    ErrorKind::NotFound => "its name is unknown",
                    ErrorKind::Permission => "permission denied",
                    ErrorKind::Protocol => "it violates its protocol",
                    ErrorKind::Refused => "it refused",
                    _ => "",
                };
                words.to_owned()
            });
            let colon = if cause.is_empty() { "" } else { ": " };
            format!("cannot connect to the destination{colon}{cause}")
        }
    };
    Refusal::new(kind, words)
}

pub(super) fn life(transport: &mut Transport) -> &mut dyn Life {
    match transport {
        Transport::Bytes(stream) => &mut **stream,
        Transport::Messages(stream) => &mut **stream,
    }
}
