//! Signals apart from the data: window sizes, breaks, line settings, exit status.
//!
//! Each side of a session has *outgoing* signals, which its peer or device sends, and *incoming* ones,
//! which it acts on; the splice moves the outgoing signals of one side to the incoming queue of the
//! other.
//!
//! 1. A [`Signal`] is sent: a state or an event.
//! 2. [`channel`] is a bounded queue of them. States always fit; a queue that is full of events stalls its sender,
//!    which gets an error.
//! 3. [`Broadcast`] sends the same signals to several queues.

mod broadcast;
mod queue;
mod signal;

pub use self::broadcast::Broadcast;
pub use self::queue::{EVENTS, SignalReceiver, SignalSender, Undelivered, channel};
pub use self::signal::{
    Break, LineSettings, ModemLines, Purge, Query, Signal, StopBits, WindowSize,
};

/// The signals of one connection, seen from the session.
///
/// The holder of a connection reads its outgoing signals or drops the queue: a queue that is not
/// read stalls a sender of events.
#[derive(Debug, Default)]
pub struct Control {
    /// The signals that this side sends; `None` if it never sends any.
    pub outgoing: Option<SignalReceiver>,
    /// The signals that this side acts on; `None` if it acts on none.
    pub incoming: Option<SignalSender>,
}

impl Control {
    /// Returns a connection's signals, and the ends that its kind keeps: the one it sends with and
    /// the one it receives from.
    #[must_use]
    pub fn pair() -> (Self, SignalSender, SignalReceiver) {
        let (sender, outgoing) = channel();
        let (incoming, receiver) = channel();
        (Self { outgoing: Some(outgoing), incoming: Some(incoming) }, sender, receiver)
    }
}
