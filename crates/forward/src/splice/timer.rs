//! A session's one timer.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use endpoint::Clock;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep_until};

/// Made when something has to be waited for: an open session without an idle timeout has none, but for a while after a
/// write.
///
/// A deadline that moves on with every byte doesn't touch the runtime's timers with every byte: the
/// timer fires at the old one, and is then set to what is due by now.
#[derive(Debug)]
pub(super) struct Timer<'t> {
    /// The clock for deadlines that are not soon.
    clock: &'t Clock,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Set when the clock's alarm for the deadline has fired.
    come: bool,
}

impl<'t> Timer<'t> {
    /// One that waits by `clock` for what isn't due soon.
    pub(super) fn by(clock: &'t Clock) -> Self {
        Self { clock, sleep: None, come: false }
    }

    /// Returns `true` if the alarm is set and has not fired: then the task is woken when it does, and needn't ask.
    pub(super) fn is_running(&self) -> bool {
        !self.come && self.sleep.as_ref().is_some_and(|sleep| !sleep.is_elapsed())
    }

    /// Nothing is waited for any more.
    pub(super) fn forget(&mut self) {
        (self.sleep, self.come) = (None, false);
    }

    /// Ready when `due` has come; `None` never does.
    ///
    /// Not at once: events that have arrived by then are to be seen before, which may move `due`.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, due: Option<Instant>) -> Poll<()> {
        let Some(due) = due else {
            self.forget();
            return Poll::Pending;
        };
        if self.waits(cx, due) {
            self.come = false;
            return Poll::Pending;
        }
        if std::mem::replace(&mut self.come, true) {
            return Poll::Ready(());
        }
        // Woken again once this thread has looked for that.
        let _ = pin!(yield_now()).poll(cx);
        Poll::Pending
    }

    /// Returns `true` if the clock has to wake the task for `due`.
    fn waits(&mut self, cx: &mut Context<'_>, due: Instant) -> bool {
        let now = Instant::now();
        if due <= now {
            return false;
        }
        // One that waits for later is of the clock's thread, and what is due soon isn't worth waking that.
        let soon = due < now + SOON;
        if soon && self.sleep.as_ref().is_some_and(|sleep| sleep.deadline() >= now + SOON) {
            self.sleep = None;
        }
        let clock = self.clock;
        let sleep = self.sleep.get_or_insert_with(|| {
            Box::pin(if soon { sleep_until(due) } else { clock.alarm(due) })
        });
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if due <= Instant::now() {
                return false;
            }
            sleep.as_mut().reset(due);
        }
        true
    }
}

/// Deadlines within this time are awaited by the session's own thread.
const SOON: Duration = Duration::from_secs(1);
