//! The state that a connection's task shares with the sessions of its sockets, and the task's operations on it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::Bytes;
use endpoint::info::Target;
use endpoint::{End, Part};

use super::Terms;
use super::socket::{Socket, Word, wake};

/// The state that the connection and its sockets share.
pub(super) struct Shared {
    pub(super) terms: Terms,
    state: Mutex<State>,
}

impl Shared {
    pub(super) fn new(terms: Terms) -> Self {
        Self { terms, state: Mutex::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Identifies a socket for as long as it is held; a client may reuse its number before.
pub(super) type Key = u64;

/// The sockets of a connection.
#[derive(Default)]
pub(super) struct State {
    sockets: HashMap<Key, Socket>,
    /// Those that the client knows, by its numbers.
    known: HashMap<u32, Key>,
    next: Key,
    /// Sockets that wait to be offered: each is in `sockets`, which is bounded.
    pub(super) offered: VecDeque<Key>,
    /// Sockets that have something for the task, each once.
    due: VecDeque<Key>,
    /// Bytes from the client that wait in all sockets.
    waiting: usize,
    /// Sockets that have more than their share.
    full: usize,
    /// No more sockets are accepted: the receiver of offers is gone.
    pub(super) is_closing: bool,
    /// The connection is over.
    pub(super) is_over: bool,
    /// The task is not reading.
    pub(super) is_paused: bool,
    pub(super) driver: Option<Waker>,
    pub(super) offers: Option<Waker>,
}

impl State {
    /// Adds a socket, if there is a place for it.
    pub(super) fn open(&mut self, terms: &Terms, number: u32, target: Target) -> bool {
        if self.is_closing || self.sockets.len() >= terms.sockets {
            return false;
        }
        self.next += 1;
        let key = self.next;
        self.sockets.insert(key, Socket::new(terms, number, target));
        self.known.insert(number, key);
        self.offered.push_back(key);
        wake(&mut self.offers);
        true
    }

    /// Adds data for a socket. Data for an unknown socket is dropped: it may have crossed the notice of its end.
    pub(super) fn data(&mut self, number: u32, data: Bytes, last: bool) {
        let Some(socket) = self.known.get(&number).and_then(|key| self.sockets.get_mut(key)) else {
            return;
        };
        if !socket.is_held {
            return;
        }
        let was_full = socket.is_full();
        self.waiting += socket.receive(Part { data, text: false, last });
        self.full += usize::from(!was_full && socket.is_full());
    }

    /// The client closes a socket.
    pub(super) fn close(&mut self, number: u32, end: End) {
        let Some(key) = self.known.remove(&number) else { return };
        let Some(socket) = self.sockets.get_mut(&key) else { return };
        socket.ended.get_or_insert(end);
        // The client needs no further message about the socket.
        socket.is_said = true;
        socket.outbox = VecDeque::new();
        wake(&mut socket.reader);
        wake(&mut socket.writer);
        if !socket.is_held {
            self.remove(key);
        }
    }

    /// The connection is over, and so are all of its sockets.
    pub(super) fn end(&mut self, end: &End) {
        self.is_over = true;
        let numbers: Vec<_> = self.known.keys().copied().collect();
        for number in numbers {
            self.close(number, end.clone());
        }
        wake(&mut self.offers);
    }

    /// Returns `true` if reading has to wait until data is taken.
    pub(super) fn is_full(&self) -> bool {
        self.waiting >= ALL || self.full > 0
    }

    /// Returns `true` if no socket is left.
    pub(super) fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Returns the next message of the sockets, in turn, with the socket's number.
    pub(super) fn word(&mut self) -> Option<(u32, Word)> {
        while let Some(key) = self.due.pop_front() {
            let Some(socket) = self.sockets.get_mut(&key) else { continue };
            socket.is_due = false;
            let number = socket.number;
            let word = socket.word();
            let is_more = socket.has_word();
            if let Some(Word::Refused(_) | Word::Over(_)) = word {
                self.known.remove(&number);
            }
            if socket.is_said && !socket.is_held {
                self.remove(key);
            } else if is_more {
                self.due(key);
            }
            if let Some(word) = word {
                return Some((number, word));
            }
        }
        None
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.empty(key);
        self.sockets.remove(&key);
        if self.is_closing && self.sockets.is_empty() {
            wake(&mut self.driver);
        }
    }

    /// A socket that is held, which stays until [`State::release`].
    pub(super) fn socket(&mut self, key: Key) -> &mut Socket {
        self.sockets.get_mut(&key).expect("who holds a socket has it")
    }

    pub(super) fn lighten(&mut self, key: Key, weight: usize) {
        let socket = self.socket(key);
        let was_full = socket.is_full();
        socket.waiting -= weight;
        let is_full = socket.is_full();
        self.full -= usize::from(was_full && !is_full);
        self.waiting -= weight;
        if self.is_paused && !self.is_full() {
            wake(&mut self.driver);
        }
    }

    /// Forgets the data that has come for a socket.
    pub(super) fn empty(&mut self, key: Key) {
        let Some(socket) = self.sockets.get_mut(&key) else { return };
        let waiting = socket.waiting;
        socket.inbox = VecDeque::new();
        socket.packets = 0;
        if waiting > 0 {
            self.lighten(key, waiting);
        }
    }

    pub(super) fn due(&mut self, key: Key) {
        let socket = self.socket(key);
        if !socket.is_due {
            socket.is_due = true;
            self.due.push_back(key);
            wake(&mut self.driver);
        }
    }
}

/// The bound of queued data from a client for all of its sockets.
pub(super) const ALL: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::super::socket::{OUT, SHARE, Verdict, WEIGHT};
    use super::*;

    const TERMS: Terms = Terms {
        name: "test",
        encode: |_, data| Part::binary(data.to_vec()),
        most: 65_536,
        sockets: 1,
        window: None,
    };

    fn datagrams() -> (State, Key) {
        let mut state = State::default();
        assert!(state.open(&TERMS, 7, Target::datagrams("h", 53)));
        let key = state.next;
        (state, key)
    }

    #[test]
    fn empty_datagrams_are_bounded_too() {
        let (mut state, key) = datagrams();
        let mut said = 0;
        while state.has_room(key) && said < OUT {
            state.say(key, Part::binary(Vec::new()));
            said += 1;
        }
        assert!(said <= OUT / WEIGHT, "{said}");
        while state.word().is_some() {}
        assert!(state.has_room(key) && state.is_flushed(key));
    }

    #[test]
    fn datagrams_that_nobody_takes_are_lost_and_stop_no_other_socket() {
        let (mut state, key) = datagrams();
        for _ in 0..2 * SHARE / WEIGHT {
            state.data(7, Bytes::new(), true);
        }
        assert!(!state.is_full());
        assert!(state.socket(key).waiting <= SHARE && state.socket(key).lost > 0);
    }

    #[test]
    fn a_session_that_is_gone_before_its_client_heard_of_it_leaves_no_socket() {
        let mut state = State::default();
        assert!(state.open(&TERMS, 7, Target::new("h", 1)));
        let key = state.next;
        state.decide(key, Verdict::Opened);
        state.release(key);
        assert!(matches!(state.word(), Some((7, Word::Opened(_)))));
        assert!(matches!(state.word(), Some((7, Word::Over(_)))));
        assert!(state.word().is_none() && state.is_empty());
    }
}
