//! The accept loop: it waits for connections, never for a handshake.

use std::sync::Arc;
use std::time::Duration;

use endpoint::{Accept, Error};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use crate::Stop;
use crate::forwarder::{Shared, Work};

/// Accepts until the listener is over or nothing new is to begin, and closes it then.
pub(crate) async fn accept_all(
    shared: &Shared,
    accept: Box<dyn Accept>,
    stop: &Stop,
    works: mpsc::Sender<Work>,
) {
    tokio::select! {
        biased;
        () = shared.closing(stop) => {}
        () = until_over(shared, accept, works) => {}
    }
}

async fn until_over(shared: &Shared, mut accept: Box<dyn Accept>, works: mpsc::Sender<Work>) {
    let mut trouble = Trouble::default();
    loop {
        match accept.accept().await {
            Ok(Some(incoming)) => {
                trouble.pause = Duration::ZERO;
                // Not before it is there: a listener that waits must not take another one's place.
                let place = Arc::clone(&shared.undecided).acquire_owned().await;
                let Ok(permit) = place else { return };
                if works.send(Work::Incoming(incoming, permit)).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) if error.is_of_one_connection() => {
                debug!("{error}");
                // A listener that fails every time must not keep the others from running.
                yield_now().await;
            }
            Err(error) => sleep(trouble.next(&error)).await,
        }
    }
}

/// Errors that another attempt at once would meet again, such as too many open files.
#[derive(Default)]
struct Trouble {
    pause: Duration,
    said: Option<(String, Instant)>,
}

impl Trouble {
    /// Says it, unless it was said lately; how long to wait.
    fn next(&mut self, error: &Error) -> Duration {
        let text = error.to_string();
        let known = self.said.as_ref().is_some_and(|(said, at)| {
            // When files run out, accepting works and fails by turns.
            *said == text && at.elapsed() < REMIND
        });
        if !known {
            warn!("{text}; trying again");
            self.said = Some((text, Instant::now()));
        }
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LAST_PAUSE);
        self.pause
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// How often the same trouble is worth a line.
const REMIND: Duration = Duration::from_secs(60);
