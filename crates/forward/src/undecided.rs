//! The places of connections that are in their handshakes or wait for a decision.
//!
//! When a listener's places, or those of all listeners together, are taken, the connection that has
//! been silent for longest loses its place to the new one: of the peer network that holds the most
//! places, so that a client that fills the pool pays for it. A network's share counts only then,
//! because all clients behind a reverse proxy have one address. A new connection of that same
//! network waits for a moment first: when thousands of clients reconnect at once, none of them is
//! silent.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use endpoint::{Info, Network};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout};

/// The places for undecided connections of a forwarder, or of other code that runs handshakes. Clones share them.
#[derive(Clone)]
pub struct Undecided(Arc<Shared>);

struct Shared {
    pool: Mutex<Pool>,
    /// A place was given back.
    freed: Notify,
}

/// A listener that shares the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListenerId(u64);

/// A place, released when it is dropped.
#[must_use]
pub struct Place {
    undecided: Undecided,
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
    listeners: BTreeMap<ListenerId, OfListener>,
}

#[derive(Default)]
struct OfListener {
    len: usize,
    /// Ordered by the time of their last progress; the first has been silent for longest.
    networks: BTreeMap<Network, BTreeMap<u64, Entry>>,
}

struct Entry {
    since: Instant,
    /// The time that it keeps its place against its own network.
    patience: Duration,
    _tell: oneshot::Sender<()>,
}

// === impl Undecided ===

impl Undecided {
    /// Creates a number of places for each listener, and for all together; at least one.
    #[must_use]
    pub fn new(per_listener: usize, total: usize) -> Self {
        let listeners = BTreeMap::new();
        let (per_listener, total) = (per_listener.max(1), total.max(1));
        let pool = Pool { per_listener, total, len: 0, next_listener: 0, next_turn: 0, listeners };
        Self(Arc::new(Shared { pool: Mutex::new(pool), freed: Notify::new() }))
    }

    /// Adds a listener. It takes no memory while it has no connections.
    #[must_use]
    pub fn listener(&self) -> ListenerId {
        let mut pool = self.lock();
        pool.next_listener += 1;
        ListenerId(pool.next_listener)
    }

    /// Takes a place, and returns it with `true` if another connection lost its place for it. Cancel safe.
    ///
    /// Waits only where the peer's own network would pay with a connection that has just come, and
    /// for a quarter of a second at most.
    pub async fn enter(&self, listener: ListenerId, network: Network) -> (Place, bool) {
        loop {
            // Before the look, so that a place freed right after it is noticed.
            let freed = self.0.freed.notified();
            match self.try_enter(listener, network, true) {
                Ok(entered) => return entered,
                Err(wait) => {
                    // Whichever comes first, the next look tells.
                    let _ = timeout(wait, freed).await;
                }
            }
        }
    }

    /// Takes a place at once. The other connections may keep theirs for as long as is returned instead,
    /// if it is to be `patient`.
    fn try_enter(
        &self,
        listener: ListenerId,
        network: Network,
        patient: bool,
    ) -> Result<(Place, bool), Duration> {
        let mut pool = self.lock();
        let displaces = match pool.victim(listener) {
            None => false,
            Some(victim) => {
                let wait = if patient { pool.wait(&victim, listener, network) } else { None };
                if let Some(wait) = wait {
                    return Err(wait);
                }
                pool.remove(victim.listener, victim.network, victim.turn).is_some()
            }
        };
        let (tell, displaced) = oneshot::channel();
        let entry = Entry { since: Instant::now(), patience: HANDSHAKE, _tell: tell };
        let turn = pool.insert(listener, network, entry);
        drop(pool);
        Ok((Place { undecided: self.clone(), listener, network, turn, displaced }, displaces))
    }

    /// Drops the most silent connection of all, if it has been silent for so long.
    pub(crate) fn drop_silent(&self, least: Duration) -> bool {
        let mut pool = self.lock();
        let Some(victim) = pool.fullest().and_then(|listener| pool.most_silent(listener)) else {
            return false;
        };
        let silent = victim.since.elapsed() >= least;
        silent && pool.remove(victim.listener, victim.network, victim.turn).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.0.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Place ===

impl Place {
    /// The peer did something: it is not the most silent any more.
    pub(crate) fn progress(&mut self) {
        self.renew(None);
    }

    /// The peer has done all that it has to, and waits for a decision.
    pub(crate) fn offered(&mut self) {
        self.renew(Some(OFFER));
    }

    fn renew(&mut self, patience: Option<Duration>) {
        let mut pool = self.undecided.lock();
        if self.turn == pool.next_turn {
            // It is the last in order already.
            if let Some(patience) = patience
                && let Some(entry) = pool.entry(self.listener, self.network, self.turn)
            {
                (entry.since, entry.patience) = (Instant::now(), patience);
            }
            return;
        }
        if let Some(mut entry) = pool.remove(self.listener, self.network, self.turn) {
            entry.since = Instant::now();
            entry.patience = patience.unwrap_or(entry.patience);
            self.turn = pool.insert(self.listener, self.network, entry);
        }
    }

    /// Runs `work` while the place is kept; returns `None` if another connection got the place.
    ///
    /// A wake-up of the task counts as progress: bytes that came or went. A silent peer wakes nothing.
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

    /// Another place of the same peer, at once.
    pub(crate) fn again(undecided: &Undecided, listener: ListenerId, info: &Info) -> Option<Self> {
        undecided.try_enter(listener, info.network(), false).ok().map(|(place, _)| place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut pool = self.undecided.lock();
        let entry = pool.remove(self.listener, self.network, self.turn);
        drop((pool, entry));
        self.undecided.0.freed.notify_waiters();
    }
}

// === impl Pool ===

impl Pool {
    fn insert(&mut self, listener: ListenerId, network: Network, entry: Entry) -> u64 {
        self.next_turn += 1;
        let of = self.listeners.entry(listener).or_default();
        of.networks.entry(network).or_default().insert(self.next_turn, entry);
        of.len += 1;
        self.len += 1;
        self.next_turn
    }

    fn entry(&mut self, listener: ListenerId, network: Network, turn: u64) -> Option<&mut Entry> {
        self.listeners.get_mut(&listener)?.networks.get_mut(&network)?.get_mut(&turn)
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

    /// Returns the place that one more connection of `listener` takes; `None` if there is room.
    fn victim(&self, listener: ListenerId) -> Option<Victim> {
        let of = self.listeners.get(&listener).map_or(0, |of| of.len);
        if of >= self.per_listener {
            self.most_silent(listener)
        } else if self.len >= self.total {
            self.most_silent(self.fullest()?)
        } else {
            None
        }
    }

    /// Returns the time that it may still keep its place, if the new connection is of the network
    /// that pays.
    fn wait(&self, victim: &Victim, listener: ListenerId, network: Network) -> Option<Duration> {
        let same = victim.listener == listener && victim.network == network;
        let wait = victim.patience.saturating_sub(victim.since.elapsed());
        Some(wait).filter(|wait| same && !wait.is_zero())
    }

    /// The listener with the most places.
    fn fullest(&self) -> Option<ListenerId> {
        self.listeners.iter().max_by_key(|(_, of)| of.len).map(|(listener, _)| *listener)
    }

    /// The most silent connection of the network that has the most places of this listener.
    fn most_silent(&self, listener: ListenerId) -> Option<Victim> {
        let of = self.listeners.get(&listener)?;
        let first = |entries: &BTreeMap<u64, Entry>| entries.keys().next().copied();
        let rank = |entries: &BTreeMap<u64, Entry>| (entries.len(), Reverse(first(entries)));
        let (network, entries) = of.networks.iter().max_by_key(|(_, entries)| rank(entries))?;
        let (turn, entry) = entries.first_key_value()?;
        let Entry { since, patience, .. } = *entry;
        Some(Victim { listener, network: *network, turn: *turn, since, patience })
    }
}

/// The connection that is to lose its place.
struct Victim {
    listener: ListenerId,
    network: Network,
    turn: u64,
    since: Instant,
    patience: Duration,
}

/// A request follows its connection at once, however far the client is. A longer wait would add up: 4,096
/// connections in a backlog, 1,024 at a time, are accepted within four of these.
const HANDSHAKE: Duration = Duration::from_millis(2);
/// A destination that is there takes a connection within this, wherever it is.
const OFFER: Duration = Duration::from_millis(250);

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

    impl Undecided {
        fn enter_now(&self, listener: ListenerId, network: Network) -> (Place, bool) {
            self.try_enter(listener, network, false).expect("it has no patience")
        }
    }

    fn is_displaced(place: &mut Place) -> bool {
        place.displaced.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[tokio::test]
    async fn the_network_with_the_most_places_pays() {
        let pool = Undecided::new(4, 100);
        let listener = pool.listener();
        let (mut alone, _) = pool.enter_now(listener, network(1));
        let mut crowd: Vec<_> = (0..3).map(|_| pool.enter_now(listener, network(2)).0).collect();
        let (mut new, displaces) = pool.enter_now(listener, network(3));
        assert!(displaces);
        assert!(!is_displaced(&mut alone) && !is_displaced(&mut new));
        let gone: Vec<_> = crowd.iter_mut().map(is_displaced).collect();
        assert_eq!(gone, [true, false, false], "the oldest of the crowd");
    }

    #[tokio::test]
    async fn progress_makes_another_one_the_most_silent() {
        let pool = Undecided::new(2, 100);
        let listener = pool.listener();
        let (mut first, _) = pool.enter_now(listener, network(1));
        let (mut second, _) = pool.enter_now(listener, network(1));
        first.progress();
        let (_third, displaces) = pool.enter_now(listener, network(1));
        assert!(displaces && is_displaced(&mut second) && !is_displaced(&mut first));
        // One that lost its place takes none by going on.
        second.progress();
        assert_eq!(pool.lock().len, 2);
    }

    #[tokio::test]
    async fn the_listener_with_the_most_places_pays_for_all() {
        let pool = Undecided::new(10, 4);
        let (quiet, busy) = (pool.listener(), pool.listener());
        let (mut alone, _) = pool.enter_now(quiet, network(1));
        let mut crowd: Vec<_> = (0..3).map(|_| pool.enter_now(busy, network(1)).0).collect();
        let (mut new, displaces) = pool.enter_now(quiet, network(1));
        assert!(displaces && is_displaced(&mut crowd[0]));
        assert!(!is_displaced(&mut alone) && !is_displaced(&mut new));
    }

    #[tokio::test]
    async fn a_place_that_is_given_back_leaves_nothing() {
        let pool = Undecided::new(2, 2);
        let listener = pool.listener();
        for n in 0..100 {
            let (mut place, displaces) = pool.enter_now(listener, network(n));
            place.progress();
            assert!(!displaces);
        }
        let pool = pool.lock();
        assert!(pool.len == 0 && pool.listeners.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_has_been_silent_is_dropped_for_want_of_files() {
        let pool = Undecided::new(2, 2);
        let (mut place, _) = pool.enter_now(pool.listener(), network(1));
        assert!(!pool.drop_silent(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(pool.drop_silent(Duration::from_secs(1)) && is_displaced(&mut place));
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_waits_for_its_own_that_have_just_come() {
        let pool = Undecided::new(1, 10);
        let listener = pool.listener();
        let (mut first, _) = pool.enter(listener, network(1)).await;
        let began = Instant::now();
        let (mut second, displaces) = pool.enter(listener, network(1)).await;
        assert!(displaces && is_displaced(&mut first));
        assert!((HANDSHAKE..HANDSHAKE * 2).contains(&began.elapsed()));
        second.offered();
        let began = Instant::now();
        let (mut third, _) = pool.enter(listener, network(1)).await;
        assert!(is_displaced(&mut second) && began.elapsed() >= OFFER);
        let began = Instant::now();
        let _fourth = pool.enter(listener, network(2)).await;
        assert!(is_displaced(&mut third) && began.elapsed().is_zero(), "another one doesn't");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_is_given_back_is_taken_at_once() {
        let pool = Undecided::new(1, 10);
        let listener = pool.listener();
        let (first, _) = pool.enter(listener, network(1)).await;
        let began = Instant::now();
        let waiting = tokio::join!(pool.enter(listener, network(1)), async { drop(first) });
        assert!(!waiting.0.1 && began.elapsed().is_zero());
    }
}
