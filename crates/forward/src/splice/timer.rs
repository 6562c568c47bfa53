//! A session's one timer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// Made when something has to be waited for; an open session without an idle timeout has none.
///
/// A deadline that moves on with every byte doesn't touch the runtime's timers with every byte: the
/// timer fires at the old one, and is then set to what is due by now.
#[derive(Debug, Default)]
pub(super) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// One that is there from the start, for what may be due all along.
    pub(super) fn of(sleep: Sleep) -> Self {
        Self(Some(Box::pin(sleep)))
    }

    /// Ready when `due` has come; `None` never does.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, due: Option<Instant>) -> Poll<()> {
        let Some(due) = due else {
            self.0 = None;
            return Poll::Pending;
        };
        if due <= Instant::now() {
            return Poll::Ready(());
        }
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
        Poll::Pending
    }
}
