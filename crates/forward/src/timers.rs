//! How long a session may wait for what.

use std::time::Duration;

/// The limits of time of a session. All of them are measured with tokio's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Gate, route and connect together, and then what is left of the near side's handshake: 30 s,
    /// each. A connector with a `timeout` of its own keeps to the shorter.
    pub connect: Duration,
    /// What a side that is told the end may take to say so itself: 5 s in which nothing moves.
    ///
    /// After a side that ends with a handshake (a WebSocket's Close) this is how long the other
    /// side's answer is waited for.
    pub close: Duration,
    /// How long the rest of a session lives after one side half-closed: 60 s since the last byte,
    /// either way. `None`: for ever, as an SSH tunnel or a device may want it.
    pub linger: Option<Duration>,
    /// Whether a side may have a shorter linger time of its own, as standard input has: yes. Not if somebody has chosen
    /// one.
    pub own_linger: bool,
    /// What sessions may still take once they are to stop: 10 s.
    pub grace: Duration,
    /// Ends a session in which no byte moved for so long, either way: off.
    pub idle: Option<Duration>,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            close: Duration::from_secs(5),
            linger: Some(Duration::from_secs(60)),
            own_linger: true,
            grace: Duration::from_secs(10),
            idle: None,
        }
    }
}
