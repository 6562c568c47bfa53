//! Streams, listeners and connectors whose other end a test holds.

mod fake;
mod kinds;
mod message;
#[cfg(target_os = "linux")]
mod raw;
pub(crate) mod running;

pub(crate) use self::fake::{Known, Op, Peer, fake};
pub(crate) use self::kinds::{Connections, Script, Source, TestOffer, Told, connector, listener};
pub(crate) use self::message::{MessagePeer, message_fake};
#[cfg(target_os = "linux")]
pub(crate) use self::raw::{RawPeer, raw_fake};

use std::time::Duration;

use endpoint::{Conn, Info};
use forward::{Outcome, Stop, Timers, splice};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Lets everything happen that can happen without time passing.
pub(crate) async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

/// Some data that is not the same everywhere.
pub(crate) fn data(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}

/// A session between two fakes.
pub(crate) struct Session {
    pub(crate) near: Peer,
    pub(crate) far: Peer,
    pub(crate) stop: Stop,
    task: JoinHandle<Outcome>,
}

impl Session {
    pub(crate) fn new() -> Self {
        Self::with(Timers::default(), |_, _| {})
    }

    /// With the two sides changed before it begins.
    pub(crate) fn with(timers: Timers, change: impl FnOnce(&Peer, &Peer)) -> Self {
        let ((near, near_peer), (far, far_peer)) = (fake(), fake());
        change(&near_peer, &far_peer);
        let stop = Stop::new();
        let heard = stop.clone();
        let task = tokio::spawn(async move {
            let (near, far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
            splice(near, far, &timers, &heard).await
        });
        Self { near: near_peer, far: far_peer, stop, task }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// How it ended. It must do so by itself within an hour, and let both sides go.
    pub(crate) async fn outcome(self) -> Outcome {
        let outcome = timeout(Duration::from_secs(3600), self.task).await;
        let outcome = outcome.expect("the session hangs").expect("the session panicked");
        assert!(self.near.is_dropped() && self.far.is_dropped(), "a side was kept");
        outcome
    }
}
