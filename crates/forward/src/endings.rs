//! Sessions that are ending, and may have to give way.
//!
//! A session that goes on for its rest alone holds a place, and perhaps a device. As soon as another client asks for
//! one of these, it gives way: the one in which nothing has moved for the longest time first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use endpoint::{Backoff, Full};
use tokio::time::{Instant, sleep};

use crate::places::Places;

/// The sessions of a forwarder that are ending.
#[derive(Debug, Default)]
pub(crate) struct Endings {
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    sessions: BTreeMap<u64, Arc<Entry>>,
    /// The number of the next session.
    next: u64,
    /// The destination that a session has left lately, and when: a device may still be closing.
    left: Vec<(Arc<str>, Instant)>,
}

#[derive(Debug)]
struct Entry {
    destination: Arc<str>,
    places: Option<Arc<Places>>,
    state: Mutex<State>,
}

/// The resource that another client needs.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// A place among all sessions.
    Place,
    /// A place in this limit.
    PlaceOf(&'a Full),
    /// This destination.
    Destination(&'a Arc<str>),
}

#[derive(Debug)]
struct State {
    /// The time of its last data.
    stirred: Instant,
    /// Set if it is asked to give way.
    asked: bool,
    /// The task of the session, once it has waited for that.
    waker: Option<Waker>,
}

/// A session's place in the list, taken back when it is dropped.
pub(crate) struct Ending<'a> {
    endings: &'a Endings,
    number: u64,
    entry: Arc<Entry>,
}

impl Endings {
    /// Enters a session that is ending.
    pub(crate) fn enter(
        &self,
        destination: &Arc<str>,
        places: Option<&Arc<Places>>,
        stirred: Instant,
    ) -> Ending<'_> {
        let state = Mutex::new(State { stirred, asked: false, waker: None });
        let (destination, places) = (Arc::clone(destination), places.cloned());
        let entry = Arc::new(Entry { destination, places, state });
        let mut list = self.list();
        let number = list.next;
        list.next += 1;
        list.sessions.insert(number, Arc::clone(&entry));
        Ending { endings: self, number, entry }
    }

    /// Notes that a session has left `destination`.
    pub(crate) fn left(&self, destination: &Arc<str>) {
        let now = Instant::now();
        let mut list = self.list();
        list.left.retain(|(name, at)| now < *at + CLOSING && name != destination);
        if list.left.len() < MOST {
            list.left.push((Arc::clone(destination), now));
        }
    }

    /// Asks the session that has been silent for longest to give way, of those that have what is wanted. Returns `true`
    /// if it can be expected: a session was asked, or has ended just now.
    fn ask(&self, wanted: Wanted<'_>) -> bool {
        let mut list = self.list();
        let silent = list
            .sessions
            .iter()
            .filter(|(_, entry)| entry.has(wanted))
            .min_by_key(|(_, entry)| entry.state().stirred)
            .map(|(number, _)| *number);
        if let Some(entry) = silent.and_then(|number| list.sessions.remove(&number)) {
            drop(list);
            entry.ask();
            return true;
        }
        let now = Instant::now();
        let matches = |name: &Arc<str>| match wanted {
            Wanted::Place => true,
            // A session that has left has given it back.
            Wanted::PlaceOf(_) => false,
            Wanted::Destination(wanted) => wanted == name,
        };
        list.left.iter().any(|(name, at)| matches(name) && now < *at + CLOSING)
    }

    /// Attempts to get what a session holds that is ending or has just ended.
    pub(crate) fn attempts(&self) -> Attempts<'_> {
        Attempts { endings: self, until: None, backoff: BACKOFF }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Attempts, with pauses between them.
pub(crate) struct Attempts<'a> {
    endings: &'a Endings,
    /// The end of the wait, once a session was asked to end.
    until: Option<Instant>,
    backoff: Backoff,
}

impl Attempts<'_> {
    /// Returns `true` if another attempt is worthwhile, after a pause.
    pub(crate) async fn next(&mut self, wanted: Wanted<'_>) -> bool {
        let now = Instant::now();
        match self.until {
            None if self.endings.ask(wanted) => self.until = Some(now + PATIENCE),
            None => return false,
            Some(until) if now >= until => return false,
            Some(_) => {}
        }
        sleep(self.backoff.pause()).await;
        true
    }
}

impl Entry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, wanted: Wanted<'_>) -> bool {
        match wanted {
            Wanted::Place => true,
            Wanted::PlaceOf(full) => {
                self.places.as_ref().is_some_and(|places| places.limits.are_of(full))
            }
            Wanted::Destination(destination) => self.destination == *destination,
        }
    }

    fn ask(&self) {
        let waker = {
            let mut state = self.state();
            state.asked = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Ending<'_> {
    /// Something last moved in it at `stirred`; ready once another client needs its place.
    pub(crate) fn poll_asked(&self, cx: &mut Context<'_>, stirred: Instant) -> Poll<()> {
        let mut state = self.entry.state();
        state.stirred = stirred;
        if state.asked {
            return Poll::Ready(());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => state.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.endings.list().sessions.remove(&self.number);
    }
}

/// The time that a device may take to close.
const CLOSING: Duration = Duration::from_secs(2);
/// The time that a client waits for the place of a session that is ending.
const PATIENCE: Duration = Duration::from_secs(2);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(100));
/// Destinations that are remembered: more of them at a time aren't devices.
const MOST: usize = 64;
