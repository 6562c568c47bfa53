//! A listener and a connector whose peers a test plays.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{
    Accept, AcceptPolicy, Accepted, Answer, Conn, Connector, Context, Decision, End, Error,
    ErrorKind, Grants, Incoming, Info, Local, Offer, Offers, Reason, Refusal, Result,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::{Peer, fake};

// === the listening side ===

/// Where a test lets connections come in.
pub(crate) struct Source(mpsc::UnboundedSender<Result<Incoming>>, Arc<AtomicUsize>);

/// A bound listener; an `Accept`.
pub(crate) struct TestListener {
    local: Local,
    incoming: mpsc::UnboundedReceiver<Result<Incoming>>,
    calls: Arc<AtomicUsize>,
}

pub(crate) fn listener() -> (Source, Box<dyn Accept>) {
    let (sender, incoming) = mpsc::unbounded_channel();
    let calls = Arc::new(AtomicUsize::new(0));
    let local = Local::new("test:near");
    let listener = TestListener { local, incoming, calls: Arc::clone(&calls) };
    (Source(sender, calls), Box::new(listener))
}

#[async_trait]
impl Accept for TestListener {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.incoming.recv().await.transpose()
    }
}

impl Source {
    /// A connection with one offer.
    pub(crate) fn offer(&self) -> TestOffer {
        self.offer_in(AcceptPolicy::ConnectFirst)
    }

    pub(crate) fn offer_in(&self, order: AcceptPolicy) -> TestOffer {
        let (offer, peer) = TestOffer::new(order);
        self.incoming(Incoming::ready(offer));
        peer
    }

    pub(crate) fn incoming(&self, incoming: Incoming) {
        self.0.send(Ok(incoming)).expect("the listener is open");
    }

    pub(crate) fn offers(&self, script: Script) {
        self.incoming(Incoming::new(Info::new(), script));
    }

    pub(crate) fn error(&self, kind: io::ErrorKind) {
        self.fails(kind.into());
    }

    pub(crate) fn fails(&self, error: io::Error) {
        let error = Error::from_io("accept", "test:near", error);
        self.0.send(Err(error)).expect("the listener is open");
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// How often a connection was asked for.
    pub(crate) fn calls(&self) -> usize {
        self.1.load(Ordering::Relaxed)
    }
}

/// Offers that come one after another; `None` in it is a failed handshake, and after the last one
/// it stays open without more of them if `stays`.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) offers: VecDeque<Option<Offer>>,
    pub(crate) stays: bool,
    /// Dropped with it.
    pub(crate) _there: Option<Arc<()>>,
}

#[async_trait]
impl Offers for Script {
    async fn next(&mut self) -> Result<Option<Offer>> {
        match self.offers.pop_front() {
            Some(Some(offer)) => Ok(Some(offer)),
            Some(None) => Err(Error::new(ErrorKind::Protocol, "accept", "test:near", "not HTTP")),
            None if self.stays => std::future::pending().await,
            None => Ok(None),
        }
    }
}

/// The answer to the offer of a test's peer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Accepted(Answer),
    Refused(Refusal),
    /// The offer was dropped.
    Nothing,
}

/// The peer behind an offer.
pub(crate) struct TestOffer {
    /// The connection, which begins when the offer is accepted.
    pub(crate) peer: Peer,
    leave: Option<oneshot::Sender<End>>,
    told: oneshot::Receiver<Told>,
}

impl TestOffer {
    pub(crate) fn new(order: AcceptPolicy) -> (Offer, Self) {
        Self::with(order, Info::new(), false)
    }

    /// `attaches`: accepting it joins another session; `Info` is what it knows.
    pub(crate) fn with(order: AcceptPolicy, info: Info, attaches: bool) -> (Offer, Self) {
        let (stream, peer) = fake();
        let (leave, left) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let conn = (!attaches).then(|| Conn::bytes(stream, info.clone()));
        let decision = TestDecision { conn, left: Some(left), tell: Some(tell), fails: false };
        let offer = Offer::new(info, decision).with_policy(order);
        (offer, Self { peer, leave: Some(leave), told })
    }

    /// One whose handshake fails once it is accepted.
    pub(crate) fn failing() -> (Offer, Self) {
        let (tell, told) = oneshot::channel();
        let (_, peer) = fake();
        let decision = TestDecision { conn: None, left: None, tell: Some(tell), fails: true };
        (Offer::new(Info::new(), decision), Self { peer, leave: None, told })
    }

    /// The peer leaves before a decision.
    pub(crate) fn leave(&mut self) {
        if let Some(leave) = self.leave.take() {
            let _ = leave.send(End::because(Reason::Application, "reset"));
        }
    }

    pub(crate) async fn told(&mut self) -> Told {
        let told = timeout(Duration::from_secs(3600), &mut self.told).await;
        told.expect("the offer is never decided").unwrap_or(Told::Nothing)
    }
}

struct TestDecision {
    conn: Option<Conn>,
    left: Option<oneshot::Receiver<End>>,
    tell: Option<oneshot::Sender<Told>>,
    fails: bool,
}

impl TestDecision {
    fn tell(&mut self, told: Told) {
        let _ = self.tell.take().expect("it is decided once").send(told);
    }
}

#[async_trait]
impl Decision for TestDecision {
    async fn accept(mut self: Box<Self>, answer: Answer) -> Result<Accepted> {
        self.tell(Told::Accepted(answer));
        if self.fails {
            return Err(Error::new(ErrorKind::Other, "accept", "test:near", "it has left"));
        }
        Ok(self.conn.take().map_or(Accepted::Attached, Accepted::Session))
    }

    async fn refuse(mut self: Box<Self>, refusal: Refusal) {
        self.tell(Told::Refused(refusal));
    }

    fn poll_left(&mut self, cx: &mut TaskContext<'_>) -> Poll<End> {
        let Some(left) = &mut self.left else { return Poll::Pending };
        match std::pin::Pin::new(left).poll(cx) {
            Poll::Ready(Ok(end)) => Poll::Ready(end),
            Poll::Ready(Err(_)) => {
                self.left = None;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

// === the connecting side ===

/// The results of the next connections.
#[derive(Default, Debug)]
struct Plan {
    results: VecDeque<std::result::Result<Duration, io::ErrorKind>>,
    peers: VecDeque<Peer>,
    pending: usize,
    tried: usize,
    grants: Option<Grants>,
}

/// A connector.
#[derive(Clone, Debug)]
pub(crate) struct TestConnector(Arc<Mutex<Plan>>);

/// Its destination, as a test plays it.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Mutex<Plan>>);

/// Connects at once, unless the test says otherwise.
pub(crate) fn connector() -> (TestConnector, Connections) {
    let plan = Arc::default();
    (TestConnector(Arc::clone(&plan)), Connections(plan))
}

impl Connections {
    /// The next attempt fails.
    pub(crate) fn refuse(&self, kind: io::ErrorKind) {
        self.0.lock().unwrap().results.push_back(Err(kind));
    }

    /// The next attempt takes so long.
    pub(crate) fn delay(&self, by: Duration) {
        self.0.lock().unwrap().results.push_back(Ok(by));
    }

    /// Sets the grants of reaching it, which are nothing at first.
    pub(crate) fn grants(&self, grants: Grants) {
        self.0.lock().unwrap().grants = Some(grants);
    }

    /// How many attempts were begun.
    pub(crate) fn tried(&self) -> usize {
        self.0.lock().unwrap().tried
    }

    /// How many attempts are going on.
    pub(crate) fn pending(&self) -> usize {
        self.0.lock().unwrap().pending
    }

    /// The next connection that was made.
    pub(crate) async fn next(&self) -> Peer {
        let made = async {
            loop {
                let peer = self.0.lock().unwrap().peers.pop_front();
                if let Some(peer) = peer {
                    return peer;
                }
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(3600), made).await.expect("nothing is connected")
    }
}

struct Attempt<'a>(&'a Mutex<Plan>);

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().pending -= 1;
    }
}

#[async_trait]
impl Connector for TestConnector {
    async fn connect(&self, _: &Context, _: &Info) -> Result<Conn> {
        let result = {
            let mut plan = self.0.lock().unwrap();
            plan.pending += 1;
            plan.tried += 1;
            plan.results.pop_front().unwrap_or(Ok(Duration::ZERO))
        };
        let _attempt = Attempt(&self.0);
        match result {
            Err(kind) => Err(Error::from_io("connect", "test:far", kind.into())),
            Ok(delay) => {
                if !delay.is_zero() {
                    sleep(delay).await;
                }
                let (stream, peer) = fake();
                self.0.lock().unwrap().peers.push_back(peer);
                Ok(Conn::bytes(stream, Info::new()))
            }
        }
    }

    fn grants(&self) -> Grants {
        self.0.lock().unwrap().grants.unwrap_or(Grants::Nothing)
    }
}
