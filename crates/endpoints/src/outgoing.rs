//! The signals that a connection sends, with a log line for those that are lost.

use std::task::{Context, Poll};

use endpoint::control::Undelivered;
use endpoint::{Signal, SignalSender};
use tracing::warn;

/// Sends signals of a peer that can't be stalled at every one of them: it is stopped from being read
/// by [`Outgoing::poll_ready`], but what was read already may have more events than fit.
pub(crate) struct Outgoing {
    sender: SignalSender,
    /// The number of consecutive signals without room.
    lost: u64,
}

impl Outgoing {
    pub(crate) fn new(sender: SignalSender) -> Self {
        Self { sender, lost: 0 }
    }

    /// Ready when an event has room.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.sender.poll_ready(cx)
    }

    /// Sends a signal. An event that has no room is lost and logged: the first of a row with what it
    /// is, and how many there were once there is room again, so that no peer fills the log.
    pub(crate) fn send(&mut self, signal: Signal) {
        match self.sender.send(signal) {
            Ok(()) if self.lost > 1 => {
                warn!("lost {} signals: they arrived faster than they were read", self.lost);
                self.lost = 0;
            }
            Ok(()) => self.lost = 0,
            Err(Undelivered::Full(signal)) => {
                if self.lost == 0 {
                    warn!("lost {signal:?}: too many signals are queued for the other side");
                }
                self.lost += 1;
            }
            // A receiver that is gone loses nothing.
            Err(Undelivered::Gone) => {}
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if self.lost > 1 {
            warn!("lost {} signals: they arrived faster than they were read", self.lost);
        }
    }
}
