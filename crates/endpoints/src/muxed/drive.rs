//! The task of one connection.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use endpoint::{End, MessageStream, Part, Reason, Refusal, RefusalKind};
use tokio::time::timeout;
use tracing::debug;

use super::socket::{Word, wait};
use super::state::Shared;
use super::{Protocol, Step};

/// Reads and writes for all sockets.
pub(super) struct Driver<P> {
    protocol: P,
    stream: Box<dyn MessageStream>,
    shared: Arc<Shared>,
    /// Messages about no socket, or about one that no longer exists.
    says: VecDeque<Part>,
    /// Their bytes.
    waiting: usize,
    steps: Vec<Step>,
}

impl<P> Drop for Driver<P> {
    /// Whatever ended the task, no session is left waiting for it.
    fn drop(&mut self) {
        self.shared.lock().end(&End::of(Reason::Stopping));
    }
}

/// The end of a connection.
enum Over {
    /// The client has ended it.
    Ended,
    /// We do, with this end.
    Ours(End),
    /// It was lost.
    Lost,
}

impl<P: Protocol> Driver<P> {
    pub(super) fn new(
        mut protocol: P,
        stream: Box<dyn MessageStream>,
        shared: Arc<Shared>,
    ) -> Self {
        let begin = protocol.begin();
        let mut driver =
            Self { protocol, stream, shared, says: VecDeque::new(), waiting: 0, steps: Vec::new() };
        begin.into_iter().for_each(|part| driver.say(part));
        driver
    }

    fn say(&mut self, part: Part) {
        self.waiting += part.data.len();
        self.says.push_back(part);
    }

    /// Runs until the connection is over, and closes it.
    pub(super) async fn run(mut self) {
        let (over, end) = poll_fn(|cx| self.poll(cx)).await;
        self.shared.lock().end(&end);
        let farewell = match over {
            Over::Ended => End::eof(),
            Over::Ours(end) => end,
            Over::Lost => return,
        };
        let stream = &mut self.stream;
        let limit = stream.close_timeout().unwrap_or(CLOSE);
        let closing = async {
            poll_fn(|cx| stream.poll_finish(cx, &farewell)).await?;
            // Data that the client has sent meanwhile is read: a reset would discard our last words.
            while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut **stream).poll_next(cx)).await {}
            poll_fn(|cx| stream.poll_close(cx)).await
        };
        // A client that doesn't answer gets no more time.
        let _ = timeout(limit, closing).await;
    }

    /// Ready with how the connection ends, and with the end that sockets have from it.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(Over, End)> {
        wait(&mut self.shared.lock().driver, cx);
        if let Poll::Ready(error) = self.stream.poll_background(cx) {
            debug!("lost: {error}");
            return Poll::Ready((Over::Lost, End::of(Reason::Reset)));
        }
        for _ in 0..TURN {
            if let Err(error) = self.write(cx) {
                debug!("lost: {error}");
                return Poll::Ready((Over::Lost, End::of(Reason::Reset)));
            }
            let is_closing = {
                let state = self.shared.lock();
                state.is_closing && state.is_empty()
            };
            if is_closing && self.says.is_empty() {
                let end = End::of(Reason::Stopping);
                return Poll::Ready((Over::Ours(end.clone()), end));
            }
            if self.is_paused() {
                self.stream.poll_ahead(cx);
                return Poll::Pending;
            }
            let taken = match Pin::new(&mut *self.stream).poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => {
                    let end = self.stream.end();
                    return Poll::Ready((Over::Ended, end));
                }
                Poll::Ready(Some(Err(error))) => {
                    debug!("lost: {error}");
                    return Poll::Ready((Over::Lost, End::lost(&error)));
                }
                Poll::Ready(Some(Ok(part))) => self.protocol.receive(part, &mut self.steps),
            };
            self.step();
            if let Err(end) = taken {
                return Poll::Ready((Over::Ours(end.clone()), end));
            }
        }
        // Others have their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Returns `true` if nothing is to be read now.
    fn is_paused(&mut self) -> bool {
        let mut state = self.shared.lock();
        let is_unheard = self.says.len() >= SAYS || self.waiting >= ANSWERS;
        let paused = state.is_full() || is_unheard || self.protocol.waits();
        state.is_paused = paused;
        paused
    }

    /// Acts on the messages that the client has sent.
    fn step(&mut self) {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        let mut steps = std::mem::take(&mut self.steps);
        for step in steps.drain(..) {
            match step {
                Step::Say(part) => self.say(part),
                Step::Open(number, target) => {
                    if !state.open(&shared.terms, number, target) {
                        let words = "this connection has reached its limit of sockets";
                        let refusal = Refusal::new(RefusalKind::Busy, words);
                        if let Some(part) = self.protocol.refused(number, &refusal) {
                            self.say(part);
                        }
                    }
                }
                Step::Data(number, data, last) => state.data(number, data, last),
                Step::Close(number, end) => state.close(number, end),
            }
        }
        drop(state);
        // Its memory is used again.
        self.steps = steps;
    }

    /// Writes the messages that are due, as far as the connection takes them.
    fn write(&mut self, cx: &mut Context<'_>) -> std::io::Result<()> {
        let mut stream = Pin::new(&mut *self.stream);
        while let Poll::Ready(ready) = stream.as_mut().poll_ready(cx) {
            ready?;
            let part = loop {
                if let Some(part) = self.says.pop_front() {
                    self.waiting -= part.data.len();
                    break Some(part);
                }
                let Some((number, word)) = self.shared.lock().word() else { break None };
                let part = match word {
                    Word::Data(part) => Some(part),
                    Word::Opened(packets) => self.protocol.opened(number, packets),
                    Word::Refused(refusal) => self.protocol.refused(number, &refusal),
                    Word::Taken(packets) => self.protocol.taken(number, packets),
                    Word::Over(end) => self.protocol.over(number, &end),
                };
                if part.is_some() {
                    break part;
                }
            };
            let Some(part) = part else { break };
            stream.as_mut().start_send(part)?;
        }
        match stream.poll_flush(cx) {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => Ok(()),
        }
    }
}

/// Answers that wait before no more is read: each message has one at most.
const SAYS: usize = 64;
/// Their bytes, to which the last one is added: an answer may repeat what the client has sent.
const ANSWERS: usize = 64 * 1024;
/// Messages that are read before others have their turn.
const TURN: usize = 64;
/// The time limit for closing, if the connection has none.
const CLOSE: Duration = Duration::from_secs(5);
