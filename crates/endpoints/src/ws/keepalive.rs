//! Whether the peer lives: a ping after some silence, and an end if nothing comes after that.
//!
//! Time counts only while the peer is being read from. So the clock is looked at in one place: when a
//! read found nothing. A peer whose data lies unread because the far side stalls can't be found
//! silent, and no answer can be overlooked.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endpoint::Clock;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep};

/// How long silence may last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Before a ping; `None` is for ever.
    pub(super) ping: Option<Duration>,
    /// After one; `None` is for ever.
    pub(super) pong: Option<Duration>,
}

/// The clock of one connection.
pub(super) struct Keepalive {
    pong: Option<Duration>,
    /// What silence may last, and a timer until then or earlier; `None` is for ever.
    ping: Option<(Duration, Pin<Box<Sleep>>)>,
    /// Whether something came since the clock was last looked at.
    heard: bool,
    /// Since when nothing has come, as far as was looked; or since we have asked.
    since: Instant,
    asked: Asked,
}

/// Whether we have asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    No,
    Yes,
    /// And the answer is overdue, unless it has arrived and hasn't been read.
    Overdue,
}

/// What silence calls for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Ping,
    /// There was no answer.
    Death,
}

impl Keepalive {
    pub(super) fn new(pace: Pace, clock: &Clock) -> Self {
        let since = Instant::now();
        let ping = pace.ping.map(|ping| (ping, Box::pin(clock.alarm(since + ping))));
        Self { pong: pace.pong, ping, heard: true, since, asked: Asked::No }
    }

    /// Something came.
    pub(super) fn heard(&mut self) {
        self.heard = true;
    }

    /// A read found nothing: whether it has been so for too long. While pending, the task is woken
    /// when it will have been.
    pub(super) fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Due> {
        let Some((ping, timer)) = &mut self.ping else { return Poll::Pending };
        if std::mem::take(&mut self.heard) {
            self.since = Instant::now();
            self.asked = Asked::No;
        }
        let due = match (self.asked, self.pong) {
            (Asked::No, _) => self.since + *ping,
            (_, Some(pong)) => self.since + pong,
            (_, None) => return Poll::Pending,
        };
        loop {
            // One that would fire too early is left to do so, instead of moved at every read.
            let early = timer.deadline() < due;
            if timer.deadline() > due || (early && timer.is_elapsed()) {
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= due {
                break;
            }
        }
        match self.asked {
            Asked::No => {
                (self.since, self.asked) = (Instant::now(), Asked::Yes);
                Poll::Ready(Due::Ping)
            }
            Asked::Yes => {
                self.asked = Asked::Overdue;
                // Woken again once this thread has looked for what has arrived.
                let _ = pin!(yield_now()).poll(cx);
                Poll::Pending
            }
            Asked::Overdue => Poll::Ready(Due::Death),
        }
    }
}
