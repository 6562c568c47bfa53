//! Guards between a listener and a program: the peers that reach it, and their first bytes.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{
    Accepted, Answer, Context, Decision, End, Exposure, Grants, Incoming, Info, Offer, Refusal,
    RefusalKind, Result,
};
use forward::{Config, Destination, Forwarder, OpenGate, Stop, Timers};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::support::running::{Running, start};
use crate::support::{Told, connector, listener, settle};

const MILLISECOND: Duration = Duration::from_millis(1);

/// A peer whose first bytes come when the test sets them, and which then sends nothing.
struct Begins {
    first: oneshot::Receiver<std::result::Result<(), Refusal>>,
    refused: Option<oneshot::Sender<Refusal>>,
    /// Takes neither a yes nor a no.
    is_deaf: bool,
}

#[async_trait]
impl Decision for Begins {
    async fn accept(self: Box<Self>, _: Answer) -> Result<Accepted> {
        if self.is_deaf {
            std::future::pending::<()>().await;
        }
        Ok(Accepted::Attached)
    }

    async fn refuse(mut self: Box<Self>, refusal: Refusal) {
        if let Some(refused) = self.refused.take() {
            let _ = refused.send(refusal);
        }
        if self.is_deaf {
            std::future::pending::<()>().await;
        }
    }

    fn poll_screen(&mut self, cx: &mut TaskContext<'_>) -> Poll<std::result::Result<(), Refusal>> {
        let first = std::pin::Pin::new(&mut self.first).poll(cx);
        first.map(|first| first.unwrap_or(Ok(())))
    }
}

type Say = oneshot::Sender<std::result::Result<(), Refusal>>;

fn begins(running: &Running, is_deaf: bool) -> (Say, oneshot::Receiver<Refusal>) {
    let ((say, first), (refused, told)) = (oneshot::channel(), oneshot::channel());
    let decision = Begins { first, refused: Some(refused), is_deaf };
    running.source.incoming(Incoming::ready(Offer::new(Info::new(), decision)));
    (say, told)
}

fn page() -> Refusal {
    Refusal::new(RefusalKind::Forbidden, "a page")
}

#[tokio::test(start_paused = true)]
async fn a_page_starts_no_program() {
    for grants in [Grants::Device, Grants::Program] {
        let running = start(Config::default());
        running.far.grants(grants);
        let (say, told) = begins(&running, false);
        settle().await;
        assert_eq!(running.far.tried(), 0, "it waits for what comes first");
        say.send(Err(page())).unwrap();
        assert_eq!(told.await.unwrap(), page());
        assert_eq!(running.far.tried(), 0);
        assert_eq!(running.finish().await.refused, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_delays_a_program_for_a_moment_only() {
    let running = start(Config::default());
    running.far.grants(Grants::Program);
    let began = Instant::now();
    let (_say, _told) = begins(&running, false);
    running.far.next().await;
    let waited = began.elapsed();
    assert!((99 * MILLISECOND..110 * MILLISECOND).contains(&waited), "{waited:?}");
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_service_is_connected_at_once() {
    let running = start(Config::default());
    running.far.grants(Grants::Service);
    let began = Instant::now();
    let (_say, _told) = begins(&running, false);
    running.far.next().await;
    assert!(began.elapsed() < 5 * MILLISECOND);
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn exposure_is_asked_of_what_is_really_opened() {
    for (exposure, grants, opens) in [
        (Exposure::Public, Grants::Program, false),
        (Exposure::Public, Grants::Device, false),
        (Exposure::Public, Grants::Service, true),
        (Exposure::Loopback, Grants::Program, true),
    ] {
        let (connector, far) = connector();
        far.grants(grants);
        let route =
            Destination::new("test:far", Arc::new(connector) as Arc<dyn endpoint::Connector>);
        let forwarder = Forwarder::new(Context::new(), OpenGate, route, Config::default());
        let (source, accept) = listener();
        let stop = Stop::new();
        let heard = stop.clone();
        let task =
            tokio::spawn(async move { forwarder.serve_exposed(accept, exposure, heard).await });
        match source.offer().told().await {
            Told::Refused(refusal) => {
                assert!(!opens);
                assert_eq!((refusal.kind, far.tried()), (RefusalKind::Forbidden, 0));
                assert!(!refusal.message.contains("test:far"), "{refusal}");
            }
            told => assert!(opens, "{exposure:?} {grants:?} {told:?}"),
        }
        stop.drain(End::eof());
        task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_refused_does_not_outlast_the_grace() {
    let timers = Timers { grace: 300 * MILLISECOND, ..Timers::default() };
    let running = start(Config { timers, ..Config::default() });
    running.far.grants(Grants::Program);
    let (say, told) = begins(&running, true);
    say.send(Err(page())).unwrap();
    told.await.unwrap();
    let began = Instant::now();
    running.stop.drain(End::eof());
    running.task.await.unwrap();
    assert!(began.elapsed() <= 310 * MILLISECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_does_not_take_its_acceptance_does_not_hold_a_stop() {
    let running = start(Config::default());
    let (_say, _told) = begins(&running, true);
    running.far.next().await;
    settle().await;
    let began = Instant::now();
    running.stop.drain(End::eof());
    timeout(Duration::from_secs(60), running.task).await.expect("it stops").unwrap();
    assert!(began.elapsed() < 10 * MILLISECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stop_refuses_who_is_looked_at() {
    let running = start(Config::default());
    running.far.grants(Grants::Program);
    let (_say, told) = begins(&running, false);
    settle().await;
    running.stop.drain(End::eof());
    assert_eq!(told.await.unwrap().kind, RefusalKind::Busy);
    assert_eq!(running.task.await.unwrap().refused, 1);
}
