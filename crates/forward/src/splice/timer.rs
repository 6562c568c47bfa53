//! A session's one timer.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep_until};

/// Made when something has to be waited for; an open session without an idle timeout has none.
///
/// A deadline that moves on with every byte doesn't touch the runtime's timers with every byte: the
/// timer fires at the old one, and is then set to what is due by now.
#[derive(Debug, Default)]
pub(super) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// What is due has come, as far as the clock goes.
    come: bool,
}

impl Timer {
    /// One that is there from the start, for what may be due all along.
    pub(super) fn of(sleep: Sleep) -> Self {
        Self { sleep: Some(Box::pin(sleep)), come: false }
    }

    /// Ready when `due` has come; `None` never does.
    ///
    /// Not at once: what has arrived by then is to be seen before, which may move `due`.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, due: Option<Instant>) -> Poll<()> {
        let Some(due) = due else {
            *self = Self::default();
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

    /// Whether the clock has to wake us, as `due` is to come.
    fn waits(&mut self, cx: &mut Context<'_>, due: Instant) -> bool {
        if due <= Instant::now() {
            return false;
        }
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
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
