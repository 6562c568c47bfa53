//! A forwarder at work.

use std::sync::Arc;
use std::time::Duration;

use endpoint::{Context, End, Reason};
use forward::{Config, Destination, Forwarder, Gate, OpenGate, Stop, Summary};
use tokio::task::JoinHandle;

use super::{Connections, Source, connector, listener};

const SECOND: Duration = Duration::from_secs(1);

/// A forwarder at work.
pub(crate) struct Running {
    pub(crate) source: Source,
    pub(crate) far: Connections,
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<Summary>,
}

pub(crate) fn start(config: Config) -> Running {
    start_with(config, OpenGate)
}

pub(crate) fn start_with(config: Config, gate: impl Gate + 'static) -> Running {
    let (connector, far) = connector();
    let route = Destination::new("test:far", Arc::new(connector) as Arc<dyn endpoint::Connector>);
    let forwarder = Forwarder::new(Context::new(), gate, route, config);
    let (source, accept) = listener();
    let stop = Stop::new();
    let heard = stop.clone();
    let task = tokio::spawn(async move { forwarder.serve(accept, heard).await });
    Running { source, far, stop, task }
}

impl Running {
    pub(crate) async fn finish(self) -> Summary {
        self.stop.drain(End::of(Reason::Restart));
        tokio::time::timeout(SECOND * 60, self.task).await.expect("it drains").unwrap()
    }
}
