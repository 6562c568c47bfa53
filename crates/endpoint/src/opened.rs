//! Listening on what can only be connected to: a device, a program, our own standard input.
//!
//! It is opened at bind, so that a missing device is an error at the start. The next offer comes
//! after the session's end plus a back-off: a far side that is down makes no hot loop. A refused
//! offer is not an end: the device or program stays open, and is offered again. A device would lower
//! DTR otherwise and raise it again, which resets many boards, and a program would be started anew.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::{
    Accept, Backoff, Conn, Connector, Context, Exposure, Incoming, Info, Listener, Local, Missing,
    Offer, Result,
};

/// How often the connector is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Again after each session.
    Again,
    /// Once: there is only one standard input.
    Once,
}

/// A connector as a listener.
#[derive(Debug)]
pub struct Opened {
    connector: Arc<dyn Connector>,
    descriptor: String,
    times: Times,
}

impl Opened {
    /// Creates a listener that opens `connector`, which `descriptor` describes.
    pub fn new(connector: Box<dyn Connector>, descriptor: String, times: Times) -> Self {
        Self { connector: Arc::from(connector), descriptor, times }
    }
}

#[async_trait]
impl Listener for Opened {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        let conn = self.connector.connect(cx, &Info::new()).await?;
        Ok(Box::new(Turns {
            connector: Arc::clone(&self.connector),
            cx: cx.clone(),
            local: Local::new(&*self.descriptor),
            times: self.times,
            next: Next::Ready(Box::new(conn)),
            backoff: BACKOFF,
            pause: Duration::ZERO,
        }))
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        self.connector.missing(cx)
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

/// One session after another.
struct Turns {
    connector: Arc<dyn Connector>,
    cx: Context,
    local: Local,
    times: Times,
    next: Next,
    backoff: Backoff,
    pause: Duration,
}

/// The condition that the next accept waits for.
enum Next {
    Ready(Box<Conn>),
    /// A session that began then; its sender is dropped with the session. An offer that was refused comes back.
    Ended(oneshot::Receiver<Box<Conn>>, Instant),
    /// The refused connection, to be offered again after a pause.
    Refused(Option<Box<Conn>>),
    Open,
    Never,
}

#[async_trait]
impl Accept for Turns {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        // The state moves on only after an await has completed, which makes this cancel safe.
        loop {
            match &mut self.next {
                Next::Never => return Ok(None),
                Next::Ended(ended, began) => {
                    let refused = ended.await.ok().filter(|_| self.times == Times::Again);
                    if let Some(conn) = refused {
                        self.pause = self.backoff.pause();
                        self.next = Next::Refused(Some(conn));
                        continue;
                    }
                    if began.elapsed() >= LONG_SESSION {
                        self.backoff.reset();
                    }
                    self.pause = self.backoff.pause();
                    self.next = if self.times == Times::Once { Next::Never } else { Next::Open };
                }
                Next::Refused(conn) => {
                    sleep(self.pause).await;
                    self.next = conn.take().map_or(Next::Open, Next::Ready);
                }
                Next::Open => {
                    sleep(self.pause).await;
                    let opened = self.connector.connect(&self.cx, &Info::new()).await;
                    match opened {
                        Ok(conn) => self.next = Next::Ready(Box::new(conn)),
                        Err(error) => {
                            self.pause = self.backoff.pause();
                            warn!("{error}; trying again in {:?}", self.pause);
                        }
                    }
                }
                Next::Ready(_) => {
                    let Next::Ready(conn) = std::mem::replace(&mut self.next, Next::Never) else {
                        continue;
                    };
                    let (offer, ended) = Offer::returning(conn);
                    self.next = Next::Ended(ended, Instant::now());
                    return Ok(Some(Incoming::ready(offer)));
                }
            }
        }
    }
}

/// Long enough that a program that fails at once is started a few times a second at most.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
/// A session of this length is no failure to start: the next back-off is the first again.
const LONG_SESSION: Duration = Duration::from_secs(10);
