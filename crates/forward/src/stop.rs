//! The signal to end everything, in three steps, with the reason for the peers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::{End, Reason};
use tokio::sync::Notify;
use tokio::time::timeout;

/// A signal to stop, for its sender and its receivers. Clones are the same signal.
///
/// 1. [`Stop::drain`]: nothing new is accepted; sessions go on, for the grace period.
/// 2. [`Stop::end`]: sessions are sent their end, and have the close timeout for it.
/// 3. [`Stop::now`]: sessions are dropped.
///
/// A step that has come stays; each implies those before it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use endpoint::{End, Reason};
///
/// let stop = forward::Stop::new();
/// stop.drain(End::of(Reason::Restart));
/// assert_eq!(stop.drained().await.why, Reason::Restart);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Stop(Arc<Signal>);

/// A step, and the tasks that wait for another one: of all that tokio has for that, a [`Notify`] is the
/// smallest to wait with, and every session does.
#[derive(Debug)]
struct Signal {
    level: Mutex<Level>,
    /// Set with the first step: every session looks at it with every poll.
    stopped: AtomicBool,
    changed: Notify,
}

#[derive(Clone, Debug)]
struct Level {
    step: Step,
    end: End,
}

/// The steps of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Run,
    Drain,
    End,
    Now,
}

impl Stop {
    /// Creates a signal that is not set.
    #[must_use]
    pub fn new() -> Self {
        let level = Mutex::new(Level { step: Step::Run, end: End::of(Reason::Stopping) });
        Self(Arc::new(Signal { level, stopped: AtomicBool::new(false), changed: Notify::new() }))
    }

    /// Stops accepting. Sessions continue for the grace period, and are then ended with `end`.
    ///
    /// [`Reason::Restart`] suits a restart and [`Reason::Stopping`] a program that goes away for good.
    /// Once stopped, another reason changes nothing.
    pub fn drain(&self, end: End) {
        self.reach(Step::Drain, Some(end));
    }

    /// Ends the grace period: the end is sent to all sessions now.
    pub fn end(&self) {
        self.reach(Step::End, None);
    }

    /// Drops sessions that have not ended yet.
    pub fn now(&self) {
        self.reach(Step::Now, None);
    }

    /// Returns `true` if any step has begun.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }

    /// Waits for the first step, and returns its reason. Cancel safe.
    pub fn drained(&self) -> impl Future<Output = End> + Send + '_ {
        self.reached(Step::Drain)
    }

    /// Waits for the last step; the reason. Cancel safe.
    pub(crate) fn immediate(&self) -> impl Future<Output = End> + Send + '_ {
        self.reached(Step::Now)
    }

    /// Once it has come: waits until `grace` is over, or the next step has come. Cancel safe.
    pub(crate) async fn grace(&self, grace: Duration, end: End) -> End {
        // Both an elapsed grace and the next step mean the same.
        let _ = timeout(grace, self.reached(Step::End)).await;
        end
    }

    async fn reached(&self, step: Step) -> End {
        loop {
            // Before the look, so that a change right after it is noticed.
            let changed = self.0.changed.notified();
            if let Some(end) = self.end_at(step) {
                return end;
            }
            changed.await;
        }
    }

    /// The reason, if this step has come.
    fn end_at(&self, step: Step) -> Option<End> {
        let level = self.level();
        (level.step >= step).then(|| level.end.clone())
    }

    fn reach(&self, step: Step, end: Option<End>) {
        let mut level = self.level();
        if level.step >= step {
            return;
        }
        if let Some(end) = end.filter(|_| level.step == Step::Run) {
            level.end = end;
        }
        level.step = step;
        self.0.stopped.store(true, Ordering::Release);
        drop(level);
        self.0.changed.notify_waiters();
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
