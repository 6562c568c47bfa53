//! One socket of a connection: the data received for it from the client, and the data to send.

use std::collections::VecDeque;
use std::task::{Context, Waker};

use endpoint::info::Target;
use endpoint::{End, Part, Refusal};

use super::Terms;

/// One socket.
pub(super) struct Socket {
    pub(super) number: u32,
    pub(super) target: Target,
    // === from the client ===
    pub(super) inbox: VecDeque<Part>,
    pub(super) waiting: usize,
    /// Whole packets that wait.
    pub(super) packets: u32,
    /// The maximum number of packets that may still arrive, in flight or not yet sent.
    pub(super) exposed: u32,
    pub(super) window: Option<u32>,
    /// The rest of a datagram that had no room is lost, too.
    is_losing: bool,
    /// Datagrams that were lost, since the session last looked.
    pub(super) lost: u64,
    /// The reason why nothing more comes.
    pub(super) ended: Option<End>,
    pub(super) reader: Option<Waker>,
    // === for the client ===
    pub(super) verdict: Option<Verdict>,
    pub(super) outbox: VecDeque<Part>,
    pub(super) out: usize,
    /// The client may be told to send more.
    pub(super) may_grant: bool,
    pub(super) finished: Option<End>,
    /// The end was sent, or needn't be.
    pub(super) is_said: bool,
    pub(super) writer: Option<Waker>,
    pub(super) is_due: bool,
    /// The session, or the offer of it, is there.
    pub(super) is_held: bool,
}

/// The decision about an offer.
pub(super) enum Verdict {
    Opened,
    Refused(Refusal),
}

/// The message to send about a socket.
pub(super) enum Word {
    /// So many packets may come.
    Opened(u32),
    Refused(Refusal),
    /// So many packets may come from now on.
    Taken(u32),
    Data(Part),
    Over(End),
}

impl Socket {
    pub(super) fn new(terms: &Terms, number: u32, target: Target) -> Self {
        Self {
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
        }
    }

    /// Returns `true` if more waits than the socket's share.
    pub(super) fn is_full(&self) -> bool {
        self.waiting > SHARE
    }

    /// Returns `true` if this part of a datagram is lost for want of room, as in a socket of the system.
    fn loses(&mut self, part: &Part) -> bool {
        let starts = self.inbox.back().is_none_or(|part| part.last);
        self.is_losing |= starts && self.waiting + weight(part) > SHARE;
        let is_lost = self.is_losing;
        if is_lost {
            self.lost += u64::from(part.last);
            self.is_losing = !part.last;
        }
        is_lost
    }

    /// Takes a part from the client, unless it is one of a datagram that has no room. Returns how much it weighs.
    pub(super) fn receive(&mut self, part: Part) -> usize {
        wake(&mut self.reader);
        if self.target.datagrams && self.loses(&part) {
            return 0;
        }
        let weight = weight(&part);
        self.waiting += weight;
        self.packets += u32::from(part.last);
        self.exposed = self.exposed.saturating_sub(u32::from(part.last));
        self.inbox.push_back(part.detached());
        weight
    }

    /// Returns `true` if there is room for data of its session.
    pub(super) fn has_room(&self) -> bool {
        self.is_said || self.out < OUT
    }

    /// Returns the number of packets that there is room for in addition to those already allowed, up to one window.
    pub(super) fn more(&self) -> u32 {
        self.window.unwrap_or_default().saturating_sub(self.packets).saturating_sub(self.exposed)
    }

    pub(super) fn has_word(&self) -> bool {
        let waits = !self.outbox.is_empty() || self.may_grant || self.finished.is_some();
        !self.is_said && (self.verdict.is_some() || waits)
    }

    pub(super) fn word(&mut self) -> Option<Word> {
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
            self.out -= weight(&part);
            wake(&mut self.writer);
            return Some(Word::Data(part));
        }
        let end = self.finished.take()?;
        self.is_said = true;
        // The client gets no more from the socket, and data that it still sends has no receiver.
        self.ended.get_or_insert(End::eof());
        wake(&mut self.reader);
        wake(&mut self.writer);
        Some(Word::Over(end))
    }
}

/// Returns the room that a part takes. Datagrams may be empty.
pub(super) fn weight(part: &Part) -> usize {
    part.data.len() + WEIGHT
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

/// The bound of queued data from a client for one socket: 64 packets of 8 KiB, and as many again.
pub(super) const SHARE: usize = 1024 * 1024;
/// The bound of queued data of a socket for the client, to which the last message is added.
pub(super) const OUT: usize = 32 * 1024;
/// The memory of a part in addition to its data.
pub(super) const WEIGHT: usize = 64;
