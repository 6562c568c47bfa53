//! From an offer to a session: gate, route, connect, accept, splice.
//!
//! Nothing is connected before the gate has been passed, and nothing is accepted before the
//! destination is connected, unless the protocol needs it so. A peer that leaves meanwhile takes
//! the attempt with it.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use endpoint::gate::Admitted;
use endpoint::{
    AcceptPolicy, Accepted, Answer, Conn, DialLayer, End, ErrorKind, Exposure, Grants,
    HOW_TO_ALLOW, Info, Life, Offer, OfferLimits, Reason, Refusal, RefusalKind, SessionPlaces,
    Transport, exposed,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tracing::{Span, field, info, warn};

use crate::denial::{Denied, out_of_time, told};
use crate::endings::Wanted;
use crate::observer::Began;
use crate::places::Places;
use crate::read_only::read_only;
use crate::shared::Shared;
use crate::splice::{Company, splice_by};
use crate::{Destination, Outcome, Stop, patience, undecided};

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

/// Sees one offer through, to the end of its session.
///
/// The future is as small as a session for as long as it lasts: the state of its opening is in a
/// separate box, made here already, since an async function would keep its arguments twice.
pub(crate) fn serve_offer(
    shared: Arc<Shared>,
    offer: Offer,
    undecided: undecided::Place,
    exposure: Exposure,
    stop: Stop,
) -> impl Future<Output = OfferOutcome> + Send {
    let opening = Box::pin(open(Arc::clone(&shared), offer, undecided, exposure, stop.clone()));
    async move {
        let Opened { near, far, place, name } = match opening.await {
            Ok(opened) => opened,
            Err(outcome) => return outcome,
        };
        let places = place.keep(&shared);
        OfferOutcome::Session(session(&shared, near, far, name, places, &stop).await)
    }
}

/// The session. No part of [`serve_offer`]: what an async function has borrowed once, it keeps for as long as it lasts.
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
    exposure: Exposure,
    stop: Stop,
) -> Result<Opened, OfferOutcome> {
    tokio::select! {
        biased;
        opened = Opening::new(&shared, exposure, &stop).open(offer) => opened,
        // Without words: whoever lost its place to others must not hold memory by not listening.
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

/// A session's place in the limits, given back when it is dropped.
struct Place {
    places: Places,
    once: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Takes the session's place: with `once`, no other session gets one. Returns what to hold for
    /// as long as the session lasts.
    fn keep(self, shared: &Shared) -> Option<Arc<Places>> {
        if let (Some(permit), Some(once)) = (self.once, &shared.once) {
            permit.forget();
            once.close();
            shared.enough.send_replace(true);
        }
        (!self.places.is_empty()).then(|| Arc::new(self.places))
    }
}

/// The place of a peer that is accepted before its destination is connected.
enum Seat {
    Taken(Place),
    /// It is taken if the peer has no session yet that it could have joined.
    Needed(OfferLimits),
}

/// A destination that is connected.
struct Reached {
    conn: Conn,
    grants: Grants,
    name: Arc<str>,
}

/// The layer that the near side wants to see the far side through.
type Through = Option<Arc<dyn DialLayer>>;

/// The decision about one offer.
#[derive(Clone, Copy)]
struct Opening<'a> {
    shared: &'a Shared,
    /// The clients that can reach the listener without a stated `auth`.
    exposure: Exposure,
    stop: &'a Stop,
    /// When it has to be taken.
    by: Instant,
}

impl<'a> Opening<'a> {
    fn new(shared: &'a Shared, exposure: Exposure, stop: &'a Stop) -> Self {
        Self { shared, exposure, stop, by: Instant::now() + shared.timers.connect }
    }

    /// With its time from now on.
    fn anew(self) -> Self {
        Self::new(self.shared, self.exposure, self.stop)
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
                match self.while_there(&mut offer, admitted).await {
                    Ok((admitted, place)) => {
                        let (near, through) =
                            self.accept(offer, admitted, Answer::default()).await?;
                        self.anew().connect(near, through, Seat::Taken(place)).await
                    }
                    Err(denied) => Err(self.deny(offer, denied).await),
                }
            }
            // It takes no place: the session that it belongs to has one.
            AcceptPolicy::Attach => match self.while_there(&mut offer, self.gate(&info)).await {
                Ok(admitted) => {
                    let (near, through) = self.accept(offer, admitted, Answer::default()).await?;
                    self.anew().connect(near, through, Seat::Needed(limits)).await
                }
                Err(denied) => Err(self.deny(offer, denied).await),
            },
        }
    }

    /// With the time that connecting to this destination may take.
    fn patient(mut self, destination: &Destination) -> Self {
        if let Some(patience) = destination.connector.patience() {
            // Longer than any client waits: timers can't add up to for ever.
            let by = Instant::now() + patience.min(FOR_EVER);
            self.by = self.by.max(by);
        }
        self
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
        let (destination, place, admitted) = self.while_there(offer, routed).await?;
        if destination.connector.grants().is_unguarded() {
            self.screen(offer).await?;
        }
        let patient = self.patient(&destination);
        let dial = patient.dial(&destination, &admitted.info);
        let reached = patient.while_there(offer, dial).await?;
        Ok((reached, place, admitted))
    }

    /// Waits for the peer's first bytes, for a moment: a request from a web page must not start a
    /// program. A peer that waits for the destination to send first isn't delayed any longer than
    /// that.
    async fn screen(self, offer: &mut Offer) -> Result<(), Denied> {
        tokio::select! {
            biased;
            () = self.shared.closing(self.stop) => Err(Denied::Closing),
            screened = timeout(FIRST_BYTES, offer.screen()) => {
                screened.unwrap_or(Ok(())).map_err(Denied::Refused)
            }
        }
    }

    /// Works on a decision for as long as the peer is there, nothing stops and there is time.
    async fn while_there<T>(
        self,
        offer: &mut Offer,
        work: impl Future<Output = Result<T, Denied>>,
    ) -> Result<T, Denied> {
        tokio::select! {
            biased;
            () = self.shared.closing(self.stop) => Err(Denied::Closing),
            end = offer.left() => Err(Denied::Left(end)),
            done = patience::timeout_at(self.by, work) => {
                done.unwrap_or_else(|| Err(self.late()))
            }
        }
    }

    /// Returns the denial after gate or route have timed out; a timeout of connecting has a
    /// separate log line.
    fn late(self) -> Denied {
        warn!("no decision within {:?}", self.shared.timers.connect);
        out_of_time()
    }

    async fn gate(self, info: &Info) -> Result<Admitted, Denied> {
        self.shared.gate.check(info).await.map_err(Denied::Refused)
    }

    /// Takes a place in the limits; `info` has the client's identity.
    async fn place(self, limits: &OfferLimits, info: &Info) -> Result<Place, Denied> {
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

    /// The destination, if this listener may be in front of it.
    async fn route(self, info: &Info) -> Result<Destination, Denied> {
        let destination = self.shared.route.route(info).await.map_err(Denied::Refused)?;
        Span::current().record("destination", field::display(&destination.name));
        let grants = destination.connector.grants();
        if self.exposure.allows(grants) {
            return Ok(destination);
        }
        self.shared.refusals.log(&exposed(grants, &destination.name), Some(HOW_TO_ALLOW));
        let words = "this listener has no `auth`, which the destination requires";
        Err(Denied::Refused(Refusal::new(RefusalKind::Forbidden, words)))
    }

    async fn dial(self, destination: &Destination, info: &Info) -> Result<Reached, Denied> {
        let connector = &destination.connector;
        // A device that a session still has which is ending: it gives way.
        let mut attempts = self.shared.endings.attempts();
        let connect = async {
            loop {
                let conn = connector.connect(&self.shared.cx, info).await;
                let is_busy = conn.as_ref().is_err_and(|error| error.kind() == ErrorKind::Busy);
                let wanted = Wanted::Destination(&destination.name);
                if !is_busy || !attempts.next(wanted).await {
                    return conn;
                }
            }
        };
        // The same limit as the whole decision's, here where what isn't reached in time has a name.
        match patience::timeout_at(self.by, connect).await {
            Some(Ok(conn)) => {
                let name = Arc::clone(&destination.name);
                Ok(Reached { conn, grants: connector.grants(), name })
            }
            Some(Err(error)) => {
                self.shared.refusals.log(&error.to_string(), error.hint());
                Err(Denied::Unreachable(told(&error, connector.grants())))
            }
            None => {
                let within = destination.connector.patience().unwrap_or(self.shared.timers.connect);
                let name = &destination.name;
                let words = format!("cannot connect {name}: no answer within {within:?}");
                self.shared.refusals.log(&words, None);
                Err(out_of_time())
            }
        }
    }

    async fn accept(
        self,
        offer: Offer,
        mut admitted: Admitted,
        answer: Answer,
    ) -> Result<(Conn, Through), OfferOutcome> {
        // Not before there is something to come in to: who is refused may try again with the same credentials.
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
            // What a peer takes its time to take is not a session yet, and has no grace.
            _ = self.stop.drained() => {
                info!("it did not complete the accept before the stop");
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
                info!("{error}");
                Err(OfferOutcome::Lost)
            }
            None => {
                info!("it did not complete the accept in time");
                Err(OfferOutcome::Lost)
            }
        }
    }

    /// Applies the layer that the near side sees the far side through. The near side is told if
    /// that fails.
    async fn apply_layer(
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
                warn!("{error}");
                Denied::Unreachable(told(&error, Grants::Service))
            }
            None => out_of_time(),
        };
        Err(self.dismiss(near, denied).await)
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

    /// Connects for a near side that is accepted already, and reports a failure there.
    async fn connect(
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

    /// Refuses an offer.
    async fn deny(self, offer: Offer, denied: Denied) -> OfferOutcome {
        let (refusal, outcome) = self.said(denied);
        let Some(refusal) = refusal else { return outcome };
        // A peer that doesn't take its refusal doesn't hold us.
        let _ = self.while_allowed(self.shared.timers.close, offer.refuse(refusal)).await;
        outcome
    }

    /// Refuses what was accepted already: as an end, with the close code that comes nearest.
    async fn dismiss(self, mut near: Conn, denied: Denied) -> OfferOutcome {
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
                self.shared.refusals.log(&format!("refused: {refusal}"), None);
                (Some(refusal), OfferOutcome::Refused)
            }
            Denied::Closing => {
                let refusal = Refusal::new(RefusalKind::Busy, "no more sessions are accepted");
                info!("refused: {refusal}");
                (Some(refusal), OfferOutcome::Refused)
            }
            // The reason was logged where it was known, with the destination's name.
            Denied::Unreachable(refusal) => (Some(refusal), OfferOutcome::Unreachable),
            Denied::Left(end) => {
                info!("left before it was connected ({end})");
                (None, OfferOutcome::Lost)
            }
        }
    }
}

fn life(transport: &mut Transport) -> &mut dyn Life {
    match transport {
        Transport::Bytes(stream) => &mut **stream,
        Transport::Messages(stream) => &mut **stream,
    }
}

/// A year.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);
/// A browser sends its request at once. A person who types doesn't notice.
const FIRST_BYTES: Duration = Duration::from_millis(100);
