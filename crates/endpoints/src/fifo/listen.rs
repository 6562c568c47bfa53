//! Listening on a named pipe: a session for each writer.
//!
//! One descriptor of the reading end stays open from one session to the next. Without it, a writer that comes between the
//! end of a session and the next one would write into a pipe that is then closed, and what it wrote would be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{
    Accept, Backoff, Conn, Context, Exposure, Incoming, Info, Listener, Local, Missing, Offer,
    Opened, Result, Times,
};
use plan::kind::{Args, Planned};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::warn;

use super::stream::Reading;
use super::{Open, read};
use crate::frames::framed;

pub(super) fn plan(args: &Args) -> Planned<Box<dyn Listener>> {
    let open = read(args)?;
    if open.writes {
        let descriptor = open.descriptor.clone();
        return Ok(Box::new(Opened::new(Box::new(open), descriptor, Times::Again)));
    }
    Ok(Box::new(Listen(Arc::new(open))))
}

#[derive(Debug)]
struct Listen(Arc<Open>);

#[async_trait]
impl Listener for Listen {
    async fn bind(&self, _: &Context) -> Result<Box<dyn Accept>> {
        self.0.make()?;
        Ok(Box::new(Writers {
            local: Local::new(&*self.0.descriptor),
            kept: Some(self.0.reader()?),
            open: Arc::clone(&self.0),
            next: Next::Open,
            backoff: BACKOFF,
            pause: Duration::ZERO,
        }))
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        endpoint::Connector::missing(&*self.0, cx)
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

/// One writer after another.
struct Writers {
    open: Arc<Open>,
    local: Local,
    /// Keeps what a writer sends before the next session. Closed if a session ends before its writer does, so that the
    /// writer learns of it.
    kept: Option<Receiver>,
    next: Next,
    backoff: Backoff,
    pause: Duration,
}

/// The condition that the next accept waits for.
enum Next {
    Open,
    /// A writer, or the end of one that has come and gone.
    Writer(Receiver),
    /// A session, which sets the flag if its writer ended it. An offer that was refused comes back.
    Ended(oneshot::Receiver<Box<Conn>>, Arc<AtomicBool>),
    /// To be offered again after a pause.
    Refused(Box<Conn>, Arc<AtomicBool>),
}

#[async_trait]
impl Accept for Writers {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        // The state moves on only after an await has completed, which makes this cancel safe.
        loop {
            match &mut self.next {
                Next::Open => {
                    sleep(self.pause).await;
                    match self.reopen() {
                        Ok(pipe) => self.next = Next::Writer(pipe),
                        Err(error) => {
                            self.pause = self.backoff.pause();
                            warn!("{error}; trying again in {:?}", self.pause);
                        }
                    }
                }
                Next::Writer(pipe) => {
                    let ready = pipe.readable().await;
                    let Next::Writer(pipe) = std::mem::replace(&mut self.next, Next::Open) else {
                        continue;
                    };
                    if let Err(error) = ready {
                        return Err(self.open.explain(error));
                    }
                    let is_over = Arc::new(AtomicBool::new(false));
                    let reading = Reading::new(pipe, Arc::clone(&is_over));
                    let conn = Conn::bytes(reading, Info::new());
                    let conn = framed(conn, self.open.framing.as_ref(), &Info::new());
                    return Ok(Some(self.offer(Box::new(conn), is_over)));
                }
                Next::Ended(ended, is_over) => {
                    let refused = ended.await.ok();
                    let is_over = Arc::clone(is_over);
                    if let Some(conn) = refused {
                        self.pause = self.backoff.pause();
                        self.next = Next::Refused(conn, is_over);
                        continue;
                    }
                    if is_over.load(Ordering::Relaxed) {
                        self.backoff.reset();
                        self.pause = Duration::ZERO;
                    } else {
                        self.kept = None;
                        self.pause = self.backoff.pause();
                    }
                    self.next = Next::Open;
                }
                Next::Refused(..) => {
                    sleep(self.pause).await;
                    let next = std::mem::replace(&mut self.next, Next::Open);
                    let Next::Refused(conn, is_over) = next else { continue };
                    return Ok(Some(self.offer(conn, is_over)));
                }
            }
        }
    }
}

impl Writers {
    fn reopen(&mut self) -> Result<Receiver> {
        self.open.make()?;
        if self.kept.is_none() {
            self.kept = Some(self.open.reader()?);
        }
        self.open.reader()
    }

    fn offer(&mut self, conn: Box<Conn>, is_over: Arc<AtomicBool>) -> Incoming {
        let (offer, ended) = Offer::returning(conn);
        self.next = Next::Ended(ended, is_over);
        Incoming::ready(offer)
    }
}

/// Between sessions that end before their writer, and before a refused one is offered again.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
