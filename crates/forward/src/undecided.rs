//! The places of connections that are in their handshakes or wait for a decision.
//!
//! Taking a place never waits. When a listener's places, or those of all listeners together, are
//! taken, the connection that has been silent for longest loses its place to the new one: of the
//! peer network that holds the most places, so that whoever fills the pool pays for it. A network's
//! share counts only then, because all clients behind a reverse proxy have one address.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use endpoint::{Info, Network};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// All places of a forwarder, or of whoever else runs handshakes. Cheap to clone; clones are the same places.
#[derive(Clone)]
pub struct Undecided(Arc<Mutex<Pool>>);

/// One of the listeners that share the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(u64);

/// A place, given back when it is dropped.
#[must_use]
pub struct Place {
    pool: Undecided,
    listener: ListenerId,
    network: Network,
    turn: u64,
    /// Its sender is dropped with the entry in the pool.
    displaced: oneshot::Receiver<()>,
}

struct Pool {
    per_listener: usize,
    total: usize,
    len: usize,
    next_listener: u64,
    /// Grows with every sign of progress: entries are ordered by it.
    next_turn: u64,
    listeners: HashMap<ListenerId, OfListener>,
}

#[derive(Default)]
struct OfListener {
    len: usize,
    /// By the turn of their last progress; the first is the most silent.
    networks: HashMap<Network, BTreeMap<u64, Entry>>,
}

struct Entry {
    since: Instant,
    _tell: oneshot::Sender<()>,
}

// === impl Undecided ===

impl Undecided {
    /// So many places for each listener, and so many together; at least one.
    #[must_use]
    pub fn new(per_listener: usize, total: usize) -> Self {
        let listeners = HashMap::new();
        let (per_listener, total) = (per_listener.max(1), total.max(1));
        let pool = Pool { per_listener, total, len: 0, next_listener: 0, next_turn: 0, listeners };
        Self(Arc::new(Mutex::new(pool)))
    }

    /// Another listener. It holds no memory while it has no connections.
    #[must_use]
    pub fn listener(&self) -> ListenerId {
        let mut pool = self.lock();
        pool.next_listener += 1;
        ListenerId(pool.next_listener)
    }

    /// Takes a place, at once, and whether another connection lost its own for that.
    pub fn enter(&self, listener: ListenerId, network: Network) -> (Place, bool) {
        let mut pool = self.lock();
        let displaces = pool.make_room(listener);
        let (tell, displaced) = oneshot::channel();
        let turn = pool.insert(listener, network, tell);
        drop(pool);
        (Place { pool: self.clone(), listener, network, turn, displaced }, displaces)
    }

    /// Drops the most silent connection of all, if it has been silent for so long.
    pub(crate) fn drop_silent(&self, least: Duration) -> bool {
        let mut pool = self.lock();
        let Some(listener) = pool.fullest() else { return false };
        let silent = |entry: &Entry| entry.since.elapsed() >= least;
        pool.displace(listener, silent)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Place ===

impl Place {
    /// The peer did something: it is not the most silent any more.
    pub(crate) fn progress(&mut self) {
        let mut pool = self.pool.lock();
        if self.turn == pool.next_turn {
            return;
        }
        if let Some(Entry { _tell: tell, .. }) = pool.remove(self.listener, self.network, self.turn)
        {
            self.turn = pool.insert(self.listener, self.network, tell);
        }
    }

    /// Works for as long as the place is kept; `None` if another connection got it.
    ///
    /// What wakes the task counts as progress: bytes that came or went. A silent peer wakes nothing.
    pub async fn keep<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.progress();
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            pin!(self.displaced()).poll(cx).map(|()| None)
        })
        .await
    }

    /// Waits until another connection gets this place. Cancel safe.
    pub(crate) async fn displaced(&mut self) {
        // Nothing is ever sent; the error is the news.
        let _ = (&mut self.displaced).await;
    }

    /// Another place of the same peer.
    pub(crate) fn again(pool: &Undecided, listener: ListenerId, info: &Info) -> Self {
        pool.enter(listener, info.network()).0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut pool = self.pool.lock();
        let entry = pool.remove(self.listener, self.network, self.turn);
        drop((pool, entry));
    }
}

// === impl Pool ===

impl Pool {
    fn insert(&mut self, listener: ListenerId, network: Network, tell: oneshot::Sender<()>) -> u64 {
        self.next_turn += 1;
        let entry = Entry { since: Instant::now(), _tell: tell };
        let of = self.listeners.entry(listener).or_default();
        of.networks.entry(network).or_default().insert(self.next_turn, entry);
        of.len += 1;
        self.len += 1;
        self.next_turn
    }

    fn remove(&mut self, listener: ListenerId, network: Network, turn: u64) -> Option<Entry> {
        let of = self.listeners.get_mut(&listener)?;
        let entries = of.networks.get_mut(&network)?;
        let entry = entries.remove(&turn)?;
        if entries.is_empty() {
            of.networks.remove(&network);
        }
        of.len -= 1;
        self.len -= 1;
        if of.len == 0 {
            self.listeners.remove(&listener);
        }
        Some(entry)
    }

    /// Makes sure that one more fits.
    fn make_room(&mut self, listener: ListenerId) -> bool {
        let of = self.listeners.get(&listener).map_or(0, |of| of.len);
        let from = if of >= self.per_listener {
            Some(listener)
        } else if self.len >= self.total {
            self.fullest()
        } else {
            None
        };
        from.is_some_and(|from| self.displace(from, |_| true))
    }

    /// The listener with the most places.
    fn fullest(&self) -> Option<ListenerId> {
        self.listeners.iter().max_by_key(|(_, of)| of.len).map(|(listener, _)| *listener)
    }

    /// Drops the most silent connection of the network with the most places, if it `may` be.
    fn displace(&mut self, listener: ListenerId, may: impl FnOnce(&Entry) -> bool) -> bool {
        let Some(of) = self.listeners.get(&listener) else { return false };
        let first = |entries: &BTreeMap<u64, Entry>| entries.keys().next().copied();
        let rank = |entries: &BTreeMap<u64, Entry>| (entries.len(), Reverse(first(entries)));
        let Some((network, entries)) = of.networks.iter().max_by_key(|(_, all)| rank(all)) else {
            return false;
        };
        let Some((turn, entry)) = entries.first_key_value() else { return false };
        if !may(entry) {
            return false;
        }
        let (network, turn) = (*network, *turn);
        self.remove(listener, network, turn).is_some()
    }
}

impl fmt::Debug for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undecided").field("len", &self.lock().len).finish_non_exhaustive()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("network", &self.network).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(n: u8) -> Network {
        Network::V4([127, 0, n])
    }

    fn is_displaced(place: &mut Place) -> bool {
        place.displaced.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[tokio::test]
    async fn the_network_with_the_most_places_pays() {
        let pool = Undecided::new(4, 100);
        let listener = pool.listener();
        let (mut alone, _) = pool.enter(listener, network(1));
        let mut crowd: Vec<_> = (0..3).map(|_| pool.enter(listener, network(2)).0).collect();
        let (mut new, displaces) = pool.enter(listener, network(3));
        assert!(displaces);
        assert!(!is_displaced(&mut alone) && !is_displaced(&mut new));
        let gone: Vec<_> = crowd.iter_mut().map(is_displaced).collect();
        assert_eq!(gone, [true, false, false], "the oldest of the crowd");
    }

    #[tokio::test]
    async fn progress_makes_another_one_the_most_silent() {
        let pool = Undecided::new(2, 100);
        let listener = pool.listener();
        let (mut first, _) = pool.enter(listener, network(1));
        let (mut second, _) = pool.enter(listener, network(1));
        first.progress();
        let (_third, displaces) = pool.enter(listener, network(1));
        assert!(displaces && is_displaced(&mut second) && !is_displaced(&mut first));
        // One that lost its place takes none by going on.
        second.progress();
        assert_eq!(pool.lock().len, 2);
    }

    #[tokio::test]
    async fn the_listener_with_the_most_places_pays_for_all() {
        let pool = Undecided::new(10, 4);
        let (quiet, busy) = (pool.listener(), pool.listener());
        let (mut alone, _) = pool.enter(quiet, network(1));
        let mut crowd: Vec<_> = (0..3).map(|_| pool.enter(busy, network(1)).0).collect();
        let (mut new, displaces) = pool.enter(quiet, network(1));
        assert!(displaces && is_displaced(&mut crowd[0]));
        assert!(!is_displaced(&mut alone) && !is_displaced(&mut new));
    }

    #[tokio::test]
    async fn a_place_that_is_given_back_leaves_nothing() {
        let pool = Undecided::new(2, 2);
        let listener = pool.listener();
        for n in 0..100 {
            let (mut place, displaces) = pool.enter(listener, network(n));
            place.progress();
            assert!(!displaces);
        }
        let pool = pool.lock();
        assert!(pool.len == 0 && pool.listeners.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_has_been_silent_is_dropped_for_want_of_files() {
        let pool = Undecided::new(2, 2);
        let (mut place, _) = pool.enter(pool.listener(), network(1));
        assert!(!pool.drop_silent(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(pool.drop_silent(Duration::from_secs(1)) && is_displaced(&mut place));
    }
}
