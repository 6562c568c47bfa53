//! The time limits of a session.

use std::time::Duration;

/// The time limits of a session. All are measured with tokio's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// The limit for gate, route and connect together, and then for the rest of the near side's
    /// handshake: 30 s, each. A connector with its own `timeout` applies the shorter one.
    pub connect: Duration,
    /// The limit for a side that is sent the end to end itself: 5 s without progress.
    ///
    /// After a side that ends with a handshake (a WebSocket's Close) this is how long the other
    /// side's answer is waited for.
    pub close: Duration,
    /// The time that the rest of a session lives after one side half-closed: 60 s since the last
    /// byte, in either direction. `None`: for ever, as for an SSH tunnel or a device.
    pub linger: Option<Duration>,
    /// Set if a side may have its own shorter linger time, as standard input has: yes, unless the user has set one.
    pub own_linger: bool,
    /// The limit for sessions once they are to stop: 10 s.
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
