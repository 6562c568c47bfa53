//! One peer of a listening socket, as a stream of messages: a datagram is a message.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endpoint::{ByteStream, End, Ending, Flat, Life, MessageStream, Part, Reason};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::Interest;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep};

use super::Socket;
use super::losses::Losses;
use super::outgoing::{Enough, Outgoing};
use super::table::{Entry, Over};

/// A session of a listening socket.
pub(crate) struct Session<S: Socket> {
    entry: Entry<S>,
    outgoing: Outgoing,
    /// Waits for room. A socket of many sessions has to wake all that wait, so each has its own future.
    room: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    alarm: Option<Pin<Box<Sleep>>>,
    /// It was silent for the idle timeout; data that has arrived and was not read yet would refute
    /// that.
    is_suspected: bool,
    /// The reason why it is over, if it is.
    over: Option<End>,
    /// It is over, though what came from it isn't taken: why.
    cut: Option<&'static str>,
    losses: Losses,
}

impl<S: Socket> Session<S> {
    pub(crate) fn new(entry: Entry<S>) -> Self {
        let outgoing = Outgoing::new(entry.table.limits.message, entry.table.socket.splits());
        let mut session = Self {
            entry,
            outgoing,
            room: None,
            alarm: None,
            is_suspected: false,
            over: None,
            cut: None,
            losses: Losses::default(),
        };
        session.set_alarm();
        session
    }

    fn set_alarm(&mut self) {
        let table = &self.entry.table;
        let stirred = self.entry.inbox.lock().stirred;
        self.alarm = table.limits.idle.map(|idle| Box::pin(table.clock.alarm(stirred + idle)));
    }

    fn count_overruns(&mut self) {
        let overrun = std::mem::take(&mut self.entry.inbox.lock().overrun);
        self.losses.overrun(overrun);
    }

    /// Ends it once it was silent for too long. While it isn't, the task is woken when it may have been.
    fn poll_idle(&mut self, cx: &mut Context<'_>) {
        let Some(idle) = self.entry.table.limits.idle else { return };
        while let Some(alarm) = &mut self.alarm
            && alarm.as_mut().poll(cx).is_ready()
        {
            let stirred = self.entry.inbox.lock().stirred;
            if stirred + idle > Instant::now() {
                self.is_suspected = false;
                self.set_alarm();
            } else if self.is_suspected {
                self.alarm = None;
                self.over = Some(End::because(Reason::EndOfStream, silent(idle)));
            } else {
                self.is_suspected = true;
                // Wakes the task once this thread has looked for what has arrived.
                let _ = pin!(yield_now()).poll(cx);
                return;
            }
        }
    }

    /// Sends the queued datagrams, and waits for room in the socket if there is none.
    fn poll_send(&mut self, enough: Enough, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(room) = &mut self.room {
                ready!(room.as_mut().poll(cx));
                self.room = None;
            }
            let Self { outgoing, losses, entry, .. } = self;
            let sent = outgoing.poll_send(enough, losses, |datagrams| {
                match entry.table.socket.try_send(datagrams, &entry.peer) {
                    Ok(()) => {
                        let mut state = entry.inbox.lock();
                        state.stirred = Instant::now();
                        state.is_answered = true;
                        Poll::Ready(Ok(()))
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
                    Err(error) => Poll::Ready(Err(error)),
                }
            });
            match sent {
                Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(failed)) => {
                    if failed.end.is_some() {
                        self.over = failed.end;
                    }
                    return Poll::Ready(Err(failed.error));
                }
                Poll::Pending => {}
            }
            let table = std::sync::Arc::clone(&entry.table);
            self.room = Some(Box::pin(async move {
                if table.socket.polls_for_room() {
                    sleep(RETRY).await;
                } else {
                    // An error is the runtime's end, and the session's.
                    let _ = table.socket.ready(Interest::WRITABLE).await;
                }
            }));
        }
    }
}

impl<S: Socket> Drop for Session<S> {
    fn drop(&mut self) {
        self.count_overruns();
    }
}

impl<S: Socket> Stream for Session<S> {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.count_overruns();
        let mut state = self.entry.inbox.lock();
        if let Some(data) = state.next() {
            return Poll::Ready(Some(Ok(Part::binary(data))));
        }
        match state.over.take() {
            Some(Over::GaveWay) => {
                drop(state);
                self.over = Some(End::of(Reason::GaveWay));
            }
            Some(Over::Refused(error)) => return Poll::Ready(Some(Err(error))),
            Some(Over::Ended(end)) => {
                drop(state);
                self.over = Some(end);
            }
            None => {
                state.wait(cx);
                drop(state);
            }
        }
        if self.over.is_some() { Poll::Ready(None) } else { Poll::Pending }
    }
}

impl<S: Socket> Sink<Part> for Session<S> {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(Enough::Room, cx)
    }

    fn start_send(mut self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        self.outgoing.add(part);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(Enough::All, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl<S: Socket> Life for Session<S> {
    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if let Some(words) = self.cut {
            return Poll::Ready(io::Error::new(io::ErrorKind::ConnectionAborted, words));
        }
        if self.over.is_none() {
            self.poll_idle(cx);
        }
        Poll::Pending
    }

    /// The other side takes nothing, so the end would never be read.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        self.count_overruns();
        let mut state = self.entry.inbox.lock();
        self.cut = match state.over {
            Some(Over::GaveWay) => {
                Some("another peer needed its place, and its data is not being read")
            }
            Some(Over::Ended(_)) => Some("the client has left, and its data is not being read"),
            _ => {
                state.wait(cx);
                return;
            }
        };
        drop(state);
        cx.waker().wake_by_ref();
    }

    /// There is no word for an end.
    fn poll_finish(&mut self, cx: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        self.poll_send(Enough::All, cx)
    }

    fn linger(&self) -> Option<Duration> {
        Some(LINGER)
    }

    fn ending(&self) -> Ending {
        Ending::Whole
    }

    fn end(&mut self) -> End {
        self.over.clone().unwrap_or_default()
    }
}

impl<S: Socket> MessageStream for Session<S> {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        Box::new(Flat::new(*self))
    }
}

/// Returns the reason for ending a session that was silent for this long.
fn silent(idle: Duration) -> String {
    format!("silent for {} s", idle.as_secs_f64())
}

/// The time to wait for an answer once there is no more to send: the peer can't see an end.
pub(crate) const LINGER: Duration = Duration::from_secs(5);

const RETRY: Duration = Duration::from_millis(5);
