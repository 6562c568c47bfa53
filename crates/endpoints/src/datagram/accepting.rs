//! The listener of a datagram socket: one task receives for all of its sessions.
//!
//! A socket wakes one reader, and whose a datagram is shows only once it was read. The task lives as long as the listener
//! or a session of its does.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{
    Accept, Accepted, Answer, Clock, Conn, Decision, End, Incoming, Local, Offer, Reason, Refusal,
    Result,
};
use tokio::io::Interest;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use tracing::{Instrument, debug, debug_span};

use super::losses::Losses;
use super::session::Session;
use super::table::{Entry, Limits, Live, Over, Table};
use super::{Received, Socket};

/// The listener.
pub(crate) struct Accepting<S: Socket> {
    local: Local,
    arrivals: mpsc::Receiver<Entry<S>>,
    /// The resource to remove once nothing is received any more.
    _held: Option<Box<dyn Send + Sync>>,
}

impl<S: Socket> Accepting<S> {
    /// Begins to receive. `held` is dropped with the listener.
    pub(crate) fn begin(
        socket: S,
        local: Local,
        limits: Limits,
        clock: Clock,
        held: Option<Box<dyn Send + Sync>>,
    ) -> Self {
        let table = Arc::new(Table {
            socket,
            limits,
            clock,
            inboxes: Mutex::default(),
            waiting: Arc::default(),
        });
        let (sender, arrivals) = mpsc::channel(ARRIVALS);
        let span = debug_span!("receiving", listener = %local.descriptor);
        // The first session needs the handle at the earliest, so it may be set after the task has begun.
        let live = Arc::new(Mutex::new(Live(None)));
        let receiving = receive(Arc::clone(&table), sender, Arc::downgrade(&live));
        let task = tokio::spawn(receiving.instrument(span));
        live.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(task.abort_handle());
        Self { local, arrivals, _held: Some(Box::new((live, held))) }
    }
}

#[async_trait]
impl<S: Socket> Accept for Accepting<S> {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        Ok(self.arrivals.recv().await.map(|entry| {
            let info = entry.table.socket.info(&entry.peer);
            Incoming::ready(Offer::new(info, Arrived(entry)))
        }))
    }
}

/// A peer that waits for its answer. Data that it sends meanwhile belongs to the session.
struct Arrived<S: Socket>(Entry<S>);

#[async_trait]
impl<S: Socket> Decision for Arrived<S> {
    async fn accept(self: Box<Self>, _: Answer) -> Result<Accepted> {
        let info = self.0.table.socket.info(&self.0.peer);
        Ok(Accepted::Session(Conn::messages(Session::new(self.0), info)))
    }

    /// A datagram has no words for it.
    async fn refuse(self: Box<Self>, _: Refusal) {}

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let mut state = self.0.inbox.lock();
        match &state.over {
            Some(Over::GaveWay) => Poll::Ready(End::of(Reason::GaveWay)),
            Some(Over::Refused(error)) => Poll::Ready(End::lost(error)),
            None => {
                state.wait(cx);
                Poll::Pending
            }
        }
    }
}

/// Receives for all, until it is aborted.
async fn receive<S: Socket>(
    table: Arc<Table<S>>,
    arrivals: mpsc::Sender<Entry<S>>,
    live: Weak<Mutex<Live>>,
) {
    let mut losses = Losses::default();
    let mut buf = vec![0; LARGEST];
    let interest = Interest::READABLE | Interest::ERROR;
    while table.socket.ready(interest).await.is_ok() {
        let now = Instant::now();
        let mut is_dry = false;
        for _ in 0..TURN {
            match table.socket.try_receive(&mut buf) {
                Ok(Received::Datagram { len, from, dropped }) => {
                    losses.dropped(dropped);
                    let known = table.lock().get(&from).cloned();
                    if let Some(inbox) = known {
                        inbox.lock().push(&buf[..len], now);
                        continue;
                    }
                    match arrivals.try_reserve() {
                        Ok(place) => {
                            let inbox = table.enter(&from, now);
                            inbox.lock().push(&buf[..len], now);
                            let table = Arc::clone(&table);
                            place.send(Entry { table, peer: from, inbox, _live: live.upgrade() });
                        }
                        Err(mpsc::error::TrySendError::Full(())) => losses.overrun(),
                        // No new peers are taken.
                        Err(mpsc::error::TrySendError::Closed(())) => {}
                    }
                }
                Ok(Received::TooLong) => losses.too_long(LARGEST),
                Ok(Received::Ignored) => {}
                Ok(Received::Refused { to, error }) => {
                    for (peer, inbox) in table.lock().iter() {
                        if S::is_same(peer, &to) {
                            inbox.lock().end(Over::Refused(error.kind().into()));
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    is_dry = true;
                    break;
                }
                Err(error) => {
                    debug!("cannot receive: {error}");
                    // Should it be one that stays, it costs no more than this.
                    sleep(PAUSE).await;
                }
            }
        }
        if !is_dry {
            yield_now().await;
        }
    }
}

/// Sessions that wait to be accepted.
const ARRIVALS: usize = 256;
/// Datagrams that are received before others get their turn.
const TURN: usize = 64;
/// The largest datagram there is, and a byte more.
const LARGEST: usize = 64 * 1024;
const PAUSE: Duration = Duration::from_millis(10);
