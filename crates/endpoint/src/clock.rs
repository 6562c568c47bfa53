//! Timers that are seldom due.

use std::fmt;
use std::sync::Arc;

use tokio::time::{Instant, Sleep, sleep_until};

/// The runtime of timers that a session always has and that seldom fire: for pings and idle timeouts. Cheap to clone.
///
/// A thread that waits for data *and* for a time makes the system set and cancel a timer for each message. With small
/// messages, that was measured as 8 % of all processor time, so a separate thread can wait for the time.
#[derive(Clone)]
pub struct Clock(Option<Arc<dyn Fn(Instant) -> Sleep + Send + Sync>>);

impl Clock {
    /// The clock of the runtime in which an alarm is set.
    pub const HERE: Self = Self(None);

    /// Creates a clock whose alarms are made by `alarm`: in another runtime, with its time enabled.
    ///
    /// That runtime has to run as long as there are alarms: no alarm fires while it isn't driven,
    /// and tasks that wait for one panic once it is dropped.
    pub fn by(alarm: impl Fn(Instant) -> Sleep + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(alarm)))
    }

    /// Returns a timer until `at`, which can be awaited in any runtime. Cancel safe, as
    /// [`sleep_until`] is.
    ///
    /// An alarm may overtake data that has arrived. A thread polls for data between its tasks, and runs its own
    /// timers after that. The alarm of another thread may fire earlier, when data is in the socket but a read doesn't
    /// return it yet. So code that ends something because of silence polls again first: tokio's `yield_now` wakes a
    /// task once its thread has polled for data.
    ///
    /// # Panics
    /// As [`sleep_until`], if time isn't enabled, or if it is set outside of a runtime and the clock
    /// is [`Clock::HERE`].
    pub fn alarm(&self, at: Instant) -> Sleep {
        self.0.as_ref().map_or_else(|| sleep_until(at), |alarm| alarm(at))
    }

    /// Returns `true` if alarms can be set outside of a runtime.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("is_elsewhere", &self.is_elsewhere()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use tokio::runtime::Builder;
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    /// A runtime without time is woken by the clock only.
    #[test]
    fn another_thread_waits_for_an_alarm() {
        let elsewhere = Builder::new_current_thread().enable_time().build().unwrap();
        let handle = elsewhere.handle().clone();
        let clock = Clock::by(move |at| {
            let _within = handle.enter();
            sleep_until(at)
        });
        let (over, until) = oneshot::channel::<()>();
        let waits = thread::spawn(move || elsewhere.block_on(until));
        let here = Builder::new_current_thread().build().unwrap();
        let began = Instant::now();
        here.block_on(async { clock.alarm(began + Duration::from_millis(20)).await });
        assert!(began.elapsed() >= Duration::from_millis(20));
        drop(over);
        assert!(waits.join().unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn without_another_thread_an_alarm_is_of_its_runtime() {
        let day = Duration::from_secs(86_400);
        let alarm = Clock::HERE.alarm(Instant::now() + day);
        assert!(timeout(day * 2, alarm).await.is_ok());
    }
}
