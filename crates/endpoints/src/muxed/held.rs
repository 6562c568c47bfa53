//! A session's operations on the state that it shares with the connection's task.

use bytes::Bytes;
use endpoint::{End, Part, Reason};

use super::socket::{Verdict, weight};
use super::state::{Key, State};

impl State {
    /// Decides about an offer.
    pub(super) fn decide(&mut self, key: Key, verdict: Verdict) {
        self.socket(key).verdict = Some(verdict);
        self.due(key);
    }

    /// The next part that has come for a socket.
    pub(super) fn next(&mut self, key: Key) -> Option<Part> {
        let part = self.socket(key).inbox.pop_front()?;
        self.take(key, &part);
        Some(part)
    }

    /// Returns received data of a socket, at most `room` bytes.
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

    fn take(&mut self, key: Key, part: &Part) {
        self.lighten(key, weight(part));
        let socket = self.socket(key);
        socket.packets -= u32::from(part.last);
        if socket.inbox.is_empty() {
            // An idle socket holds no memory for bursts.
            socket.inbox.shrink_to_fit();
        }
        // Grants are sent while some packets may still come, so that the client seldom has to wait, and when few may
        // come, since a new grant replaces the packets that the client has not sent.
        let Some(window) = socket.window.filter(|_| !socket.target.datagrams) else { return };
        if socket.exposed <= window / 4 && socket.more() >= (window / 4).max(1) {
            socket.may_grant = true;
            self.due(key);
        }
    }

    /// Returns `true` if a socket has room for its session's data.
    pub(super) fn has_room(&mut self, key: Key) -> bool {
        self.socket(key).has_room()
    }

    /// Queues data of a socket. It is dropped if the socket was closed.
    pub(super) fn say(&mut self, key: Key, part: Part) {
        let socket = self.socket(key);
        if !socket.is_said {
            socket.out += weight(&part);
            socket.outbox.push_back(part.detached());
            self.due(key);
        }
    }

    /// Returns `true` if all data of a socket's session was sent.
    pub(super) fn is_flushed(&mut self, key: Key) -> bool {
        let socket = self.socket(key);
        socket.is_said || socket.outbox.is_empty()
    }

    /// Ends the session's data.
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
            // A client that doesn't know yet that the socket is open gets both messages.
            self.finish(key, &End::of(Reason::Reset));
        }
    }
}
