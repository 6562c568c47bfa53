//! The end of an HTTP connection that became no session: its last reply arrives.

use std::future::poll_fn;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::wire::Wire;
use crate::patience;

/// The end of the front's side of a stream after HTTP.
impl Wire {
    /// Has the end of a reply reach a peer that takes it slowly.
    pub(super) async fn deliver(&self, limit: Duration) {
        let drain = || poll_fn(|cx| self.poll_drain(cx));
        while patience::timeout(limit, drain()).await.is_none() && self.may_take() {}
    }

    /// Waits until a live peer has taken all of a reply, however long it takes: a socket that is closed while
    /// something is on its way is left to the system, which gives up on a reader that pauses.
    pub(super) async fn taken(&self) {
        let mut pause = FIRST_LOOK;
        let forget = || poll_fn(|cx| self.poll_forget(cx));
        while self.is_pending() && self.may_take() {
            // Data that it still sends must not stall it.
            if timeout(pause, forget()).await == Ok(false) {
                sleep(pause).await;
            }
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// Has the reply reach the peer, and drains it for `limit` at most: a socket that is closed while something comes
    /// is reset, and the reply is lost with it. One that is silent for a moment doesn't care.
    pub(super) async fn close(&self, limit: Option<Duration>) {
        let forget = || poll_fn(|cx| self.poll_forget(cx));
        let close = async {
            let ended = timeout(SILENCE, poll_fn(|cx| self.poll_end(cx))).await;
            if let Ok(Ok(())) = ended {
                while let Ok(true) = timeout(SILENCE, forget()).await {}
            }
        };
        let _ = timeout(limit.unwrap_or(CLOSE), close).await;
    }
}

/// The time that a refused peer has to read its reply, and may pause in what it still sends.
const SILENCE: Duration = Duration::from_secs(1);

/// The default limit of that.
const CLOSE: Duration = Duration::from_secs(5);

/// The shortest and the longest interval of looks at what a peer has acknowledged.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_secs(1);
