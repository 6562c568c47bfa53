//! A session that a peer requests, and its decision: accept or refuse.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::limits::Counters;
use crate::{
    Conn, DialLayer, End, Error, ErrorKind, Grants, Info, OfferLimits, Refusal, Result,
    SessionPlaces,
};

/// A session that a peer requests: with all facts, undecided.
///
/// Dropping it undecided refuses it without words.
pub struct Offer {
    /// Everything that gate and route may ask.
    pub info: Info,
    /// The order of the decisions before it is accepted.
    pub policy: AcceptPolicy,
    limits: OfferLimits,
    decision: Box<dyn Decision>,
}

impl Offer {
    /// Creates an offer that is accepted once the far side is connected.
    pub fn new(info: Info, decision: impl Decision + 'static) -> Self {
        let (policy, limits) = (AcceptPolicy::ConnectFirst, OfferLimits::default());
        Self { info, policy, limits, decision: Box::new(decision) }
    }

    /// Creates an offer of `conn`, which is open already: accepting returns it, refusing drops it.
    #[must_use]
    pub fn open(conn: Conn) -> Self {
        Self::new(conn.info.clone(), Open(conn))
    }

    /// Creates an offer of `conn`, which is open already and comes back if it is refused. The receiver also learns of the
    /// end of a session: nothing comes back then.
    #[must_use]
    pub fn returning(conn: Box<Conn>) -> (Self, oneshot::Receiver<Box<Conn>>) {
        let (back, ended) = oneshot::channel();
        (Self::new(conn.info.clone(), Returning { conn, back }), ended)
    }

    /// Sets the policy.
    #[must_use]
    pub fn with_policy(mut self, policy: AcceptPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Replaces the connection, once it is accepted, by the result of `change`.
    #[must_use]
    pub fn map(self, change: impl FnOnce(Conn) -> Conn + Send + 'static) -> Self {
        let Self { info, policy, limits, decision } = self;
        let decision = Box::new(Mapped { decision, change: Box::new(change) });
        Self { info, policy, limits, decision }
    }

    /// The same offer, which counts for one more listener.
    pub(crate) fn limited(mut self, counters: Arc<Counters>) -> Self {
        self.limits.and(counters);
        self
    }

    /// Returns the limits of its listeners, for the caller to keep: [`Offer::accept`] doesn't ask them any more.
    #[must_use]
    pub fn take_limits(&mut self) -> OfferLimits {
        std::mem::take(&mut self.limits)
    }

    /// Accepts it, if its limits allow that and weren't taken; a session then holds its places.
    ///
    /// # Errors
    /// The peer left, the rest of its handshake failed, or a limit is reached: the peer was refused.
    pub async fn accept(self, answer: Answer) -> Result<Accepted> {
        let Self { info, limits, decision, .. } = self;
        let entered = limits.begin(&info).and_then(|()| {
            let entered = limits.enter(&info);
            entered.map_err(|full| full.refusal())
        });
        let places = match entered {
            Ok(places) => places,
            Err(refusal) => {
                let words = refusal.message.clone();
                decision.refuse(refusal).await;
                return Err(Error::new(ErrorKind::Refused, "accept", limits.listener(), words));
            }
        };
        let accepted = decision.accept(answer).await?;
        Ok(if places.is_empty() { accepted } else { accepted.holding(places) })
    }

    /// Refuses it, with a reason in the peer's own terms where it has such.
    pub async fn refuse(self, refusal: Refusal) {
        self.decision.refuse(refusal).await;
    }

    /// Waits for the first bytes of the peer, and refuses a peer that begins as a web browser does, where
    /// a web page could reach the listener. To be asked before the offer is accepted for something that
    /// takes whatever comes, such as a program; nothing is read, and the caller limits the time.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// The refusal to answer the offer with.
    pub async fn screen(&mut self) -> std::result::Result<(), Refusal> {
        poll_fn(|cx| self.decision.poll_screen(cx)).await
    }

    /// Waits until the peer has left for good, if it does so before a decision. A peer that has
    /// only ended its sending has not left.
    ///
    /// Cancel safe.
    pub async fn left(&mut self) -> End {
        poll_fn(|cx| self.decision.poll_left(cx)).await
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("info", &self.info)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// The order of the decisions before an offer is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AcceptPolicy {
    /// Gate, route and connect: the rule.
    #[default]
    ConnectFirst,
    /// Gate, then accept; the accepted connection then determines the destination. For protocols
    /// whose first message names the destination.
    AcceptFirst,
    /// Gate alone: it belongs to a session that is there already and went quiet.
    Attach,
}

/// Decides an offer: accept or refuse.
#[async_trait]
pub trait Decision: Send {
    /// Completes the handshake.
    ///
    /// # Errors
    /// The peer left, or did not keep to its protocol.
    async fn accept(self: Box<Self>, answer: Answer) -> Result<Accepted>;

    /// Refuses the offer, as well as the protocol can.
    async fn refuse(self: Box<Self>, refusal: Refusal);

    /// Looks at the first bytes of the peer, for [`Offer::screen`]. A layer whose protocol no browser can
    /// speak by accident, or that has its own rules for browsers, has nothing to look at.
    fn poll_screen(&mut self, cx: &mut Task<'_>) -> Poll<std::result::Result<(), Refusal>> {
        let _ = cx;
        Poll::Ready(Ok(()))
    }

    /// Polls for the end of a peer that has left: a reset, or an end where half-close doesn't exist. Reads
    /// nothing that a session would miss.
    fn poll_left(&mut self, cx: &mut Task<'_>) -> Poll<End> {
        let _ = cx;
        Poll::Pending
    }
}

/// The result of accepting.
#[derive(Debug)]
pub enum Accepted {
    /// A session's near side.
    Session(Conn),
    /// A session's near side that wants to see the far side through a layer: a terminal in a
    /// browser speaks no telnet itself.
    Through(Conn, Arc<dyn DialLayer>),
    /// The peer joined a session that goes on elsewhere ([`AcceptPolicy::Attach`]).
    Attached,
}

impl Accepted {
    /// Adds places that are released when the session ends. A session that continues elsewhere has its own.
    fn holding(mut self, places: SessionPlaces) -> Self {
        if let Self::Session(conn) | Self::Through(conn, _) = &mut self {
            conn.guard = std::mem::take(&mut conn.guard).and(places);
        }
        self
    }
}

/// The reply to a peer whose offer is accepted. Layers whose protocol has no such reply ignore it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The subprotocol to agree on, if the far side has settled it; otherwise the layer chooses.
    pub subprotocol: Option<String>,
    /// The type of the far side, if it is connected: a terminal is shown differently for a program
    /// and for a serial port.
    pub far: Option<Grants>,
    /// Set if the far side acts on signals, such as a window's size: a program on a pty does, and one on pipes
    /// doesn't.
    pub signals: bool,
    /// Set if the far side carries messages.
    pub messages: bool,
    /// Headers to add to the answer.
    pub headers: Vec<(String, String)>,
}

/// An offer that is open already.
struct Open(Conn);

#[async_trait]
impl Decision for Open {
    async fn accept(self: Box<Self>, _: Answer) -> Result<Accepted> {
        Ok(Accepted::Session(self.0))
    }

    async fn refuse(self: Box<Self>, _: Refusal) {}
}

/// An offer of what is open, which stays open if it is refused.
struct Returning {
    conn: Box<Conn>,
    /// Takes it back; dropped with the session.
    back: oneshot::Sender<Box<Conn>>,
}

#[async_trait]
impl Decision for Returning {
    async fn accept(self: Box<Self>, _: Answer) -> Result<Accepted> {
        let Self { mut conn, back } = *self;
        conn.guard = std::mem::take(&mut conn.guard).and(back);
        Ok(Accepted::Session(*conn))
    }

    async fn refuse(self: Box<Self>, _: Refusal) {
        let Self { conn, back } = *self;
        // Without a listener, it is closed.
        drop(back.send(conn));
    }
}

/// An offer whose connection is changed once it is accepted.
struct Mapped {
    decision: Box<dyn Decision>,
    change: Box<dyn FnOnce(Conn) -> Conn + Send>,
}

#[async_trait]
impl Decision for Mapped {
    async fn accept(self: Box<Self>, answer: Answer) -> Result<Accepted> {
        let Self { decision, change } = *self;
        Ok(match decision.accept(answer).await? {
            Accepted::Session(conn) => Accepted::Session(change(conn)),
            Accepted::Through(conn, layer) => Accepted::Through(change(conn), layer),
            Accepted::Attached => Accepted::Attached,
        })
    }

    async fn refuse(self: Box<Self>, refusal: Refusal) {
        self.decision.refuse(refusal).await;
    }

    fn poll_screen(&mut self, cx: &mut Task<'_>) -> Poll<std::result::Result<(), Refusal>> {
        self.decision.poll_screen(cx)
    }

    fn poll_left(&mut self, cx: &mut Task<'_>) -> Poll<End> {
        self.decision.poll_left(cx)
    }
}
