//! What a connection's task and the sessions of its sockets share.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use endpoint::info::Target;
use endpoint::{End, Part, Reason, Refusal};

use super::Terms;

/// What is shared.
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

/// Names a socket for as long as somebody holds it; a client may use a number again before.
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
    /// No more sockets are taken: nobody is there to offer them to.
    pub(super) is_closing: bool,
    /// The connection is over.
    pub(super) is_over: bool,
    /// The task is not reading.
    pub(super) is_paused: bool,
    pub(super) driver: Option<Waker>,
    pub(super) offers: Option<Waker>,
}

/// One socket.
pub(super) struct Socket {
    pub(super) number: u32,
    pub(super) target: Target,
    // === from the client ===
    inbox: VecDeque<Part>,
    waiting: usize,
    /// Whole packets that wait.
    packets: u32,
    /// How many more may come at most, on their way and still to be sent.
    exposed: u32,
    window: Option<u32>,
    /// The rest of a datagram that had no room is lost, too.
    is_losing: bool,
    /// Datagrams that were lost, since the session last looked.
    pub(super) lost: u64,
    /// Why nothing more comes.
    pub(super) ended: Option<End>,
    pub(super) reader: Option<Waker>,
    // === for the client ===
    verdict: Option<Verdict>,
    outbox: VecDeque<Part>,
    out: usize,
    /// The client may be told to send more.
    may_grant: bool,
    finished: Option<End>,
    /// The end was said, or needn't be.
    pub(super) is_said: bool,
    pub(super) writer: Option<Waker>,
    is_due: bool,
    /// The session, or the offer of it, is there.
    is_held: bool,
}

/// What became of an offer.
pub(super) enum Verdict {
    Opened,
    Refused(Refusal),
}

/// What the task has to say of a socket.
pub(super) enum Word {
    /// So many packets may come.
    Opened(u32),
    Refused(Refusal),
    /// So many packets may come from now on.
    Taken(u32),
    Data(Part),
    Over(End),
}

// === the task's side ===

impl State {
    /// Adds a socket, if there is a place for it.
    pub(super) fn open(&mut self, terms: &Terms, number: u32, target: Target) -> bool {
        if self.is_closing || self.sockets.len() >= terms.sockets {
            return false;
        }
        self.next += 1;
        let key = self.next;
        let socket = Socket {
            number,
            target,
            inbox: VecDeque::new(),
            waiting: 0,
            packets: 0,
            exposed: terms.window.unwrap_or_default(),
            window: terms.window,
            is_losing: false,
            lost: 0,
            ended: None,
            reader: None,
            verdict: None,
            outbox: VecDeque::new(),
            out: 0,
            may_grant: false,
            finished: None,
            is_said: false,
            writer: None,
            is_due: false,
            is_held: true,
        };
        self.sockets.insert(key, socket);
        self.known.insert(number, key);
        self.offered.push_back(key);
        wake(&mut self.offers);
        true
    }

    /// Adds data for a socket. What is for none that is there is dropped: it may have crossed the word that it is over.
    pub(super) fn data(&mut self, number: u32, data: Bytes, last: bool) {
        let Some(socket) = self.known.get(&number).and_then(|key| self.sockets.get_mut(key)) else {
            return;
        };
        if !socket.is_held {
            return;
        }
        let weight = data.len() + WEIGHT;
        if socket.target.datagrams {
            // As a socket of the system does: what has no room is lost.
            let starts = socket.inbox.back().is_none_or(|part| part.last);
            socket.is_losing |= starts && socket.waiting + weight > SHARE;
            if socket.is_losing {
                socket.lost += u64::from(last);
                socket.is_losing = !last;
                wake(&mut socket.reader);
                return;
            }
        }
        self.full += usize::from(socket.waiting <= SHARE && socket.waiting + weight > SHARE);
        socket.waiting += weight;
        self.waiting += weight;
        socket.packets += u32::from(last);
        socket.exposed = socket.exposed.saturating_sub(u32::from(last));
        socket.inbox.push_back(Part { data, text: false, last });
        wake(&mut socket.reader);
    }

    /// The client closes a socket.
    pub(super) fn close(&mut self, number: u32, end: End) {
        let Some(key) = self.known.remove(&number) else { return };
        let Some(socket) = self.sockets.get_mut(&key) else { return };
        socket.ended.get_or_insert(end);
        // There is nobody to say anything to.
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

    /// Whether reading has to wait until something is taken.
    pub(super) fn is_full(&self) -> bool {
        self.waiting >= ALL || self.full > 0
    }

    /// Whether no socket is left.
    pub(super) fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// What the next socket has to say, in turn, with its number.
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

    fn remove(&mut self, key: Key) {
        self.empty(key);
        self.sockets.remove(&key);
        if self.is_closing && self.sockets.is_empty() {
            wake(&mut self.driver);
        }
    }
}

impl Socket {
    /// How many packets there is room for beside those that may come anyway: never more than a window waits.
    fn more(&self) -> u32 {
        self.window.unwrap_or_default().saturating_sub(self.packets).saturating_sub(self.exposed)
    }

    fn has_word(&self) -> bool {
        let waits = !self.outbox.is_empty() || self.may_grant || self.finished.is_some();
        !self.is_said && (self.verdict.is_some() || waits)
    }

    fn word(&mut self) -> Option<Word> {
        if self.is_said {
            return None;
        }
        match self.verdict.take() {
            Some(Verdict::Opened) => return Some(Word::Opened(self.exposed)),
            Some(Verdict::Refused(refusal)) => {
                self.is_said = true;
                return Some(Word::Refused(refusal));
            }
            None => {}
        }
        if std::mem::take(&mut self.may_grant) {
            let more = self.more();
            self.exposed += more;
            return Some(Word::Taken(more));
        }
        if let Some(part) = self.outbox.pop_front() {
            self.out -= part.data.len() + WEIGHT;
            wake(&mut self.writer);
            return Some(Word::Data(part));
        }
        let end = self.finished.take()?;
        self.is_said = true;
        // The client hears no more of it, and what it still sends is for nobody.
        self.ended.get_or_insert(End::eof());
        wake(&mut self.reader);
        wake(&mut self.writer);
        Some(Word::Over(end))
    }
}

// === the sessions' side ===

impl State {
    /// A socket that is held, which stays until [`State::release`].
    pub(super) fn socket(&mut self, key: Key) -> &mut Socket {
        self.sockets.get_mut(&key).expect("who holds a socket has it")
    }

    /// Says what becomes of an offer.
    pub(super) fn decide(&mut self, key: Key, verdict: Verdict) {
        self.socket(key).verdict = Some(verdict);
        self.due(key);
    }

    /// The next part that has come for a socket.
    pub(super) fn next(&mut self, key: Key) -> Option<Part> {
        let part = self.socket(key).inbox.pop_front()?;
        self.take(key, &part, part.data.len() + WEIGHT);
        Some(part)
    }

    /// As much of what has come for a socket as `room` is for.
    pub(super) fn some(&mut self, key: Key, room: usize) -> Option<Bytes> {
        let socket = self.socket(key);
        let part = socket.inbox.front_mut()?;
        if part.data.len() <= room {
            return self.next(key).map(|part| part.data);
        }
        let data = part.data.split_to(room);
        self.lighten(key, room);
        Some(data)
    }

    fn take(&mut self, key: Key, part: &Part, weight: usize) {
        self.lighten(key, weight);
        let socket = self.socket(key);
        socket.packets -= u32::from(part.last);
        if socket.inbox.is_empty() {
            // An idle socket holds no memory for bursts.
            socket.inbox = VecDeque::new();
        }
        // While some may still come, so that the client seldom has to wait, and few, since the client forgets those that it
        // has not sent: what it is given replaces what it had.
        let Some(window) = socket.window.filter(|_| !socket.target.datagrams) else { return };
        if socket.exposed <= window / 4 && socket.more() >= (window / 4).max(1) {
            socket.may_grant = true;
            self.due(key);
        }
    }

    fn lighten(&mut self, key: Key, weight: usize) {
        let socket = self.socket(key);
        let was_full = socket.waiting > SHARE;
        socket.waiting -= weight;
        let is_full = socket.waiting > SHARE;
        self.full -= usize::from(was_full && !is_full);
        self.waiting -= weight;
        if self.is_paused && !self.is_full() {
            wake(&mut self.driver);
        }
    }

    /// Whether a socket has room for what its session has to say.
    pub(super) fn has_room(&mut self, key: Key) -> bool {
        let socket = self.socket(key);
        socket.is_said || socket.out < OUT
    }

    /// Has a socket say this. Nobody hears one that was closed.
    pub(super) fn say(&mut self, key: Key, part: Part) {
        let socket = self.socket(key);
        if !socket.is_said {
            // Datagrams may be empty.
            socket.out += part.data.len() + WEIGHT;
            socket.outbox.push_back(part);
            self.due(key);
        }
    }

    /// Whether everything that a socket had to say was said.
    pub(super) fn is_flushed(&mut self, key: Key) -> bool {
        let socket = self.socket(key);
        socket.is_said || socket.outbox.is_empty()
    }

    /// The session has no more to say.
    pub(super) fn finish(&mut self, key: Key, end: &End) {
        let socket = self.socket(key);
        if !socket.is_said && socket.finished.is_none() {
            socket.finished = Some(end.clone());
            self.due(key);
        }
    }

    /// The session is gone. Without a word before, that is a reset.
    pub(super) fn release(&mut self, key: Key) {
        self.empty(key);
        let socket = self.socket(key);
        socket.is_held = false;
        if socket.is_said {
            self.remove(key);
        } else if !matches!(socket.verdict, Some(Verdict::Refused(_))) {
            // A client that hasn't heard yet that it is open hears both.
            self.finish(key, &End::of(Reason::Reset));
        }
    }

    /// Forgets what has come for a socket.
    fn empty(&mut self, key: Key) {
        let Some(socket) = self.sockets.get_mut(&key) else { return };
        let waiting = socket.waiting;
        socket.inbox = VecDeque::new();
        socket.packets = 0;
        if waiting > 0 {
            self.lighten(key, waiting);
        }
    }

    fn due(&mut self, key: Key) {
        let socket = self.socket(key);
        if !socket.is_due {
            socket.is_due = true;
            self.due.push_back(key);
            wake(&mut self.driver);
        }
    }
}

pub(super) fn wait(slot: &mut Option<Waker>, cx: &Context<'_>) {
    if !slot.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
        *slot = Some(cx.waker().clone());
    }
}

pub(super) fn wake(slot: &mut Option<Waker>) {
    if let Some(waker) = slot.take() {
        waker.wake();
    }
}

/// What may wait of what a client has sent to one socket: 64 packets of 8 KiB, and as many again.
pub(super) const SHARE: usize = 1024 * 1024;
/// What may wait of what a client has sent to all of its sockets.
pub(super) const ALL: usize = 16 * 1024 * 1024;
/// What may wait of what a socket has to say, before the message that goes beyond it.
pub(super) const OUT: usize = 32 * 1024;
/// What a part takes beside its data.
const WEIGHT: usize = 64;

#[cfg(test)]
mod tests {
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
