//! The data that waits for the copy's endpoint: messages, or pieces of a stream, in order.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use endpoint::Part;

/// A bounded queue that never makes its writer wait.
#[derive(Debug)]
pub(super) struct Queue(Mutex<State>);

#[derive(Debug)]
struct State {
    parts: VecDeque<Part>,
    bytes: usize,
    most: usize,
    /// No more comes.
    is_closed: bool,
    /// The copy's reader is gone.
    is_abandoned: bool,
    lost: Lost,
    reader: Option<Waker>,
}

/// The data that is missing from the copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) pieces: u64,
    pub(super) bytes: u64,
}

impl Queue {
    /// Creates a queue of this size; each piece counts a little more than its bytes.
    pub(super) fn new(most: usize) -> Self {
        Self(Mutex::new(State {
            parts: VecDeque::new(),
            bytes: 0,
            most,
            is_closed: false,
            is_abandoned: false,
            lost: Lost::default(),
            reader: None,
        }))
    }

    /// Appends a piece, unless there is no room: then it is counted.
    pub(super) fn push(&self, part: Part) {
        let mut state = self.lock();
        let weight = part.data.len() + WEIGHT;
        if state.is_abandoned || state.bytes.saturating_add(weight) > state.most {
            state.lost.pieces += 1;
            state.lost.bytes += part.data.len() as u64;
            return;
        }
        state.bytes += weight;
        state.parts.push_back(part.detached());
        state.wake();
    }

    /// Counts a piece that was too long to be kept, or that was not written.
    pub(super) fn lose(&self, bytes: usize) {
        let mut state = self.lock();
        state.lost.pieces += 1;
        state.lost.bytes += bytes as u64;
    }

    /// No more comes.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.wake();
    }

    /// Takes nothing more: the data that waits is lost, and so is later data.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_abandoned = true;
        for part in std::mem::take(&mut state.parts) {
            state.lost.pieces += 1;
            state.lost.bytes += part.data.len() as u64;
        }
        state.bytes = 0;
    }

    /// The next piece; `None` if there will be none.
    pub(super) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Part>> {
        let mut state = self.lock();
        if let Some(part) = state.parts.pop_front() {
            state.bytes -= part.data.len() + WEIGHT;
            return Poll::Ready(Some(part));
        }
        if state.is_closed {
            return Poll::Ready(None);
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready once no more comes, whatever waits.
    pub(super) fn poll_closed(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.is_closed {
            return Poll::Ready(());
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn lost(&self) -> Lost {
        self.lock().lost
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The piece that is being written. What is left of it is lost when it is dropped.
pub(super) struct InHand<'q> {
    queue: &'q Queue,
    pub(super) part: Option<Part>,
}

impl<'q> InHand<'q> {
    pub(super) fn of(queue: &'q Queue) -> Self {
        Self { queue, part: None }
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            self.queue.lose(part.data.len());
        }
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// The memory of a piece in addition to its data.
const WEIGHT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_counted_and_the_rest_stays_in_order() {
        let queue = Queue::new(2 * (WEIGHT + 2));
        for data in ["ab", "cd", "ef", "g"] {
            queue.push(Part::binary(data));
        }
        let cx = Context::from_waker(Waker::noop());
        assert_eq!(queue.poll_next(&cx), Poll::Ready(Some(Part::binary("ab"))));
        queue.push(Part::binary("hi"));
        queue.close();
        assert_eq!(queue.poll_next(&cx), Poll::Ready(Some(Part::binary("cd"))));
        assert_eq!(queue.poll_next(&cx), Poll::Ready(Some(Part::binary("hi"))));
        assert_eq!(queue.poll_next(&cx), Poll::Ready(None));
        assert_eq!(queue.lost(), Lost { pieces: 2, bytes: 3 });
        queue.abandon();
        queue.push(Part::binary("j"));
        assert_eq!(queue.lost(), Lost { pieces: 3, bytes: 4 });
    }
}
