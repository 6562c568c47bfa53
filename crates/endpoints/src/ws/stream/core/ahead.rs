//! Reading ahead of a reader that takes nothing, so that pings are answered, and a Close and an end are seen.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};

use endpoint::Part;
use tokio::io::ReadBuf;

use super::{Core, READS};
use crate::ws::stream::receiving::State;

impl Core {
    /// Reads ahead while received data isn't taken, so that pings are answered, and a Close and an end are seen.
    pub(in crate::ws) fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        for _ in 0..READS {
            let has_error = self.ahead.as_ref().is_some_and(|ahead| ahead.error.is_some());
            if has_error
                || !matches!(self.receiving.state, State::Open)
                || self.ahead_len() >= AHEAD
                || self.poll_room(cx).is_pending()
            {
                return;
            }
            if !self.receiving.has_more() {
                match self.poll_more(cx) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => {
                        self.ahead.get_or_insert_default().error = Some(error);
                        return;
                    }
                }
            }
            // One read of compressed data holds up to a thousand times as much.
            while self.ahead_len() < AHEAD
                && let Some(part) = self.receiving.next()
            {
                self.ahead.get_or_insert_default().push(part);
            }
            self.react(cx);
        }
        cx.waker().wake_by_ref();
    }

    pub(super) fn ahead_len(&self) -> usize {
        self.ahead.as_ref().map_or(0, |ahead| ahead.len)
    }

    pub(super) fn has_ahead(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| !ahead.parts.is_empty())
    }

    /// The next message, or part of one.
    pub(in crate::ws) fn next_part(&mut self) -> Option<Part> {
        self.ahead.as_mut().and_then(|ahead| ahead.pop()).or_else(|| self.receiving.next())
    }

    /// Moves payload that was read ahead into `buf`, and returns whether there was any.
    pub(super) fn take_ahead_into(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let before = buf.filled().len();
        while buf.remaining() > 0
            && let Some(mut part) = self.ahead.as_mut().and_then(|ahead| ahead.pop())
        {
            let taken = part.data.split_to(part.data.len().min(buf.remaining()));
            buf.put_slice(&taken);
            if let Some(ahead) = self.ahead.as_mut().filter(|_| !part.data.is_empty()) {
                ahead.put_back(part);
            }
        }
        buf.filled().len() > before
    }
}

/// Data that was read ahead.
#[derive(Default)]
pub(super) struct Ahead {
    parts: VecDeque<Part>,
    /// Bytes of payload in them, and something for what is around each.
    len: usize,
    /// The error that ended reading after them.
    pub(super) error: Option<io::Error>,
}

impl Ahead {
    fn push(&mut self, part: Part) {
        self.len += part.data.len() + size_of::<Part>();
        self.parts.push_back(part.detached());
    }

    fn pop(&mut self) -> Option<Part> {
        let part = self.parts.pop_front()?;
        self.len -= part.data.len() + size_of::<Part>();
        Some(part)
    }

    fn put_back(&mut self, part: Part) {
        self.len += part.data.len() + size_of::<Part>();
        self.parts.push_front(part);
    }
}

/// The maximum that is read ahead for a reader that takes nothing: beyond this, pings and a Close lie unseen in the
/// socket.
const AHEAD: usize = 64 * 1024;
