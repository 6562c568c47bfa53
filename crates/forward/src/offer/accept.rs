//! The near side: accepted, seen through the layer that it wants, and connected where it is accepted first.

use std::future::poll_fn;
use std::sync::Arc;

use endpoint::gate::Admitted;
use endpoint::{Accepted, Answer, Conn, DialLayer, End, Grants, Info, Offer, Reason};
use tokio::time::Instant;
use tracing::{info, warn};

use super::denial::{Denied, life, out_of_time, told};
use super::place::Seat;
use super::reach::Reached;
use super::{OfferOutcome, Opened, Opening};
use crate::patience;
use crate::read_only::read_only;
use crate::refusals::reason;

/// The layer that the near side wants to see the far side through.
pub(super) type Through = Option<Arc<dyn DialLayer>>;

impl Opening<'_> {
    pub(super) async fn accept(
        self,
        offer: Offer,
        mut admitted: Admitted,
        answer: Answer,
    ) -> Result<(Conn, Through), OfferOutcome> {
        // Not before there is something to come in to: a refused client may try again with the same credentials.
        if let Some(ticket) = admitted.ticket.take()
            && let Err(refusal) = ticket.spend()
        {
            return Err(self.deny(offer, Denied::Refused(refusal)).await);
        }
        let mark = |mut near: Conn| {
            if admitted.identity().is_some() {
                near.info = admitted.mark(std::mem::take(&mut near.info));
            }
            read_only(near)
        };
        let by = Instant::now() + self.shared.timers.connect;
        let accepted = tokio::select! {
            biased;
            accepted = patience::timeout_at(by, offer.accept(answer)) => accepted,
            // An accept that the peer has not taken yet is not a session, and has no grace.
            _ = self.stop.drained() => {
                let (event, reason) = ("left", Reason::Stopping.name());
                info!(event, reason, "it did not complete the accept before the stop");
                return Err(OfferOutcome::Lost);
            }
        };
        match accepted {
            Some(Ok(Accepted::Session(near))) => Ok((mark(near), None)),
            Some(Ok(Accepted::Through(near, layer))) => Ok((mark(near), Some(layer))),
            Some(Ok(Accepted::Attached)) => {
                info!("attached to its session");
                Err(OfferOutcome::Attached)
            }
            Some(Err(error)) => {
                let (event, reason, cause) = ("left", reason(error.kind()).name(), error.cause());
                info!(event, endpoint = error.endpoint(), reason, cause, "{error}");
                Err(OfferOutcome::Lost)
            }
            None => {
                let (event, reason) = ("left", Reason::Timeout.name());
                info!(event, reason, "it did not complete the accept in time");
                Err(OfferOutcome::Lost)
            }
        }
    }

    /// Applies the layer that the near side sees the far side through. The near side is told if
    /// that fails.
    pub(super) async fn apply_layer(
        self,
        near: Conn,
        far: Conn,
        through: Through,
        info: &Info,
    ) -> Result<(Conn, Conn), OfferOutcome> {
        let Some(layer) = through else { return Ok((near, far)) };
        let dial = layer.dial(&self.shared.cx, far, info);
        let denied = match self.while_allowed(self.shared.timers.connect, dial).await {
            Some(Ok(far)) => return Ok((near, far)),
            Some(Err(error)) => {
                let (event, reason) = ("unreachable", reason(error.kind()).name());
                let (endpoint, cause) = (error.endpoint(), error.cause());
                warn!(event, endpoint, reason, cause, help = error.hint(), "{error}");
                Denied::Unreachable(told(&error, Grants::Service))
            }
            None => out_of_time(),
        };
        Err(self.dismiss(near, denied).await)
    }

    /// Connects for a near side that is accepted already, and reports a failure there.
    pub(super) async fn connect(
        self,
        mut near: Conn,
        through: Through,
        seat: Seat,
    ) -> Result<Opened, OfferOutcome> {
        let mut info = near.info.clone();
        let by_name = matches!(seat, Seat::Taken(_));
        let reached = async {
            let routed = async {
                // The destination that the client names now is another question than the client itself was.
                if by_name {
                    info = self.gate(&info).await?.info;
                }
                let place = match seat {
                    Seat::Taken(place) => place,
                    Seat::Needed(limits) => self.place(&limits, &info).await?,
                };
                Ok((self.route(&info).await?, place))
            };
            let routed = patience::timeout_at(self.by, routed).await;
            let (destination, place) = routed.unwrap_or_else(|| Err(self.late()))?;
            Ok((self.patient(&destination).dial(&destination, &info).await?, place))
        };
        let reached = tokio::select! {
            biased;
            _ = self.stop.drained() => Err(Denied::Closing),
            error = poll_fn(|cx| life(&mut near.transport).poll_background(cx)) => {
                Err(Denied::Left(End::because(Reason::Reset, error.kind().to_string())))
            }
            reached = reached => reached,
        };
        match reached {
            Ok((Reached { conn, name, .. }, place)) => {
                let (near, far) = self.apply_layer(near, conn, through, &info).await?;
                Ok(Opened { near, far, place, name })
            }
            Err(denied) => Err(self.dismiss(near, denied).await),
        }
    }
}
