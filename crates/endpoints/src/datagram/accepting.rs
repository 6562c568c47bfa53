//! The sessions of a datagram socket: one task receives for all of them.
//!
//! A socket wakes one reader, and whose a datagram is shows only once it was read. The task lives as long as the
//! listener or a session of its does.

use std::future::{Future, pending};
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
use tracing::{Instrument, Span, debug, debug_span};

use super::losses::Losses;
use super::room::with_room;
use super::session::Session;
use super::table::{Entry, Limits, Live, Over, Table, Waiting};
use super::{Received, Socket};

/// A listener.
pub(crate) struct Accepting<S: Socket> {
    local: Local,
    arrivals: Arrivals<S>,
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
        let span = debug_span!("receiving", listener = %local.descriptor);
        let arrivals = Arrivals::begin(socket, limits, clock, Waiting::default(), pending(), span);
        Self { local, arrivals, _held: held }
    }
}

#[async_trait]
impl<S: Socket> Accept for Accepting<S> {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        Ok(self.arrivals.next().await.map(Incoming::ready))
    }
}

/// The peers of a socket that have no session yet.
pub(crate) struct Arrivals<S: Socket> {
    entries: mpsc::Receiver<Entry<S>>,
    _live: Arc<Mutex<Live>>,
}

impl<S: Socket> Arrivals<S> {
    /// Begins to receive, in a task that lasts as long as this or a session, and until `until` is ready at most: its
    /// result is the end of all sessions then. `waiting` may be shared with other sockets.
    pub(crate) fn begin(
        socket: S,
        limits: Limits,
        clock: Clock,
        waiting: Waiting,
        until: impl Future<Output = End> + Send + 'static,
        span: Span,
    ) -> Self {
        let table = Arc::new(Table { socket, limits, clock, inboxes: Mutex::default(), waiting });
        let (sender, entries) = mpsc::channel(ARRIVALS);
        // The first session needs the handle at the earliest, so it may be set after the task has begun.
        let live = Arc::new(Mutex::new(Live(None)));
        let receiving = receive(Arc::clone(&table), sender, Arc::downgrade(&live));
        let task = async move {
            tokio::select! {
                biased;
                end = until => table.end(&end),
                () = receiving => {}
            }
        };
        let task = tokio::spawn(task.instrument(span));
        live.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(task.abort_handle());
        Self { entries, _live: live }
    }

    /// Returns the next peer; `None` once there will be no more. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Offer> {
        let entry = self.entries.recv().await?;
        let info = entry.table.socket.info(&entry.peer);
        Some(Offer::new(info, Arrived(entry)))
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
            Some(Over::Ended(end)) => Poll::Ready(end.clone()),
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
    let mut receiving = Receiving { table, arrivals, live, losses: Losses::default() };
    let interest = Interest::READABLE | Interest::ERROR;
    while receiving.table.socket.ready(interest).await.is_ok() {
        match with_room(LARGEST, |buf| receiving.turn(buf)) {
            Turn::IsDry => {}
            Turn::IsOver => yield_now().await,
            Turn::Failed(error) => {
                debug!("cannot receive: {error}");
                // Should it be one that stays, it costs no more than this.
                sleep(PAUSE).await;
            }
        }
    }
}

struct Receiving<S: Socket> {
    table: Arc<Table<S>>,
    arrivals: mpsc::Sender<Entry<S>>,
    live: Weak<Mutex<Live>>,
    losses: Losses,
}

impl<S: Socket> Drop for Receiving<S> {
    fn drop(&mut self) {
        self.losses.dropped(self.table.socket.dropped());
    }
}

/// The end of a turn at receiving.
enum Turn {
    /// There is nothing more.
    IsDry,
    /// There may be more, after others had their turn.
    IsOver,
    Failed(io::Error),
}

impl<S: Socket> Receiving<S> {
    fn turn(&mut self, buf: &mut [u8]) -> Turn {
        let table = &self.table;
        let now = Instant::now();
        let mut left = TURN;
        while left > 0 {
            left -= 1;
            match table.socket.try_receive(buf) {
                Ok(Received::Datagram { at, each, from, dropped }) => {
                    self.losses.dropped(dropped);
                    let count = each.map_or(1, |each| at.len().div_ceil(each));
                    // The sessions' queues hold two such turns of full frames.
                    left = left.saturating_sub(count - 1);
                    if table.push(&from, &buf[at.clone()], each, now).is_some() {
                        continue;
                    }
                    match self.arrivals.try_reserve() {
                        Ok(place) => {
                            let inbox = table.enter(&from, now);
                            inbox.lock().push(&buf[at], each, now);
                            let table = Arc::clone(table);
                            let live = self.live.upgrade();
                            place.send(Entry { table, peer: from, inbox, _live: live });
                        }
                        Err(mpsc::error::TrySendError::Full(())) => {
                            self.losses.overrun(count as u64);
                        }
                        // No new peers are taken.
                        Err(mpsc::error::TrySendError::Closed(())) => {}
                    }
                }
                Ok(Received::TooLong) => self.losses.too_long(LARGEST),
                Ok(Received::Ignored) => {}
                Ok(Received::Refused { to, error }) => table.refuse(&to, &error),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Turn::IsDry,
                Err(error) => return Turn::Failed(error),
            }
        }
        Turn::IsOver
    }
}

/// Sessions that wait to be accepted.
const ARRIVALS: usize = 256;
/// Datagrams that are received before others get their turn.
const TURN: usize = 64;
/// The largest datagram there is, and a byte more.
const LARGEST: usize = 64 * 1024;
const PAUSE: Duration = Duration::from_millis(10);
