//! Whether the peer lives: a ping after some silence, and an end if nothing comes after that.
//!
//! Time counts only while the peer is being read from. So the clock is looked at in one place: when a
//! read found nothing. A peer whose data lies unread because the far side stalls can't be found
//! silent, and no answer can be overlooked.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

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
    pace: Pace,
    /// Made when it is first waited for.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether something came since the clock was last looked at.
    heard: bool,
    /// Since when nothing has come, as far as was looked; or since we have asked.
    since: Option<Instant>,
    /// Whether we have asked.
    asked: bool,
}

/// What silence calls for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Ping,
    /// There was no answer.
    Death,
}

impl Keepalive {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, timer: None, heard: true, since: None, asked: false }
    }

    /// Something came.
    pub(super) fn heard(&mut self) {
        self.heard = true;
    }

    /// A read found nothing: whether it has been so for too long. While pending, the task is woken
    /// when it will have been.
    pub(super) fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Due> {
        let Some(ping) = self.pace.ping else { return Poll::Pending };
        let now = Instant::now();
        if std::mem::take(&mut self.heard) {
            self.since = Some(now);
            self.asked = false;
        }
        loop {
            let since = *self.since.get_or_insert(now);
            let due = match (self.asked, self.pace.pong) {
                (false, _) => since + ping,
                (true, Some(pong)) => since + pong,
                (true, None) => return Poll::Pending,
            };
            if due <= now {
                if self.asked {
                    return Poll::Ready(Due::Death);
                }
                (self.since, self.asked) = (Some(now), true);
                return Poll::Ready(Due::Ping);
            }
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            // A timer that would fire too early is left to do so, instead of moved at every read.
            if timer.deadline() > due || timer.is_elapsed() {
                timer.as_mut().reset(due);
            }
            match timer.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) if timer.deadline() >= due => {
                    // The clock has come there since `now` was taken.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(()) => {}
            }
        }
    }
}
