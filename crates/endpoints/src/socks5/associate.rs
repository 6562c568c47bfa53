//! UDP ASSOCIATE, listening: a client's datagrams are relayed for as long as its connection lasts.
//!
//! 1. The client's request opens a socket ([`relay`](super::relay)) at the local address of the connection, and the
//!    reply contains its address.
//! 2. Each target that a datagram names is an offer, and becomes a session.
//! 3. The socket and its sessions end with the connection. The connection is closed once no more
//!    offers are accepted and no session is left.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as Poller, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::gate::{Credentials, Gate};
use endpoint::info::Tcp;
use endpoint::{
    ByteStream, Clock, Context, End, Info, Offer, Offers, Reason, Refusal, Result, SessionGuard,
    describe,
};
use socks::{Host, Target};
use tokio::io::ReadBuf;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::debug_span;

use super::ports::Place;
use super::relay::{Client, Relay};
use crate::datagram::accepting::Arrivals;
use crate::datagram::table::{Limits, Waiting};
use crate::patience::timeout;

/// The associations of a listener, planned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    /// The maximum number of them.
    pub(super) most: usize,
    pub(super) place: Place,
    /// The limits of the sessions of each.
    pub(super) sessions: Limits,
}

/// The associations of a listener.
pub(super) struct Associations {
    policy: Policy,
    places: Arc<Semaphore>,
    /// The number of sockets so far.
    opened: AtomicUsize,
    /// All sockets share their limit.
    waiting: Waiting,
    clock: Clock,
    takes_datagrams: bool,
    gate: Option<Arc<dyn Gate>>,
}

/// The reason why there is no association.
pub(super) enum Denied {
    /// The command isn't there, for this reason.
    NoCommand(&'static str),
    /// The gate refuses the client.
    Refused(Refusal),
    /// It failed.
    Failed(String),
}

/// A socket for a client, whose connection has not been told yet.
pub(super) struct Opened {
    relay: Relay,
    /// The address that the client has to send to.
    pub(super) at: SocketAddr,
    place: OwnedSemaphorePermit,
}

impl Associations {
    /// Those of a listener that is bound with `cx`.
    pub(super) fn new(policy: Policy, cx: &Context) -> Self {
        Self {
            policy,
            places: Arc::new(Semaphore::new(policy.most)),
            opened: AtomicUsize::new(0),
            waiting: Waiting::default(),
            clock: cx.clock().clone(),
            takes_datagrams: cx.takes_datagrams(),
            gate: cx.gate().cloned(),
        }
    }

    /// Opens the socket for a client that `info` is about, which will send from `named`.
    ///
    /// # Errors
    /// There is none for this client.
    pub(super) async fn open(
        &self,
        info: &Info,
        credentials: Option<&Credentials>,
        named: &Target,
    ) -> std::result::Result<Opened, Denied> {
        if !self.takes_datagrams {
            return Err(Denied::NoCommand("the destination takes none"));
        }
        let (Some(tcp), Some((address, _))) = (info.get::<Tcp>(), info.client()) else {
            return Err(Denied::NoCommand("its connection has no IP address"));
        };
        if let Some(gate) = &self.gate {
            let info = credentials.map_or_else(|| info.clone(), |it| info.clone().with(it.clone()));
            gate.check(&info).await.map_err(Denied::Refused)?;
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Denied::Failed(format!("there are {} associations already", self.policy.most))
        })?;
        let address = address.to_canonical();
        let at = match tcp.local.ip().to_canonical() {
            IpAddr::V4(v4) => SocketAddr::new(v4.into(), 0),
            // With its zone.
            IpAddr::V6(_) => tcp.local,
        };
        let client = Client { address, port: port(named, address) };
        let ports = self.policy.place.ports(self.opened.fetch_add(1, Ordering::Relaxed));
        let opened = Relay::open(at, ports, client, info.clone());
        let opened = opened.and_then(|relay| Ok((relay.local()?, relay)));
        let (at, relay) = opened.map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    "all of its ports are in use; `udp-ports` may have more".to_owned()
                }
                _ => describe(&error),
            };
            Denied::Failed(format!("cannot open a socket for datagrams: {why}"))
        })?;
        Ok(Opened { relay, at: self.policy.place.told(at), place })
    }

    /// Begins to relay, as long as the connection lasts.
    pub(super) fn begin(
        &self,
        opened: Opened,
        stream: Box<dyn ByteStream>,
        guard: SessionGuard,
        credentials: Option<Credentials>,
    ) -> Box<dyn Offers> {
        let Opened { relay, at, place } = opened;
        let span = debug_span!("relaying", %at);
        let until = async move {
            let end = lasts(stream).await;
            drop((guard, place));
            end
        };
        let (limits, waiting) = (self.policy.sessions, self.waiting.clone());
        let arrivals = Arrivals::begin(relay, limits, self.clock.clone(), waiting, until, span);
        Box::new(Association { arrivals, credentials })
    }
}

/// The port that a client sends from, if its request names one (RFC 1928 section 4). If the request has another address
/// than the connection, something in between translates both.
fn port(named: &Target, client: IpAddr) -> Option<u16> {
    match named.host {
        Host::Address(address) if address.is_unspecified() || address.to_canonical() == client => {
            Some(named.port).filter(|port| *port > 0)
        }
        _ => None,
    }
}

/// The targets of one client that have no session yet.
struct Association {
    arrivals: Arrivals<Relay>,
    credentials: Option<Credentials>,
}

#[async_trait]
impl Offers for Association {
    async fn next(&mut self) -> Result<Option<Offer>> {
        let Some(mut offer) = self.arrivals.next().await else { return Ok(None) };
        if let Some(credentials) = &self.credentials {
            offer.info = offer.info.clone().with(credentials.clone());
        }
        Ok(Some(offer))
    }
}

/// Waits for the end of the connection, and returns that of its sessions. Further data of the client has no meaning.
async fn lasts(mut stream: Box<dyn ByteStream>) -> End {
    let end = poll_fn(|cx| poll_over(&mut *stream, cx)).await;
    // A client that is gone needs no word of ours.
    let _ = timeout(A_MOMENT, poll_fn(|cx| stream.poll_finish(cx, &End::eof()))).await;
    end
}

fn poll_over(stream: &mut dyn ByteStream, cx: &mut Poller<'_>) -> Poll<End> {
    if let Poll::Ready(error) = stream.poll_background(cx) {
        return Poll::Ready(End::lost(&error));
    }
    let mut piece = [0; 1024];
    let mut buf = ReadBuf::new(&mut piece);
    match ready!(Pin::new(stream).poll_read(cx, &mut buf)) {
        Err(error) => Poll::Ready(End::lost(&error)),
        Ok(()) if buf.filled().is_empty() => {
            Poll::Ready(End::because(Reason::EndOfStream, "the client closed its association"))
        }
        Ok(()) => {
            // Others have their turn.
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
}

const A_MOMENT: Duration = Duration::from_secs(1);
