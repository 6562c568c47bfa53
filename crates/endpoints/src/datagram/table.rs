//! The sessions of one listening socket, by their peers' addresses, and what has come for each.
//!
//! An address is whatever a sender claims, so the table is bounded. When it is full, the peer that has been silent for
//! longest makes room, one that has never sent again after an answer first: such an address may be forged.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use endpoint::{Clock, End};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::Socket;
use super::peers::Peers;

/// The limits of sessions.
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
    pub(super) inboxes: Mutex<Peers<S::Peer, Arc<Inbox>>>,
    pub(super) waiting: Waiting,
}

/// The bytes that wait in all inboxes, of one socket or of several that share their limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<AtomicUsize>);

/// Ends the receiving task once no session is left.
pub(super) struct Live(pub(super) Option<AbortHandle>);

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// A place in the table, given back when it is dropped.
pub(crate) struct Entry<S: Socket> {
    pub(crate) table: Arc<Table<S>>,
    pub(crate) peer: S::Peer,
    pub(crate) inbox: Arc<Inbox>,
    pub(super) _live: Option<Arc<Mutex<Live>>>,
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

/// The data that has arrived for a session, and the facts about its peer.
pub(crate) struct Inbox(Mutex<State>);

pub(crate) struct State {
    queue: VecDeque<Bytes>,
    bytes: usize,
    /// The bytes in all inboxes.
    all: Waiting,
    /// The reason why nothing more comes.
    pub(crate) over: Option<Over>,
    /// The time of the last datagram in either direction.
    pub(crate) stirred: Instant,
    /// It was sent something.
    pub(crate) is_answered: bool,
    /// It has sent something after an answer, so the answer has reached it.
    is_proven: bool,
    /// Datagrams that found the queue full, since the session last looked.
    pub(crate) overrun: u64,
    waker: Option<Waker>,
}

/// The reason why nothing more comes from a peer.
#[derive(Debug)]
pub(crate) enum Over {
    /// Another one needed the place.
    GaveWay,
    /// A datagram to it was returned with an error.
    Refused(io::Error),
    /// The owner of all sessions has ended.
    Ended(End),
}

impl Inbox {
    fn new(now: Instant, all: Waiting) -> Self {
        Self(Mutex::new(State {
            queue: VecDeque::new(),
            bytes: 0,
            all,
            over: None,
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
        self.all.0.fetch_add(by(0, weight), Ordering::Relaxed);
    }

    pub(crate) fn wait(&mut self, cx: &Context<'_>) {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
    }

    /// Adds a datagram, or several that have `each` bytes. Returns whether the peer is proven to be there.
    pub(super) fn push(&mut self, data: &[u8], each: Option<usize>, now: Instant) -> bool {
        self.stirred = now;
        self.is_proven |= self.is_answered;
        match each {
            None => self.add(data),
            Some(each) => data.chunks(each).for_each(|data| self.add(data)),
        }
        self.wake();
        self.is_proven
    }

    fn add(&mut self, data: &[u8]) {
        let weight = data.len() + WEIGHT;
        if self.bytes + weight > QUEUE || self.all.0.load(Ordering::Relaxed) + weight > ALL {
            self.overrun += 1;
        } else {
            self.weigh(weight, usize::wrapping_add);
            self.queue.push_back(Bytes::copy_from_slice(data));
        }
    }

    pub(super) fn end(&mut self, over: Over) {
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
    pub(super) fn lock(&self) -> MutexGuard<'_, Peers<S::Peer, Arc<Inbox>>> {
        self.inboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all sessions.
    pub(super) fn end(&self, end: &End) {
        for (_, inbox) in self.lock().iter() {
            inbox.lock().end(Over::Ended(end.clone()));
        }
    }

    /// Adds what a peer has sent to its inbox; `None` if it is not known.
    pub(super) fn push(
        &self,
        peer: &S::Peer,
        data: &[u8],
        each: Option<usize>,
        now: Instant,
    ) -> Option<()> {
        self.lock().heard(peer, |inbox| inbox.lock().push(data, each, now))
    }

    /// Ends the session that an ICMP error is about.
    pub(super) fn refuse(&self, to: &S::Peer, error: &io::Error) {
        let inboxes = self.lock();
        let otherwise = || inboxes.get(&S::otherwise(to)?);
        if let Some(inbox) = inboxes.get(to).or_else(otherwise) {
            inbox.lock().end(Over::Refused(error.kind().into()));
        }
    }

    /// The inbox of a peer that is not known yet; room is made for it.
    pub(super) fn enter(&self, peer: &S::Peer, now: Instant) -> Arc<Inbox> {
        let mut inboxes = self.lock();
        if inboxes.len() >= self.limits.peers
            && let Some(inbox) = inboxes.make_room()
        {
            inbox.lock().end(Over::GaveWay);
        }
        let inbox = Arc::new(Inbox::new(now, self.waiting.clone()));
        inboxes.insert(peer.clone(), Arc::clone(&inbox));
        inbox
    }
}

/// The maximum that a session may have waiting: some 100 full Ethernet frames, or the two largest
/// datagrams.
const QUEUE: usize = 160 * 1024;
/// The maximum that all sessions of a listener may have waiting together: forged addresses cost no more than
/// that.
const ALL: usize = 16 * 1024 * 1024;
/// The memory of a datagram in addition to its data.
const WEIGHT: usize = 64;
