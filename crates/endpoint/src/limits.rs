//! Limits of a listener: its sessions, those of a network and of a user, and how often a network may begin one.
//!
//! A [`Limited`](crate::Limited) listener gives its offers the counters. The code that decides about an offer takes them
//! ([`Offer::take_limits`](crate::Offer::take_limits)) and asks when it is ready, as the forwarder does after its gate,
//! which knows the user; otherwise, [`Offer::accept`](crate::Offer::accept) asks.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::rate::Pace;
use crate::{Info, Network, Rate, Refusal, RefusalKind};

/// The limits of a listener; `None` sets no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Sessions at the same time.
    pub sessions: Option<usize>,
    /// Sessions of one client network at the same time ([`Info::client_network`]).
    pub per_network: Option<usize>,
    /// Sessions of one user at the same time, by the name in its identity. Clients without a name don't count.
    pub per_user: Option<usize>,
    /// The rate of one client network's sessions.
    pub rate: Option<Rate>,
}

/// The counters of one listener.
#[derive(Debug)]
pub(crate) struct Counters {
    /// The listener's descriptor.
    listener: String,
    limits: Limits,
    pace: Option<Mutex<Pace>>,
    counts: Mutex<Counts>,
}

/// Sessions. Networks and users have an entry only while they have a session, so there are never more of these than
/// sessions.
#[derive(Debug, Default)]
struct Counts {
    sessions: usize,
    networks: HashMap<Network, usize>,
    users: HashMap<Arc<str>, usize>,
}

/// The limits of an offer, those of every listener that it came through.
#[derive(Clone, Debug, Default)]
pub struct OfferLimits(Vec<Arc<Counters>>);

impl OfferLimits {
    pub(crate) fn and(&mut self, counters: Arc<Counters>) {
        self.0.push(counters);
    }

    /// The innermost of the listeners.
    pub(crate) fn listener(&self) -> &str {
        self.0.first().map_or("", |counters| &counters.listener)
    }

    /// Counts an attempt to begin a session.
    ///
    /// # Errors
    /// The client's network is over the rate, and what the client is told.
    pub fn begin(&self, info: &Info) -> Result<(), Refusal> {
        self.0.iter().try_for_each(|counters| {
            let Some((pace, network)) = counters.pace.as_ref().zip(info.client_network()) else {
                return Ok(());
            };
            let taken = pace.lock().unwrap_or_else(PoisonError::into_inner).take(network);
            taken.map_err(|wait| {
                let words = "too many sessions were requested from this network in a short time";
                Refusal::new(RefusalKind::Throttled, words).with_retry_after(wait)
            })
        })
    }

    /// Takes a place in every limit, or in none. Places are counted and taken in one step, so no two clients get the
    /// last one.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn enter(&self, info: &Info) -> Result<SessionPlaces, Full> {
        let places: Result<_, _> = self.0.iter().map(|counters| counters.enter(info)).collect();
        places.map(SessionPlaces)
    }
}

/// The places of a session, given back when they are dropped.
#[derive(Debug, Default)]
pub struct SessionPlaces(Vec<Place>);

impl SessionPlaces {
    /// Returns `true` if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `true` if this limit would not be reached without them.
    #[must_use]
    pub fn are_of(&self, full: &Full) -> bool {
        self.0.iter().any(|place| {
            Arc::ptr_eq(&place.counters, &full.counters)
                && match &full.what {
                    What::Sessions => true,
                    What::Network(network) => place.network.as_ref() == Some(network),
                    What::User(user) => place.user.as_ref() == Some(user),
                }
        })
    }
}

/// A place in the limits of one listener.
#[derive(Debug)]
struct Place {
    counters: Arc<Counters>,
    network: Option<Network>,
    user: Option<Arc<str>>,
}

/// A limit that is reached.
#[derive(Debug)]
pub struct Full {
    counters: Arc<Counters>,
    what: What,
}

#[derive(Debug)]
enum What {
    Sessions,
    Network(Network),
    User(Arc<str>),
}

impl Full {
    /// Returns the refusal of a client over the limit.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        let words = match self.what {
            What::Sessions => "there are too many sessions",
            What::Network(_) => "there are too many sessions from this network",
            What::User(_) => "this user has too many sessions",
        };
        Refusal::new(RefusalKind::Busy, words)
    }
}

impl Counters {
    /// The counters of the listener with this descriptor.
    pub(crate) fn new(listener: String, limits: Limits) -> Self {
        let pace = limits.rate.map(|rate| Mutex::new(Pace::new(rate)));
        Self { listener, limits, pace, counts: Mutex::default() }
    }

    fn enter(self: &Arc<Self>, info: &Info) -> Result<Place, Full> {
        let Limits { sessions, per_network, per_user, .. } = self.limits;
        let full = |what| Full { counters: Arc::clone(self), what };
        let network = per_network.and_then(|most| Some((info.client_network()?, most)));
        let user = per_user.and_then(|most| Some((Arc::from(info.identity()?.name()?), most)));
        let mut counts = self.counts();
        // The narrowest limit first: its message is the most useful one.
        if let Some((user, most)) = &user
            && counts.users.get(user).is_some_and(|count| count >= most)
        {
            return Err(full(What::User(Arc::clone(user))));
        }
        if let Some((network, most)) = &network
            && counts.networks.get(network).is_some_and(|count| count >= most)
        {
            return Err(full(What::Network(*network)));
        }
        if sessions.is_some_and(|most| counts.sessions >= most) {
            return Err(full(What::Sessions));
        }
        counts.sessions += 1;
        let network = network.map(|(network, _)| network);
        let user = user.map(|(user, _)| user);
        if let Some(network) = network {
            *counts.networks.entry(network).or_default() += 1;
        }
        if let Some(user) = &user {
            *counts.users.entry(Arc::clone(user)).or_default() += 1;
        }
        drop(counts);
        Ok(Place { counters: Arc::clone(self), network, user })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counters.counts();
        counts.sessions -= 1;
        if let Some(network) = self.network {
            one_less(&mut counts.networks, network);
        }
        if let Some(user) = self.user.take() {
            one_less(&mut counts.users, user);
        }
    }
}

fn one_less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::gate::{Admitted, Identity, Role};

    fn counters(limits: Limits) -> (Arc<Counters>, OfferLimits) {
        let counters = Arc::new(Counters::new(String::new(), limits));
        (Arc::clone(&counters), OfferLimits(vec![counters]))
    }

    #[test]
    fn no_two_clients_get_the_last_place() {
        let (counters, limits) = counters(Limits { sessions: Some(3), ..Limits::default() });
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        let Ok(places) = limits.enter(&Info::new()) else { continue };
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                        drop(places);
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!((1..=3).contains(&most), "{most}");
        assert_eq!(counters.counts().sessions, 0);
    }

    #[test]
    fn networks_and_users_have_an_entry_while_they_have_a_session() {
        let (counters, limits) =
            counters(Limits { per_network: Some(2), per_user: Some(1), ..Limits::default() });
        let ada = |uid| {
            let unix = crate::info::Unix { path: "/s".into(), pid: None, uid: Some(uid) };
            let info = Info::new().with(unix);
            Admitted::new(&info, Identity::user("ada"), Role::default()).info
        };
        let first = limits.enter(&ada(1)).expect("there is room");
        let full = limits.enter(&ada(2)).expect_err("ada has a session");
        assert!(first.are_of(&full));
        let counts = counters.counts();
        assert_eq!((counts.sessions, counts.networks.len(), counts.users.len()), (1, 1, 1));
        drop(counts);
        drop(first);
        let counts = counters.counts();
        assert_eq!((counts.sessions, counts.networks.len(), counts.users.len()), (0, 0, 0));
    }

    #[test]
    fn all_places_are_taken_or_none() {
        let (roomy, mut limits) = counters(Limits { sessions: Some(2), ..Limits::default() });
        let (_, narrow) = counters(Limits { sessions: Some(1), ..Limits::default() });
        limits.and(Arc::clone(&narrow.0[0]));
        let places = limits.enter(&Info::new()).expect("there is room");
        assert!(limits.enter(&Info::new()).is_err());
        assert_eq!(roomy.counts().sessions, 1);
        drop(places);
        assert_eq!(roomy.counts().sessions, 0);
    }
}
