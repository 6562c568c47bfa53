//! The sessions of one listening socket, by their peers' addresses.
//!
//! One task receives for all of them: a socket wakes one reader, and a datagram is known to be whose only once it was
//! read. It lives as long as the listener or a session of its does.
//!
//! An address is whatever a sender claims, so the table is bounded. When it is full, the peer that has been silent for
//! longest makes room, one that has never sent again after an answer first: such an address may be forged.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use endpoint::{
    Accept, Accepted, Answer, Clock, Conn, Decision, End, Incoming, Local, Offer, Reason, Refusal,
    Result,
};
use tokio::io::Interest;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{Instant, sleep};
use tracing::{Instrument, debug, debug_span};

use super::losses::Losses;
use super::session::Session;
use super::{Received, Socket};

/// What sessions are limited to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Sessions at the same time.
    pub(crate) peers: usize,
    /// The silence that ends one.
    pub(crate) idle: Option<Duration>,
    /// Bytes of a message that is sent.
    pub(crate) message: usize,
}

/// A socket and its sessions.
pub(crate) struct Table<S: Socket> {
    pub(crate) socket: S,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    inboxes: Mutex<HashMap<S::Peer, Arc<Inbox>>>,
    /// Bytes that wait in all inboxes.
    waiting: Arc<AtomicUsize>,
}

/// The listener.
pub(crate) struct Accepting<S: Socket> {
    local: Local,
    arrivals: mpsc::Receiver<Entry<S>>,
    /// What has to be removed once nothing is received any more.
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
        // The task learns of its own handle by the first session at the earliest.
        let live = Arc::new(Mutex::new(Live(None)));
        let receiving = receive(Arc::clone(&table), sender, Arc::downgrade(&live));
        let task = tokio::spawn(receiving.instrument(span));
        live.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(task.abort_handle());
        Self { local, arrivals, _held: Some(Box::new((live, held))) }
    }
}

/// Ends the receiving task once nobody is left to receive for.
struct Live(Option<AbortHandle>);

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
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

/// A peer that waits for its answer. What it sends meanwhile is the session's.
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

/// A place in the table, given back when it is dropped.
pub(crate) struct Entry<S: Socket> {
    pub(crate) table: Arc<Table<S>>,
    pub(crate) peer: S::Peer,
    pub(crate) inbox: Arc<Inbox>,
    _live: Option<Arc<Mutex<Live>>>,
}

impl<S: Socket> Drop for Entry<S> {
    fn drop(&mut self) {
        let mut inboxes = self.table.lock();
        // A peer that made room may have another place by now.
        if inboxes.get(&self.peer).is_some_and(|inbox| Arc::ptr_eq(inbox, &self.inbox)) {
            inboxes.remove(&self.peer);
        }
    }
}

/// What has come for a session, and what is known about its peer.
pub(crate) struct Inbox(Mutex<State>);

pub(crate) struct State {
    queue: VecDeque<Bytes>,
    bytes: usize,
    /// What waits in all inboxes of the table.
    all: Arc<AtomicUsize>,
    /// Why nothing more comes.
    pub(crate) over: Option<Over>,
    /// When the peer last sent.
    heard: Instant,
    /// When something last came or went.
    pub(crate) stirred: Instant,
    /// It was sent something.
    pub(crate) is_answered: bool,
    /// It has sent something after an answer, so the answer has reached it.
    is_proven: bool,
    /// Datagrams that found the queue full, since the session last looked.
    pub(crate) overrun: u64,
    waker: Option<Waker>,
}

/// Why nothing more comes from a peer.
#[derive(Debug)]
pub(crate) enum Over {
    /// Another one needed the place.
    GaveWay,
    /// What it was sent came back.
    Refused(io::Error),
}

impl Inbox {
    fn new(now: Instant, all: Arc<AtomicUsize>) -> Self {
        Self(Mutex::new(State {
            queue: VecDeque::new(),
            bytes: 0,
            all,
            over: None,
            heard: now,
            stirred: now,
            is_answered: false,
            is_proven: false,
            overrun: 0,
            waker: None,
        }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The next datagram.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let data = self.queue.pop_front()?;
        self.weigh(data.len() + WEIGHT, usize::wrapping_sub);
        if self.queue.is_empty() {
            // An idle session holds no memory for bursts.
            self.queue = VecDeque::new();
        }
        Some(data)
    }

    fn weigh(&mut self, weight: usize, by: fn(usize, usize) -> usize) {
        self.bytes = by(self.bytes, weight);
        // Adding what wraps around subtracts.
        self.all.fetch_add(by(0, weight), Ordering::Relaxed);
    }

    pub(crate) fn wait(&mut self, cx: &Context<'_>) {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
    }

    fn push(&mut self, data: &[u8], now: Instant) {
        (self.heard, self.stirred) = (now, now);
        self.is_proven |= self.is_answered;
        let weight = data.len() + WEIGHT;
        if self.bytes + weight > QUEUE || self.all.load(Ordering::Relaxed) + weight > ALL {
            self.overrun += 1;
        } else {
            self.weigh(weight, usize::wrapping_add);
            self.queue.push_back(Bytes::copy_from_slice(data));
        }
        self.wake();
    }

    fn end(&mut self, over: Over) {
        self.over.get_or_insert(over);
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.weigh(self.bytes, usize::wrapping_sub);
    }
}

impl<S: Socket> Table<S> {
    fn lock(&self) -> MutexGuard<'_, HashMap<S::Peer, Arc<Inbox>>> {
        self.inboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The inbox of a peer that is not known yet; room is made for it.
    fn enter(&self, peer: &S::Peer, now: Instant) -> Arc<Inbox> {
        let mut inboxes = self.lock();
        if inboxes.len() >= self.limits.peers {
            let silent = |inbox: &Inbox| {
                let state = inbox.lock();
                (state.is_proven, state.heard)
            };
            let longest = inboxes.iter().min_by_key(|(_, inbox)| silent(inbox));
            if let Some(longest) = longest.map(|(peer, _)| peer.clone())
                && let Some(inbox) = inboxes.remove(&longest)
            {
                inbox.lock().end(Over::GaveWay);
            }
        }
        let inbox = Arc::new(Inbox::new(now, Arc::clone(&self.waiting)));
        inboxes.insert(peer.clone(), Arc::clone(&inbox));
        inbox
    }
}

/// Receives for all, until it is aborted.
async fn receive<S: Socket>(
    table: Arc<Table<S>>,
    arrivals: mpsc::Sender<Entry<S>>,
    live: std::sync::Weak<Mutex<Live>>,
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
/// What a session may have waiting: some 100 full Ethernet frames, or the two largest datagrams.
const QUEUE: usize = 160 * 1024;
/// What all sessions of a listener may have waiting: forged addresses cost no more than that.
const ALL: usize = 16 * 1024 * 1024;
/// What a datagram takes beside its data.
const WEIGHT: usize = 64;
/// The largest datagram there is, and a byte more.
const LARGEST: usize = 64 * 1024;
const PAUSE: Duration = Duration::from_millis(10);
