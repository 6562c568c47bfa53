//! Refusals in the log: a warning once a minute for each cause, and how often it came again meanwhile.
//!
//! An operator has to see that clients are turned away, and a log must not be filled by those that try again.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

/// The causes of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    causes: Mutex<HashMap<String, Cause>>,
    /// A cause came again.
    again: Notify,
}

#[derive(Debug)]
struct Cause {
    since: Instant,
    /// The number of repetitions.
    more: u64,
}

impl Refusals {
    /// Logs a refusal in the span of the offer that it is about; `help` is what to do about it.
    pub(crate) fn log(&self, cause: &str, help: Option<&str>) {
        if self.is_news(cause) {
            warn!(help, "{cause}");
        } else {
            debug!("{cause}");
        }
    }

    /// Notes that it came; returns `true` if it didn't come within the last minute.
    fn is_news(&self, cause: &str) -> bool {
        let now = Instant::now();
        let mut causes = self.lock();
        // Causes that peers make up (origins, names) are counted together once there are too many.
        let is_full = causes.len() >= MOST && !causes.contains_key(cause);
        let cause = if is_full { OTHERS } else { cause };
        if let Some(known) = causes.get_mut(cause) {
            known.more += 1;
            if known.more == 1 {
                self.again.notify_one();
            }
            return false;
        }
        causes.insert(cause.to_owned(), Cause { since: now, more: 0 });
        // A cause that never comes again is forgotten when another one comes.
        causes.retain(|_, cause| cause.more > 0 || now - cause.since < MINUTE);
        true
    }

    /// Logs how often causes came again, each when its minute is over. Never ends; cancel safe.
    pub(crate) async fn report(&self) {
        let mut again = pin!(self.again.notified());
        loop {
            let due = self.lock().values().filter(|cause| cause.more > 0).map(Cause::due).min();
            let minute = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = minute => self.flush(|cause| cause.due() <= Instant::now()),
                () = &mut again => again.set(self.again.notified()),
            }
        }
    }

    /// Logs all that came again, and forgets it.
    pub(crate) fn end(&self) {
        self.flush(|_| true);
    }

    fn flush(&self, is_due: impl Fn(&Cause) -> bool) {
        let due = |_: &String, cause: &mut Cause| is_due(cause);
        let over: Vec<_> = self.lock().extract_if(due).collect();
        for (text, Cause { since, more }) in over {
            if more > 0 {
                let times = if more == 1 { "once more" } else { "more times" };
                let count = if more == 1 { String::new() } else { format!("{more} ") };
                let seconds = since.elapsed().as_secs().max(1);
                warn!(more, "{text}: {count}{times} in {seconds} s");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Cause>> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cause {
    fn due(&self) -> Instant {
        self.since + MINUTE
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// The maximum number of causes that are told apart.
const MOST: usize = 64;
const OTHERS: &str = "refused for other reasons";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cause_is_news_once_a_minute() {
        let refusals = Refusals::default();
        assert!(refusals.is_news("a") && refusals.is_news("b"));
        assert!(!refusals.is_news("a") && !refusals.is_news("a"));
        assert!(tokio::time::timeout(MINUTE * 2, refusals.report()).await.is_err(), "it goes on");
        assert!(refusals.is_news("a"), "its minute was over, and what came again was told");
        refusals.end();
        assert!(refusals.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_peers_make_up_fills_no_memory() {
        let refusals = Refusals::default();
        for number in 0..10_000 {
            refusals.is_news(&number.to_string());
        }
        assert_eq!(refusals.lock().len(), MOST + 1);
        assert_eq!(refusals.lock()[OTHERS].more, 10_000 - MOST as u64 - 1);
    }
}
