//! From an offer to a session: gate, route, connect, accept, splice.
//!
//! Nothing is connected before the gate has been passed, and nothing is accepted before the
//! destination is connected, unless the protocol needs it so. A peer that leaves meanwhile takes
//! the attempt with it.

mod accept;
mod denial;
mod place;
mod reach;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use endpoint::gate::Admitted;
use endpoint::{AcceptPolicy, Answer, Conn, Exposure, Info, Offer, OfferLimits, Reason, Transport};
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use self::denial::{Denied, out_of_time};
use self::place::{Place, Seat};
use self::reach::Reached;
use crate::observer::Began;
use crate::places::Places;
use crate::shared::Shared;
use crate::splice::{Company, splice_by};
use crate::{Outcome, Stop, patience, undecided};

/// The outcome of a connection's handshakes, or of one of its offers.
pub(crate) enum OfferOutcome {
    Session(Outcome),
    Refused,
    /// Refused because its destination could not be connected.
    Unreachable,
    /// The peer left, or its handshake failed.
    Lost,
    /// It joined a session that was there.
    Attached,
    /// There are no more offers.
    Over,
}

/// The listener of an offer.
#[derive(Clone)]
pub(crate) struct At {
    /// Its descriptor.
    pub(crate) listener: Arc<str>,
    /// The clients that can reach it without a stated `auth`.
    pub(crate) exposure: Exposure,
}

/// Sees one offer through, to the end of its session.
///
/// The future is as small as a session for as long as it lasts: the state of its opening is in a
/// separate box, made here already, since an async function would keep its arguments twice.
pub(crate) fn serve_offer(
    shared: Arc<Shared>,
    offer: Offer,
    undecided: undecided::Place,
    at: At,
    stop: Stop,
) -> impl Future<Output = OfferOutcome> + Send {
    let opening = Box::pin(open(Arc::clone(&shared), offer, undecided, at, stop.clone()));
    async move {
        let Opened { near, far, place, name } = match opening.await {
            Ok(opened) => opened,
            Err(outcome) => return outcome,
        };
        let places = place.keep(&shared);
        OfferOutcome::Session(session(&shared, near, far, name, places, &stop).await)
    }
}

/// The session. No part of [`serve_offer`]: an async function keeps its borrows for as long as it lasts.
fn session<'t>(
    shared: &'t Shared,
    near: Conn,
    far: Conn,
    name: Arc<str>,
    places: Option<Arc<Places>>,
    stop: &'t Stop,
) -> impl Future<Output = Outcome> + Send + use<'t> {
    let observer = shared.observer.began(&Began::new(&name, &near.info, &far.info));
    let company = Company { endings: Some((&shared.endings, name)), observer, places };
    splice_by(shared.cx.clock(), near, far, &shared.timers, stop, company)
}

async fn open(
    shared: Arc<Shared>,
    offer: Offer,
    mut undecided: undecided::Place,
    at: At,
    stop: Stop,
) -> Result<Opened, OfferOutcome> {
    tokio::select! {
        biased;
        opened = Opening::new(&shared, &at, &stop).open(offer) => opened,
        // Without words: a client that lost its place must not hold memory by not reading.
        () = undecided.displaced() => {
            info!("closed: another connection needs its place");
            Err(OfferOutcome::Lost)
        }
    }
}

/// Both sides of a session.
struct Opened {
    near: Conn,
    far: Conn,
    place: Place,
    /// The destination's, as the log has it.
    name: Arc<str>,
}

/// The decision about one offer.
#[derive(Clone, Copy)]
struct Opening<'a> {
    shared: &'a Shared,
    at: &'a At,
    stop: &'a Stop,
    /// The time by which it has to be taken.
    by: Instant,
}

impl<'a> Opening<'a> {
    fn new(shared: &'a Shared, at: &'a At, stop: &'a Stop) -> Self {
        Self { shared, at, stop, by: Instant::now() + shared.timers.connect }
    }

    /// Restarts its time limit.
    fn anew(self) -> Self {
        Self::new(self.shared, self.at, self.stop)
    }

    async fn open(self, mut offer: Offer) -> Result<Opened, OfferOutcome> {
        let (info, limits) = (offer.info.clone(), offer.take_limits());
        if let Err(refusal) = limits.begin(&info) {
            return Err(self.deny(offer, Denied::Refused(refusal)).await);
        }
        match offer.policy {
            AcceptPolicy::ConnectFirst => match self.decide(&mut offer, &info, &limits).await {
                Ok((Reached { conn: far, grants, name }, place, admitted)) => {
                    let info = admitted.info.clone();
                    let mut answer = Answer::default();
                    answer.subprotocol = info.agree(&far.info);
                    answer.far = Some(grants);
                    answer.signals = far.control.incoming.is_some();
                    answer.messages = matches!(far.transport, Transport::Messages(_));
                    let (near, through) = self.accept(offer, admitted, answer).await?;
                    let (near, far) = self.apply_layer(near, far, through, &info).await?;
                    Ok(Opened { near, far, place, name })
                }
                Err(denied) => Err(self.deny(offer, denied).await),
            },
            AcceptPolicy::AcceptFirst => {
                let admitted = async {
                    let admitted = self.gate(&info).await?;
                    let place = self.place(&limits, &admitted.info).await?;
                    Ok((admitted, place))
                };
                match self.in_time(&mut offer, admitted).await {
                    Ok((admitted, place)) => {
                        let (near, through) =
                            self.accept(offer, admitted, Answer::default()).await?;
                        self.anew().connect(near, through, Seat::Taken(place)).await
                    }
                    Err(denied) => Err(self.deny(offer, denied).await),
                }
            }
            // It takes no place: the session that it belongs to has one.
            AcceptPolicy::Attach => match self.in_time(&mut offer, self.gate(&info)).await {
                Ok(admitted) => {
                    let (near, through) = self.accept(offer, admitted, Answer::default()).await?;
                    self.anew().connect(near, through, Seat::Needed(limits)).await
                }
                Err(denied) => Err(self.deny(offer, denied).await),
            },
        }
    }

    /// Gate, route, what the peer sends first where that matters, and connect.
    async fn decide(
        self,
        offer: &mut Offer,
        info: &Info,
        limits: &OfferLimits,
    ) -> Result<(Reached, Place, Admitted), Denied> {
        let routed = async {
            let admitted = self.gate(info).await?;
            let place = self.place(limits, &admitted.info).await?;
            Ok((self.route(&admitted.info).await?, place, admitted))
        };
        let (destination, place, admitted) = self.in_time(offer, routed).await?;
        if destination.connector.grants().is_unguarded() {
            self.screen(offer).await?;
        }
        // It has its own time limit.
        let dial = self.patient(&destination).dial(&destination, &admitted.info);
        let reached = self.while_there(offer, dial).await?;
        Ok((reached, place, admitted))
    }

    /// Works on a decision for as long as the peer is there, nothing stops and there is time.
    async fn in_time<T>(
        self,
        offer: &mut Offer,
        work: impl Future<Output = Result<T, Denied>>,
    ) -> Result<T, Denied> {
        let mut work = pin!(work);
        // Most decisions need no waiting, and none of what watches over that.
        if !self.shared.is_closing(self.stop)
            && let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await
        {
            return done;
        }
        let timed =
            async { patience::timeout_at(self.by, work).await.unwrap_or_else(|| Err(self.late())) };
        self.while_there(offer, timed).await
    }

    /// Works for as long as the peer is there and nothing stops.
    async fn while_there<T>(
        self,
        offer: &mut Offer,
        work: impl Future<Output = Result<T, Denied>>,
    ) -> Result<T, Denied> {
        tokio::select! {
            biased;
            () = self.shared.closing(self.stop) => Err(Denied::Closing),
            end = offer.left() => Err(Denied::Left(end)),
            done = work => done,
        }
    }

    /// Returns the denial after gate or route have timed out; a timeout of connecting has a
    /// separate log line.
    fn late(self) -> Denied {
        let cause = format!("no decision within {:?}", self.shared.timers.connect);
        let (event, reason) = ("refused", Reason::Timeout.name());
        warn!(event, endpoint = &*self.at.listener, reason, cause, "{cause}");
        out_of_time()
    }

    async fn gate(self, info: &Info) -> Result<Admitted, Denied> {
        self.shared.gate.check(info).await.map_err(Denied::Refused)
    }

    /// Works for as long as `limit` and, once we stop, the grace allow.
    async fn while_allowed<T>(self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let over = async {
            let end = self.stop.drained().await;
            self.stop.grace(self.shared.timers.grace, end).await
        };
        tokio::select! {
            biased;
            done = timeout(limit, work) => done.ok(),
            _ = over => None,
        }
    }
}
