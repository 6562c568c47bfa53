//! The signal that everything is to end, with the reason that peers are told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::End;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Says that it is time to stop, and hears it. Clones are the same signal.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let stop = forward::Stop::new();
/// stop.stop(endpoint::End::with_code(1012, "service restart"));
/// assert_eq!(stop.stopped().await.code, Some(1012));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Stop(Arc<Signal>);

/// A level, and who waits for another one: of all that tokio has for that, a [`Notify`] is the
/// smallest to wait with, and every session does.
#[derive(Debug)]
struct Signal {
    level: Mutex<Level>,
    changed: Notify,
}

#[derive(Clone, Debug)]
enum Level {
    Run,
    /// Stop accepting; sessions have their grace.
    Stop(End),
    /// The grace is over.
    Now(End),
}

impl Stop {
    /// A signal that hasn't come yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Signal { level: Mutex::new(Level::Run), changed: Notify::new() }))
    }

    /// Stops: nothing new is accepted, sessions have their grace and are then ended with `end`.
    ///
    /// Close code 1012 suits a restart and 1001 a program that goes away for good. Once stopped,
    /// another reason changes nothing.
    pub fn stop(&self, end: End) {
        self.change(|level| matches!(level, Level::Run).then_some(Level::Stop(end)));
    }

    /// Ends the grace at once: a person who interrupts twice means it.
    pub fn hurry(&self) {
        self.change(|level| match level {
            Level::Now(_) => None,
            Level::Run => Some(Level::Now(End::with_code(1001, "going away"))),
            Level::Stop(end) => Some(Level::Now(end.clone())),
        });
    }

    /// Whether it came.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        !matches!(*self.level(), Level::Run)
    }

    /// Waits until it comes; the reason. Cancel safe.
    pub async fn stopped(&self) -> End {
        loop {
            // Before the look, so that what changes right after it is heard.
            let changed = self.0.changed.notified();
            if let Level::Stop(end) | Level::Now(end) = &*self.level() {
                return end.clone();
            }
            changed.await;
        }
    }

    /// Once it has come, with this reason: waits until `grace` is over, or was cut short. Cancel safe.
    pub(crate) async fn grace(&self, grace: Duration, end: End) -> End {
        // Both an elapsed grace and a hurry mean the same.
        let _ = timeout(grace, self.hurried()).await;
        end
    }

    async fn hurried(&self) {
        loop {
            let changed = self.0.changed.notified();
            if matches!(*self.level(), Level::Now(_)) {
                return;
            }
            changed.await;
        }
    }

    fn change(&self, next: impl FnOnce(&Level) -> Option<Level>) {
        let mut level = self.level();
        if let Some(next) = next(&level) {
            *level = next;
            drop(level);
            self.0.changed.notify_waiters();
        }
    }

    fn level(&self) -> MutexGuard<'_, Level> {
        self.0.level.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
