//! The accept loop: it waits for connections, never for a handshake.

use std::time::Duration;

use endpoint::{Accept, Backoff, Error};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use crate::Stop;
use crate::shared::{Shared, Work};
use crate::undecided::ListenerId;

/// Accepts until the listener is over or nothing new is to begin, and closes it then.
pub(crate) async fn accept_all(
    shared: &Shared,
    accept: Box<dyn Accept>,
    listener: ListenerId,
    stop: &Stop,
    works: mpsc::Sender<Work>,
) {
    tokio::select! {
        biased;
        () = shared.closing(stop) => {}
        () = until_over(shared, accept, listener, works) => {}
    }
}

async fn until_over(
    shared: &Shared,
    mut accept: Box<dyn Accept>,
    listener: ListenerId,
    works: mpsc::Sender<Work>,
) {
    let mut trouble = Trouble { backoff: BACKOFF, said: None };
    let mut crowd = Reminder::default();
    loop {
        match accept.accept().await {
            Ok(Some(incoming)) => {
                trouble.backoff.reset();
                let network = incoming.info.network();
                let (place, displaces) = shared.undecided.enter(listener, network).await;
                if displaces && crowd.is_due() {
                    let at = accept.local();
                    warn!(
                        "{at} has reached its limit of connections without a session: new ones replace those that \
                         have been silent for longest"
                    );
                }
                if works.send(Work::Incoming(incoming, place)).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) if error.is_of_one_connection() => {
                debug!("{error}");
                // A listener that fails every time must not keep the others from running.
                yield_now().await;
            }
            Err(error) => {
                let pause = trouble.next(&error);
                // A dropped connection is closed only once its task has run.
                let freed = error.is_exhaustion() && shared.undecided.drop_silent(SILENT);
                sleep(if freed { FREEING } else { pause }).await;
            }
        }
    }
}

/// Lets a line through now and then.
#[derive(Default)]
struct Reminder(Option<Instant>);

impl Reminder {
    fn is_due(&mut self) -> bool {
        let due = self.0.is_none_or(|last| last.elapsed() >= REMIND);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}

/// Errors that another attempt at once would meet again, such as too many open files.
struct Trouble {
    backoff: Backoff,
    said: Option<(String, Instant)>,
}

impl Trouble {
    /// Logs the error, unless it was logged recently. Returns the time to wait.
    fn next(&mut self, error: &Error) -> Duration {
        let text = error.to_string();
        let known = self.said.as_ref().is_some_and(|(said, at)| {
            // When files run out, accepting works and fails by turns.
            *said == text && at.elapsed() < REMIND
        });
        if !known {
            let (endpoint, cause) = (error.endpoint(), error.cause());
            warn!(endpoint, cause, help = error.hint(), "{text}; trying again");
            self.said = Some((text, Instant::now()));
        }
        self.backoff.pause()
    }
}

const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
/// The silence after which a connection is closed for a new one if the process runs out of descriptors.
const SILENT: Duration = Duration::from_secs(1);
const FREEING: Duration = Duration::from_millis(5);
/// The minimum interval between log lines about the same error.
const REMIND: Duration = Duration::from_secs(60);
