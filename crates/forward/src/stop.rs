//! The signal that everything is to end, with the reason that peers are told.

use std::sync::Arc;
use std::time::Duration;

use endpoint::End;
use tokio::sync::watch;
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
pub struct Stop(Arc<watch::Sender<Level>>);

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
        Self(Arc::new(watch::Sender::new(Level::Run)))
    }

    /// Stops: nothing new is accepted, sessions have their grace and are then ended with `end`.
    ///
    /// Close code 1012 suits a restart and 1001 a program that goes away for good. Once stopped,
    /// another reason changes nothing.
    pub fn stop(&self, end: End) {
        self.0.send_if_modified(|level| {
            let first = matches!(level, Level::Run);
            if first {
                *level = Level::Stop(end);
            }
            first
        });
    }

    /// Ends the grace at once: a person who interrupts twice means it.
    pub fn hurry(&self) {
        self.0.send_if_modified(|level| match level {
            Level::Now(_) => false,
            Level::Run => {
                *level = Level::Now(End::with_code(1001, "going away"));
                true
            }
            Level::Stop(end) => {
                *level = Level::Now(std::mem::take(end));
                true
            }
        });
    }

    /// Whether it came.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        !matches!(*self.0.borrow(), Level::Run)
    }

    /// Waits until it comes; the reason. Cancel safe.
    pub async fn stopped(&self) -> End {
        let mut levels = self.0.subscribe();
        loop {
            if let Level::Stop(end) | Level::Now(end) = &*levels.borrow_and_update() {
                return end.clone();
            }
            // The sender is held by `self`: the channel can't close while this waits.
            let _ = levels.changed().await;
        }
    }

    /// Waits until it has come and `grace` is over, or was cut short. Cancel safe, but the grace
    /// begins when the call sees the signal.
    pub(crate) async fn overdue(&self, grace: Duration) -> End {
        let end = self.stopped().await;
        // Boxed, so that a session that nobody stops doesn't carry the room for this timer.
        Box::pin(self.after(grace, end)).await
    }

    async fn after(&self, grace: Duration, end: End) -> End {
        let mut levels = self.0.subscribe();
        // Both an elapsed grace and a hurry mean the same.
        let _ = timeout(grace, levels.wait_for(|level| matches!(level, Level::Now(_)))).await;
        end
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
