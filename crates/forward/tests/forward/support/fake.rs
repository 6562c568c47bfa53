//! A stream of bytes that does what a test says, and holds the splice to the contract.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use endpoint::{End, Ending, Life, PeerState, Reason};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{sleep, timeout};

/// An operation that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Read,
    Write,
    Flush,
    Finish,
}

/// The end that the splice has.
pub(crate) struct Fake(Arc<Mutex<State>>);

/// The end that the test has. Clones are the same end.
#[derive(Clone)]
pub(crate) struct Peer(Arc<Mutex<State>>);

/// A stream, and its other end.
pub(crate) fn fake() -> (Fake, Peer) {
    let state = Arc::new(Mutex::new(State::default()));
    (Fake(Arc::clone(&state)), Peer(state))
}

/// The facts that a transport reports.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    /// That it proves that its peer lives.
    pub(crate) proven: bool,
    /// For how long the peer has owed an acknowledgement.
    pub(crate) overdue: Option<Duration>,
    /// Bytes that lie in the system's buffers.
    pub(crate) pending: u64,
    pub(crate) state: PeerState,
}

enum Event {
    Data(VecDeque<u8>),
    End(End),
    Error(io::ErrorKind),
}

struct State {
    events: VecDeque<Event>,
    taken: Vec<u8>,
    /// Written, but not flushed yet.
    held: Vec<u8>,
    holds: bool,
    room: usize,
    largest_read: usize,
    largest_write: usize,
    handed: usize,
    ending: Ending,
    close: Option<Duration>,
    end: End,
    finished: Option<End>,
    finishes: bool,
    flushes: bool,
    read_over: bool,
    write_over: bool,
    finishing: bool,
    broken: bool,
    dead: Option<io::ErrorKind>,
    /// Without its end, data is missing.
    is_cut: bool,
    /// The facts that the transport reports about the peer, other than the amount that it has taken.
    known: Option<Known>,
    /// How often its transport was asked for all that it knows.
    looks: usize,
    panics: bool,
    fails: Option<(Op, usize)>,
    ops: usize,
    dropped: bool,
    wakers: Vec<Waker>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            events: VecDeque::new(),
            taken: Vec::new(),
            held: Vec::new(),
            holds: false,
            room: usize::MAX,
            largest_read: usize::MAX,
            largest_write: usize::MAX,
            handed: 0,
            ending: Ending::HalfClose,
            close: None,
            end: End::eof(),
            finished: None,
            finishes: true,
            flushes: true,
            read_over: false,
            write_over: false,
            finishing: false,
            broken: false,
            dead: None,
            is_cut: false,
            known: None,
            looks: 0,
            panics: false,
            fails: None,
            ops: 0,
            dropped: false,
            wakers: Vec::new(),
        }
    }
}

impl State {
    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if !self.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Counts an operation; returns `true` if it is the one to fail.
    fn fails(&mut self, op: Op) -> bool {
        match self.fails {
            Some((failing, at)) if failing == op => {
                self.ops += 1;
                self.ops == at
            }
            _ => false,
        }
    }
}

// === impl Peer ===

impl Peer {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test may have made the stream panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state();
        let result = change(&mut state);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        result
    }

    pub(crate) fn send(&self, data: impl AsRef<[u8]>) {
        let data = data.as_ref().iter().copied().collect();
        self.change(|state| state.events.push_back(Event::Data(data)));
    }

    pub(crate) fn end(&self) {
        self.end_with(End::eof());
    }

    pub(crate) fn end_with(&self, end: End) {
        self.change(|state| state.events.push_back(Event::End(end)));
    }

    /// Its data ends with an error, and nothing can be written any more.
    pub(crate) fn reset(&self) {
        self.change(|state| {
            state.events.push_back(Event::Error(io::ErrorKind::ConnectionReset));
            state.broken = true;
        });
    }

    /// Nothing can be written any more; it may still send.
    pub(crate) fn break_pipe(&self) {
        self.change(|state| state.broken = true);
    }

    pub(crate) fn die(&self) {
        self.change(|state| state.dead = Some(io::ErrorKind::TimedOut));
    }

    /// As a stream that knows when data is missing.
    pub(crate) fn is_cut_without_its_end(&self) {
        self.change(|state| state.is_cut = true);
    }

    /// Has the transport tell about the peer.
    pub(crate) fn knows(&self, known: Known) {
        self.change(|state| state.known = Some(known));
    }

    pub(crate) fn panic(&self) {
        self.change(|state| state.panics = true);
    }

    pub(crate) fn ending(&self, ending: Ending) {
        self.change(|state| state.ending = ending);
    }

    /// Sets how long its close may take.
    pub(crate) fn close_timeout(&self, close: Duration) {
        self.change(|state| state.close = Some(close));
    }

    /// Takes no more than `bytes` from now on.
    pub(crate) fn room(&self, bytes: usize) {
        self.change(|state| state.room = bytes);
    }

    pub(crate) fn more_room(&self, bytes: usize) {
        self.change(|state| state.room = state.room.saturating_add(bytes));
    }

    pub(crate) fn largest(&self, read: usize, write: usize) {
        self.change(|state| (state.largest_read, state.largest_write) = (read, write));
    }

    /// Shows what is written only after a flush.
    pub(crate) fn holds_until_flush(&self) {
        self.change(|state| state.holds = true);
    }

    pub(crate) fn finishes(&self, finishes: bool) {
        self.change(|state| state.finishes = finishes);
    }

    pub(crate) fn flushes(&self, flushes: bool) {
        self.change(|state| state.flushes = flushes);
    }

    /// The `at`th operation of this sort fails.
    pub(crate) fn fails(&self, op: Op, at: usize) {
        self.change(|state| state.fails = Some((op, at)));
    }

    /// Returns `true` if the operation that was to fail has failed.
    pub(crate) fn has_failed(&self) -> bool {
        let state = self.state();
        state.fails.is_some_and(|(_, at)| state.ops >= at)
    }

    pub(crate) fn taken(&self) -> Vec<u8> {
        self.state().taken.clone()
    }

    pub(crate) fn taken_len(&self) -> usize {
        self.state().taken.len()
    }

    /// How much of what it sent was read.
    pub(crate) fn handed(&self) -> usize {
        self.state().handed
    }

    pub(crate) fn finished(&self) -> Option<End> {
        self.state().finished.clone()
    }

    pub(crate) fn looks(&self) -> usize {
        self.0.lock().unwrap().looks
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.state().dropped
    }

    pub(crate) async fn until(&self, what: impl Fn(&Self) -> bool) {
        let reached = async {
            while !what(self) {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(3600), reached).await.expect("it never comes to that");
    }
}

// === impl Fake ===

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").finish_non_exhaustive()
    }
}

impl AsyncRead for Fake {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let state = &mut *self.0.lock().unwrap();
        assert!(!state.read_over, "read after the end or an error");
        if state.fails(Op::Read) {
            state.read_over = true;
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        match state.events.front_mut() {
            None => state.wait(cx),
            Some(Event::Data(data)) => {
                let length = data.len().min(buf.remaining()).min(state.largest_read);
                let bytes: Vec<u8> = data.drain(..length).collect();
                if data.is_empty() {
                    state.events.pop_front();
                }
                buf.put_slice(&bytes);
                state.handed += length;
                // An empty write of a test's is no end.
                if length == 0 { state.wait(cx) } else { Poll::Ready(Ok(())) }
            }
            Some(Event::End(end)) => {
                state.end = end.clone();
                state.read_over = true;
                Poll::Ready(Ok(()))
            }
            Some(Event::Error(kind)) => {
                state.read_over = true;
                Poll::Ready(Err((*kind).into()))
            }
        }
    }
}

impl AsyncWrite for Fake {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let state = &mut *self.0.lock().unwrap();
        assert!(!buf.is_empty(), "a write of nothing");
        assert!(!state.write_over && !state.finishing, "written after an error or the end");
        if state.broken || state.fails(Op::Write) {
            state.write_over = true;
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let length = buf.len().min(state.room).min(state.largest_write);
        if length == 0 {
            return state.wait(cx);
        }
        state.room = state.room.saturating_sub(if state.room == usize::MAX { 0 } else { length });
        if state.holds { &mut state.held } else { &mut state.taken }
            .extend_from_slice(&buf[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &mut *self.0.lock().unwrap();
        assert!(!state.write_over && !state.finishing, "flushed after an error or the end");
        if state.fails(Op::Flush) {
            state.write_over = true;
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if !state.flushes {
            return state.wait(cx);
        }
        let held = std::mem::take(&mut state.held);
        state.taken.extend(held);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        panic!("an end has a reason: poll_finish says it")
    }
}

impl Life for Fake {
    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let state = &mut *self.0.lock().unwrap();
        assert!(!state.panics, "the stream panics");
        match state.dead {
            Some(kind) => Poll::Ready(kind.into()),
            None => state.wait(cx),
        }
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        let state = &mut *self.0.lock().unwrap();
        assert!(state.finished.is_none() && !state.write_over, "finished twice, or when broken");
        state.finishing = true;
        if state.fails(Op::Finish) {
            state.write_over = true;
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if !state.finishes {
            return state.wait(cx);
        }
        let held = std::mem::take(&mut state.held);
        state.taken.extend(held);
        state.finished = Some(end.clone());
        Poll::Ready(Ok(()))
    }

    fn close_timeout(&self) -> Option<Duration> {
        self.0.lock().unwrap().close
    }

    fn peer(&mut self) -> Option<endpoint::Peer> {
        let mut state = self.0.lock().unwrap();
        state.looks += 1;
        let Known { proven, overdue, pending, state: peer } = state.known?;
        Some(endpoint::Peer {
            // A Unix socket or a pipe knows what waits, not what was taken before.
            taken: if proven { state.taken.len() as u64 } else { u64::MAX - pending },
            pending,
            overdue,
            proven,
            state: peer,
        })
    }

    fn pending(&mut self) -> Option<u64> {
        self.0.lock().unwrap().known.map(|known| known.pending)
    }

    fn ending(&self) -> Ending {
        self.0.lock().unwrap().ending
    }

    fn end(&mut self) -> End {
        let state = self.0.lock().unwrap();
        if !state.read_over {
            return if state.is_cut { End::of(Reason::Truncated) } else { End::eof() };
        }
        state.end.clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).dropped = true;
    }
}
