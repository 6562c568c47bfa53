//! A stream of messages that does what a test says.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use endpoint::{ByteStream, End, Flat, Life, MessageStream, Part};
use futures_core::Stream;
use futures_sink::Sink;

/// The end that the splice has.
pub(crate) struct MessageFake(Arc<Mutex<State>>);

/// The end that the test has.
pub(crate) struct MessagePeer(Arc<Mutex<State>>);

/// A stream, and its other end.
pub(crate) fn message_fake() -> (MessageFake, MessagePeer) {
    let state = State { room: usize::MAX, ..State::default() };
    let state = Arc::new(Mutex::new(state));
    (MessageFake(Arc::clone(&state)), MessagePeer(state))
}

#[derive(Default)]
struct State {
    parts: VecDeque<Part>,
    ended: bool,
    end: End,
    read: usize,
    room: usize,
    was_ready: bool,
    unflushed: Vec<Part>,
    taken: Vec<Part>,
    finished: Option<End>,
    waker: Option<Waker>,
}

impl MessagePeer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    pub(crate) fn send(&self, part: Part) {
        self.change(|state| state.parts.push_back(part));
    }

    pub(crate) fn end_with(&self, end: End) {
        self.change(|state| (state.ended, state.end) = (true, end));
    }

    pub(crate) fn room(&self, parts: usize) {
        self.change(|state| state.room = parts);
    }

    pub(crate) fn taken(&self) -> Vec<Part> {
        self.state().taken.clone()
    }

    /// How many of its parts were read.
    pub(crate) fn read(&self) -> usize {
        self.state().read
    }

    pub(crate) fn finished(&self) -> Option<End> {
        self.state().finished.clone()
    }
}

impl Stream for MessageFake {
    type Item = io::Result<Part>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let state = &mut *self.0.lock().unwrap();
        match state.parts.pop_front() {
            Some(part) => {
                state.read += 1;
                Poll::Ready(Some(Ok(part)))
            }
            None if state.ended => Poll::Ready(None),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Sink<Part> for MessageFake {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &mut *self.0.lock().unwrap();
        if state.room == 0 {
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.was_ready = true;
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        let state = &mut *self.0.lock().unwrap();
        assert!(std::mem::take(&mut state.was_ready), "sent without being ready");
        assert!(state.finished.is_none(), "sent after the end");
        state.room -= 1;
        state.unflushed.push(part);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &mut *self.0.lock().unwrap();
        let unflushed = std::mem::take(&mut state.unflushed);
        state.taken.extend(unflushed);
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        panic!("an end has a reason: poll_finish says it")
    }
}

impl Life for MessageFake {
    fn poll_finish(&mut self, _: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        let state = &mut *self.0.lock().unwrap();
        let unflushed = std::mem::take(&mut state.unflushed);
        state.taken.extend(unflushed);
        state.finished = Some(end.clone());
        Poll::Ready(Ok(()))
    }

    fn end(&mut self) -> End {
        self.0.lock().unwrap().end.clone()
    }
}

impl MessageStream for MessageFake {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        Box::new(Flat::new(*self))
    }
}
