//! An open listener as a stream of connections.
//!
//! 1. A task accepts connections; each connection's handshakes run in another.
//! 2. The resulting [`Offer`]s wait in a short queue.
//! 3. The user takes offers to decide on, or connections that were accepted.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use endpoint::{Accept, Accepted, Answer, Conn, Incoming, Local, Offer};
use forward::undecided::{Place, Undecided};
use futures_core::Stream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{debug, warn};

/// An open listener. Dropping it closes it; accepted connections stay open.
///
/// As a [`Stream`] it yields the connections of [`Listening::accept`]. Errors of one connection
/// during its handshakes are logged, and don't affect others.
pub struct Listening {
    local: Local,
    offers: mpsc::Receiver<Offer>,
    accepting: JoinSet<Option<Conn>>,
    /// Ends with the listener.
    _tasks: JoinSet<()>,
}

impl Listening {
    pub(crate) fn new(accept: Box<dyn Accept>) -> Self {
        let local = accept.local().clone();
        let (sender, offers) = mpsc::channel(WAITING);
        let mut tasks = JoinSet::new();
        tasks.spawn(take_in(accept, sender));
        Self { local, offers, accepting: JoinSet::new(), _tasks: tasks }
    }

    /// Returns the address that it listens on, with parts that the system chose filled in.
    #[must_use]
    pub fn local(&self) -> &Local {
        &self.local
    }

    /// Returns the next connection, accepted unconditionally; `None` when there will be no more.
    ///
    /// Cancel safe. A peer that is slow to be accepted delays no other.
    pub async fn accept(&mut self) -> Option<Conn> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Returns the next offer, to be accepted or refused by its facts; `None` when there will
    /// be no more.
    ///
    /// Cancel safe.
    pub async fn offer(&mut self) -> Option<Offer> {
        self.offers.recv().await
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Option<Conn>> {
        loop {
            let mut over = false;
            while !over && self.accepting.len() < UNDECIDED {
                match self.offers.poll_recv(cx) {
                    Poll::Ready(Some(offer)) => {
                        self.accepting.spawn(accepted(offer));
                    }
                    Poll::Ready(None) => over = true,
                    Poll::Pending => break,
                }
            }
            match self.accepting.poll_join_next(cx) {
                Poll::Ready(Some(Ok(Some(conn)))) => return Poll::Ready(Some(conn)),
                // One less that is undecided, so the queue has to be asked again.
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) if over => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Stream for Listening {
    type Item = Conn;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Conn>> {
        self.poll_accept(cx)
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("local", &self.local).finish_non_exhaustive()
    }
}

async fn accepted(offer: Offer) -> Option<Conn> {
    match offer.accept(Answer::default()).await {
        // There is no far side here that a layer could go over.
        Ok(Accepted::Session(conn) | Accepted::Through(conn, _)) => Some(conn),
        Ok(Accepted::Attached) => None,
        Err(error) => {
            debug!("{error}");
            None
        }
    }
}

/// Accepts until the listener has ended or its receiver is dropped.
///
/// A handshake never keeps it from accepting: the most silent one is dropped for a new one. Only
/// offers that are not taken do.
async fn take_in(mut accept: Box<dyn Accept>, offers: mpsc::Sender<Offer>) {
    let undecided = Undecided::new(UNDECIDED, UNDECIDED);
    let listener = undecided.listener();
    let mut handshakes = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept.accept(), if handshakes.len() < 2 * UNDECIDED => match accepted {
                Ok(Some(incoming)) => {
                    let (place, _) = undecided.enter(listener, incoming.info.network()).await;
                    handshakes.spawn(shake(incoming, place, offers.clone()));
                }
                Ok(None) => break,
                Err(error) if error.is_of_one_connection() => {
                    debug!("{error}");
                    tokio::task::yield_now().await;
                }
                Err(error) => {
                    warn!("{error}; trying again");
                    sleep(PAUSE).await;
                }
            },
            Some(_) = handshakes.join_next() => {}
        }
    }
    while handshakes.join_next().await.is_some() {}
}

async fn shake(mut incoming: Incoming, place: Place, offers: mpsc::Sender<Offer>) {
    let mut place = Some(place);
    loop {
        // Until its first offer; a connection that outlives its sessions needs no place.
        let next = match place.take() {
            Some(mut place) => place.keep(incoming.next()).await,
            None => Some(incoming.next().await),
        };
        match next {
            Some(Ok(Some(offer))) => {
                if offers.send(offer).await.is_err() {
                    return;
                }
            }
            Some(Ok(None)) => return,
            Some(Err(error)) => {
                debug!(peer = incoming.info.peer(), "{error}");
                return;
            }
            None => {
                debug!(peer = incoming.info.peer(), "closed: another connection needs its place");
                return;
            }
        }
    }
}

/// Offers that have not been taken yet.
const WAITING: usize = 16;
/// Connections in their handshakes, as many as of the forwarder.
const UNDECIDED: usize = 1024;
/// After an error that the next attempt would meet again, such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);
