//! Refusals in the log: a warning once a minute for each cause, and how often it came again meanwhile.
//!
//! An operator has to see that clients are turned away, and a log must not be filled by those that try again.

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::{Error, ErrorKind, Reason};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

/// The causes of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    causes: Mutex<HashMap<String, Known>>,
    /// A cause came again.
    again: Notify,
}

/// A refusal, as the log has it.
#[derive(Clone, Debug)]
pub(crate) struct Refused<'a> {
    /// All of it, for people.
    pub(crate) text: String,
    /// The listener that refuses, or the destination that can't be opened.
    pub(crate) endpoint: &'a str,
    pub(crate) cause: String,
    pub(crate) reason: Reason,
    /// Set if it is the client that isn't admitted, rather than its destination that can't be opened.
    pub(crate) of_client: bool,
    /// What to do about it.
    pub(crate) help: Option<&'a str>,
}

impl<'a> Refused<'a> {
    /// A listener that refuses a client.
    pub(crate) fn by(error: &'a Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::Refused => Reason::Forbidden,
            kind => reason(kind),
        };
        Self { of_client: true, reason, ..Self::of(error) }
    }

    /// A destination that can't be opened.
    pub(crate) fn of(error: &'a Error) -> Self {
        let (text, cause) = (error.to_string(), error.cause());
        let (endpoint, help, reason) = (error.endpoint(), error.hint(), reason(error.kind()));
        Self { text, endpoint, cause, reason, of_client: false, help }
    }
}

/// Returns the reason for the log, from the closed list.
pub(crate) fn reason(kind: ErrorKind) -> Reason {
    match kind {
        ErrorKind::Busy => Reason::Limit,
        ErrorKind::Forbidden | ErrorKind::Permission => Reason::Forbidden,
        ErrorKind::NotFound | ErrorKind::Unrouted => Reason::NotFound,
        ErrorKind::Timeout => Reason::Timeout,
        ErrorKind::Protocol => Reason::ProtocolError,
        _ => Reason::Unreachable,
    }
}

/// How often a refusal came again, as the log has it behind the refusal's text.
#[derive(Clone, Copy, Debug)]
pub struct Repeated {
    /// The number of repetitions.
    pub more: u64,
    /// The time in which they came, in seconds.
    pub seconds: u64,
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { more, seconds } = self;
        match more {
            1 => write!(f, "once more in {seconds} s"),
            _ => write!(f, "{more} more times in {seconds} s"),
        }
    }
}

#[derive(Debug)]
struct Known {
    since: Instant,
    /// The number of repetitions.
    more: u64,
    endpoint: String,
    cause: String,
    reason: Reason,
    of_client: bool,
}

impl Refusals {
    /// Logs a refusal in the span of the offer that it is about.
    pub(crate) fn log(&self, refused: Refused<'_>) {
        let is_news = self.is_news(&refused);
        let Refused { text, endpoint, cause, help, .. } = refused;
        let (event, reason) = (event(refused.of_client), refused.reason.name());
        if is_news {
            warn!(event, endpoint, reason, cause, help, "{text}");
        } else {
            debug!(event, endpoint, reason, cause, "{text}");
        }
    }

    /// Notes that it came; returns `true` if it didn't come within the last minute.
    fn is_news(&self, refused: &Refused<'_>) -> bool {
        let now = Instant::now();
        let mut causes = self.lock();
        let Refused { text, endpoint, cause, reason, of_client, .. } = refused;
        // Causes that peers make up (origins, names) are counted together once there are too many.
        let is_full = causes.len() >= MOST && !causes.contains_key(text);
        let (text, cause) = if is_full { (OTHERS, OTHERS) } else { (&**text, &**cause) };
        if let Some(known) = causes.get_mut(text) {
            known.more += 1;
            if known.more == 1 {
                self.again.notify_one();
            }
            return false;
        }
        let (endpoint, cause) = ((*endpoint).to_owned(), cause.to_owned());
        let (reason, of_client) = (*reason, *of_client);
        let known = Known { since: now, more: 0, endpoint, cause, reason, of_client };
        causes.insert(text.to_owned(), known);
        // A cause that never comes again is forgotten when another one comes.
        causes.retain(|_, cause| cause.more > 0 || now - cause.since < MINUTE);
        true
    }

    /// Logs how often causes came again, each when its minute is over. Never ends; cancel safe.
    pub(crate) async fn report(&self) {
        let mut again = pin!(self.again.notified());
        loop {
            let due = self.lock().values().filter(|cause| cause.more > 0).map(Known::due).min();
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

    fn flush(&self, is_due: impl Fn(&Known) -> bool) {
        let due = |_: &String, cause: &mut Known| is_due(cause);
        let over: Vec<_> = self.lock().extract_if(due).collect();
        for (text, Known { since, more, endpoint, cause, reason, of_client }) in over {
            if more > 0 {
                let within = since.elapsed().as_secs().max(1);
                let repeated = Repeated { more, seconds: within };
                let (event, reason) = (event(of_client), reason.name());
                warn!(event, more, within, endpoint, reason, cause, "{text}: {repeated}");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn due(&self) -> Instant {
        self.since + MINUTE
    }
}

/// Returns the name of the event for programs that read the log.
fn event(of_client: bool) -> &'static str {
    if of_client { "refused" } else { "unreachable" }
}

const MINUTE: Duration = Duration::from_secs(60);
/// The maximum number of causes that are told apart.
const MOST: usize = 64;
const OTHERS: &str = "refused for other reasons";

#[cfg(test)]
mod tests {
    use super::*;

    fn is_news(refusals: &Refusals, text: &str) -> bool {
        let (text, cause) = (text.to_owned(), text.to_owned());
        let (endpoint, reason, of_client) = ("tcp:1", Reason::Unreachable, false);
        refusals.is_news(&Refused { text, endpoint, cause, reason, of_client, help: None })
    }

    #[tokio::test(start_paused = true)]
    async fn a_cause_is_news_once_a_minute() {
        let refusals = Refusals::default();
        assert!(is_news(&refusals, "a") && is_news(&refusals, "b"));
        assert!(!is_news(&refusals, "a") && !is_news(&refusals, "a"));
        assert!(tokio::time::timeout(MINUTE * 2, refusals.report()).await.is_err(), "it goes on");
        assert!(is_news(&refusals, "a"), "its minute was over, and what came again was told");
        refusals.end();
        assert!(refusals.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_peers_make_up_fills_no_memory() {
        let refusals = Refusals::default();
        for number in 0..10_000 {
            is_news(&refusals, &number.to_string());
        }
        assert_eq!(refusals.lock().len(), MOST + 1);
        assert_eq!(refusals.lock()[OTHERS].more, 10_000 - MOST as u64 - 1);
    }
}
