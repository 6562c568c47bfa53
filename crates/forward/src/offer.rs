//! From an offer to a session: gate, route, connect, accept, splice.
//!
//! Nothing is connected before the gate has been passed, and nothing is accepted before the
//! destination is connected, unless the protocol needs it so. A peer that leaves meanwhile takes
//! the attempt with it.

use std::future::{Future, poll_fn};
use std::sync::Arc;

use endpoint::info::Http;
use endpoint::{
    Accepted, Answer, Conn, DialLayer, End, ErrorKind, Grants, Info, Life, Offer, Order, Refusal,
    RefusalKind, Transport,
};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{Span, field, info, warn};

use crate::forwarder::Shared;
use crate::splice::splice_by;
use crate::{Outcome, Stop};

/// What became of a connection's handshakes, or of an offer that came of them.
pub(crate) enum Fate {
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
/// The future is as small as a session is for as long as it lasts: the memory of its beginning is
/// in a box of its own, made here already, since an async function would keep its arguments twice.
pub(crate) fn attend(
    shared: Arc<Shared>,
    offer: Offer,
    undecided: OwnedSemaphorePermit,
    stop: Stop,
) -> impl Future<Output = Fate> + Send {
    let opening = Box::pin(open(Arc::clone(&shared), offer, undecided, stop.clone()));
    async move {
        let Opened { near, far, place } = match opening.await {
            Ok(opened) => opened,
            Err(fate) => return fate,
        };
        let _place = place.keep(&shared);
        info!("open");
        let outcome = splice_by(shared.cx.clock(), near, far, &shared.timers, &stop).await;
        info!("{outcome}");
        Fate::Session(outcome)
    }
}

async fn open(
    shared: Arc<Shared>,
    offer: Offer,
    _undecided: OwnedSemaphorePermit,
    stop: Stop,
) -> Result<Opened, Fate> {
    Case::new(&shared, &stop).open(offer).await
}

/// Both sides of a session.
struct Opened {
    near: Conn,
    far: Conn,
    place: Place,
}

/// A session's place in the limits, given back when it is dropped.
struct Place {
    session: Option<OwnedSemaphorePermit>,
    once: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// There is a session: if one was all that was wanted, no other one gets a place. What is to be
    /// held for as long as it lasts.
    fn keep(self, shared: &Shared) -> Option<OwnedSemaphorePermit> {
        if let (Some(permit), Some(once)) = (self.once, &shared.once) {
            permit.forget();
            once.close();
            shared.enough.send_replace(true);
        }
        self.session
    }
}

/// A destination that is connected.
struct Reached {
    conn: Conn,
    grants: Grants,
}

/// The layer that the near side wants to see the far side through.
type Through = Option<Arc<dyn DialLayer>>;

/// Why an offer does not become a session.
enum Denied {
    Refused(Refusal),
    Unreachable(Refusal),
    Left(End),
}

/// The decision about one offer.
#[derive(Clone, Copy)]
struct Case<'a> {
    shared: &'a Shared,
    stop: &'a Stop,
    /// When it has to be taken.
    by: Instant,
}

impl<'a> Case<'a> {
    fn new(shared: &'a Shared, stop: &'a Stop) -> Self {
        Self { shared, stop, by: Instant::now() + shared.timers.connect }
    }

    async fn open(self, mut offer: Offer) -> Result<Opened, Fate> {
        let info = offer.info.clone();
        match offer.order {
            Order::ConnectFirst => {
                let decided = async {
                    self.gate(&info).await?;
                    let place = self.place().await?;
                    Ok((self.reach(&info).await?, place))
                };
                match self.while_there(&mut offer, decided).await {
                    Ok((Reached { conn: far, grants }, place)) => {
                        let mut answer = agreed(&info, &far.info);
                        answer.far = Some(grants);
                        answer.signals = far.control.incoming.is_some();
                        let (near, through) = self.accept(offer, answer).await?;
                        let far = self.see(far, through, &info).await?;
                        Ok(Opened { near, far, place })
                    }
                    Err(denied) => Err(self.deny(offer, denied).await),
                }
            }
            Order::AcceptFirst => {
                let admitted = async {
                    self.gate(&info).await?;
                    self.place().await
                };
                match self.while_there(&mut offer, admitted).await {
                    Ok(place) => {
                        let (near, through) = self.accept(offer, Answer::default()).await?;
                        Self::new(self.shared, self.stop).connect(near, through, Some(place)).await
                    }
                    Err(denied) => Err(self.deny(offer, denied).await),
                }
            }
            // It takes no place: the session that it belongs to has one.
            Order::Attach => match self.while_there(&mut offer, self.gate(&info)).await {
                Ok(()) => {
                    let (near, through) = self.accept(offer, Answer::default()).await?;
                    Self::new(self.shared, self.stop).connect(near, through, None).await
                }
                Err(denied) => Err(self.deny(offer, denied).await),
            },
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
            () = self.shared.closing(self.stop) => Err(stopping()),
            end = offer.left() => Err(Denied::Left(end)),
            done = timeout_at(self.by, work) => {
                done.unwrap_or_else(|_| Err(self.late()))
            }
        }
    }

    /// Gate or route took their time; connecting has a line of its own.
    fn late(self) -> Denied {
        warn!("there was no decision within {:?}", self.shared.timers.connect);
        unreachable(ErrorKind::Timeout)
    }

    async fn gate(self, info: &Info) -> Result<(), Denied> {
        self.shared.gate.check(info).await.map_err(Denied::Refused)
    }

    /// Takes a place in the limits.
    async fn place(self) -> Result<Place, Denied> {
        let once = match &self.shared.once {
            // Waits for what becomes of the offer that has it now.
            Some(once) => Some(Arc::clone(once).acquire_owned().await.map_err(|_| stopping())?),
            None => None,
        };
        let session = match &self.shared.places {
            Some(places) => Some(Arc::clone(places).try_acquire_owned().map_err(|_| {
                Denied::Refused(Refusal::new(RefusalKind::Busy, "there are too many sessions"))
            })?),
            None => None,
        };
        Ok(Place { session, once })
    }

    /// Routes and connects.
    async fn reach(self, info: &Info) -> Result<Reached, Denied> {
        let destination = self.shared.route.route(info).await.map_err(Denied::Refused)?;
        Span::current().record("destination", field::display(&destination.name));
        // The same limit as the whole decision's, here where what isn't reached in time has a name.
        match timeout_at(self.by, destination.connector.connect(&self.shared.cx, info)).await {
            Ok(Ok(conn)) => Ok(Reached { conn, grants: destination.connector.grants() }),
            Ok(Err(error)) => {
                match error.hint() {
                    Some(hint) => warn!("{error} ({hint})"),
                    None => warn!("{error}"),
                }
                Err(unreachable(error.kind()))
            }
            Err(_) => {
                let within = self.shared.timers.connect;
                warn!("cannot connect {}: no answer within {within:?}", destination.name);
                Err(unreachable(ErrorKind::Timeout))
            }
        }
    }

    async fn accept(self, offer: Offer, answer: Answer) -> Result<(Conn, Through), Fate> {
        match timeout(self.shared.timers.connect, offer.accept(answer)).await {
            Ok(Ok(Accepted::Session(near))) => Ok((near, None)),
            Ok(Ok(Accepted::Through(near, layer))) => Ok((near, Some(layer))),
            Ok(Ok(Accepted::Attached)) => {
                info!("attached to its session");
                Err(Fate::Attached)
            }
            Ok(Err(error)) => {
                info!("{error}");
                Err(Fate::Lost)
            }
            Err(_) => {
                info!("it was accepted, and did not take that in time");
                Err(Fate::Lost)
            }
        }
    }

    /// The far side as the near side wants to see it.
    async fn see(self, far: Conn, through: Through, info: &Info) -> Result<Conn, Fate> {
        let Some(layer) = through else { return Ok(far) };
        layer.dial(&self.shared.cx, far, info).await.map_err(|error| {
            warn!("{error}");
            Fate::Unreachable
        })
    }

    /// Connects for a near side that is accepted already, and says there why it can't.
    async fn connect(
        self,
        mut near: Conn,
        through: Through,
        place: Option<Place>,
    ) -> Result<Opened, Fate> {
        let info = near.info.clone();
        let reached = async {
            let place = match place {
                Some(place) => place,
                None => self.place().await?,
            };
            Ok((self.reach(&info).await?, place))
        };
        let reached = tokio::select! {
            biased;
            _ = self.stop.stopped() => Err(stopping()),
            error = poll_fn(|cx| life(&mut near.transport).poll_background(cx)) => {
                Err(Denied::Left(End::because(error.kind().to_string())))
            }
            reached = timeout_at(self.by, reached) => {
                reached.unwrap_or_else(|_| Err(self.late()))
            }
        };
        match reached {
            Ok((Reached { conn, .. }, place)) => {
                let far = self.see(conn, through, &info).await?;
                Ok(Opened { near, far, place })
            }
            Err(denied) => Err(self.dismiss(near, denied).await),
        }
    }

    /// Refuses an offer.
    async fn deny(self, offer: Offer, denied: Denied) -> Fate {
        let (refusal, fate) = said(denied);
        let Some(refusal) = refusal else { return fate };
        // A peer that doesn't take its refusal doesn't hold us.
        let _ = timeout(self.shared.timers.close, offer.refuse(refusal)).await;
        fate
    }

    /// Refuses what was accepted already: as an end, with the close code that comes nearest.
    async fn dismiss(self, mut near: Conn, denied: Denied) -> Fate {
        let (refusal, fate) = said(denied);
        let Some(refusal) = refusal else { return fate };
        let code = match refusal.kind {
            RefusalKind::Busy => 1013,
            RefusalKind::Forbidden | RefusalKind::NotFound => 1008,
            // 1014, a bad gateway, is younger than many a client that would call it an error.
            _ => 1011,
        };
        let end = End::with_code(code, refusal.message);
        let told = poll_fn(|cx| life(&mut near.transport).poll_finish(cx, &end));
        // As above; and if it can't be told, it is gone.
        let _ = timeout(self.shared.timers.close, told).await;
        fate
    }
}

/// Logs a denial; what the peer is to be told, if it is there.
fn said(denied: Denied) -> (Option<Refusal>, Fate) {
    match denied {
        Denied::Refused(refusal) => {
            info!("refused: {refusal}");
            (Some(refusal), Fate::Refused)
        }
        // The reason was logged where it was known, with the destination's name.
        Denied::Unreachable(refusal) => (Some(refusal), Fate::Unreachable),
        Denied::Left(end) => {
            info!("left before it was connected ({end})");
            (None, Fate::Lost)
        }
    }
}

fn stopping() -> Denied {
    Denied::Refused(Refusal::new(RefusalKind::Busy, "no more sessions are taken"))
}

/// What a peer may know about a destination that can't be connected: no name and no address.
fn unreachable(kind: ErrorKind) -> Denied {
    let (kind, message) = match kind {
        ErrorKind::Timeout => (RefusalKind::Timeout, "the destination did not answer in time"),
        ErrorKind::Busy => (RefusalKind::Busy, "the destination is in use"),
        _ => (RefusalKind::Refused, "the destination can't be connected"),
    };
    Denied::Unreachable(Refusal::new(kind, message))
}

/// The subprotocol that the far side settled, if the near side offers it too.
fn agreed(near: &Info, far: &Info) -> Answer {
    let mut answer = Answer::default();
    if let (Some(near), Some(far)) = (near.get::<Http>(), far.get::<Http>()) {
        let settled = far.subprotocols.first();
        answer.subprotocol = settled.filter(|name| near.subprotocols.contains(name)).cloned();
    }
    answer
}

fn life(transport: &mut Transport) -> &mut dyn Life {
    match transport {
        Transport::Bytes(stream) => &mut **stream,
        Transport::Messages(stream) => &mut **stream,
    }
}
