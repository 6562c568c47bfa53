//! Limits: the number of sessions, the number of undecided ones, and the cost of a panic.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{Context, End, Info, Refusal};
use forward::{Admitted, Config, Destination, Forwarder, Gate, OpenGate, Stop};

use crate::support::running::{start, start_with};
use crate::support::{Peer, Told, connector, listener, settle};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn one_session_more_than_allowed_is_refused_as_busy() {
    let running = start(Config { max_sessions: Some(2), ..Config::default() });
    let mut offers: Vec<_> = (0..3).map(|_| running.source.offer()).collect();
    let mut told = Vec::new();
    for offer in &mut offers {
        told.push(matches!(offer.told().await, Told::Accepted(_)));
    }
    assert_eq!(told.iter().filter(|accepted| **accepted).count(), 2);
    // A session that ends makes room.
    let at = told.iter().position(|accepted| *accepted).unwrap();
    offers[at].peer.reset();
    offers[at].peer.until(Peer::is_dropped).await;
    settle().await;
    let mut offer = running.source.offer();
    assert!(matches!(offer.told().await, Told::Accepted(_)));
    let summary = running.finish().await;
    assert_eq!((summary.sessions, summary.refused), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_fails_gives_its_place_back() {
    let running = start(Config { max_sessions: Some(1), ..Config::default() });
    running.far.refuse(io::ErrorKind::ConnectionRefused);
    assert!(matches!(running.source.offer().told().await, Told::Refused(_)));
    assert!(matches!(running.source.offer().told().await, Told::Accepted(_)));
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn once_is_one_session_and_then_the_end() {
    let running = start(Config { once: true, ..Config::default() });
    running.far.refuse(io::ErrorKind::ConnectionRefused);
    let mut refused = running.source.offer();
    assert!(matches!(refused.told().await, Told::Refused(_)));
    running.far.delay(SECOND);
    let (mut first, mut second) = (running.source.offer(), running.source.offer());
    let (told, other) = (first.told().await, second.told().await);
    let accepted = [&told, &other].iter().filter(|told| matches!(told, Told::Accepted(_))).count();
    assert_eq!(accepted, 1, "{told:?} {other:?}");
    settle().await;
    assert!(running.source.is_closed() && !running.task.is_finished());
    let far = running.far.next().await;
    far.end();
    let peer = if matches!(told, Told::Accepted(_)) { &first.peer } else { &second.peer };
    peer.send("all of it");
    peer.end();
    let summary = running.task.await.unwrap();
    assert_eq!((summary.sessions, summary.refused), (1, 2));
    assert_eq!(far.taken(), b"all of it");
    assert!(summary.last.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_session() {
    let running = start(Config { max_sessions: Some(2), ..Config::default() });
    let (mut one, mut other) = (running.source.offer(), running.source.offer());
    let (far_one, far_other) = (running.far.next().await, running.far.next().await);
    assert!(matches!(one.told().await, Told::Accepted(_)));
    assert!(matches!(other.told().await, Told::Accepted(_)));
    one.peer.panic();
    one.peer.send("x");
    settle().await;
    assert!(one.peer.is_dropped() || far_one.is_dropped() || far_other.is_dropped());
    // The other one lives, and the place is free again.
    other.peer.send("hello");
    settle().await;
    assert_eq!(far_one.taken_len() + far_other.taken_len(), 5);
    let mut third = running.source.offer();
    assert!(matches!(third.told().await, Told::Accepted(_)));
    let summary = running.finish().await;
    assert_eq!((summary.panicked, summary.sessions), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_gate_costs_one_offer() {
    struct Trap(AtomicBool);
    #[async_trait]
    impl Gate for Trap {
        async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
            assert!(self.0.swap(true, Ordering::Relaxed), "the gate panics");
            Ok(Admitted::unchanged(info))
        }
    }
    let running = start_with(Config::default(), Trap(AtomicBool::new(false)));
    assert_eq!(running.source.offer().told().await, Told::Nothing);
    assert!(matches!(running.source.offer().told().await, Told::Accepted(_)));
    assert_eq!(running.finish().await.panicked, 1);
}

#[tokio::test(start_paused = true)]
async fn listeners_share_the_limits() {
    let (connector, far) = connector();
    let connector: Arc<dyn endpoint::Connector> = Arc::new(connector);
    let route = Destination::new("test:far", connector);
    let config = Config { max_sessions: Some(1), ..Config::default() };
    let forwarder = Forwarder::new(Context::new(), OpenGate, route, config);
    let ((one, first), (other, second)) = (listener(), listener());
    let stop = Stop::new();
    let (twin, heard) = (forwarder.clone(), stop.clone());
    let task = tokio::spawn(async move {
        tokio::join!(forwarder.serve(first, heard.clone()), twin.serve(second, heard))
    });
    assert!(matches!(one.offer().told().await, Told::Accepted(_)));
    assert!(matches!(other.offer().told().await, Told::Refused(_)));
    assert_eq!(far.tried(), 1);
    stop.drain(End::eof());
    let (first, second) = task.await.unwrap();
    assert_eq!((first.sessions, second.refused), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_waits_takes_no_place_of_the_undecided() {
    let (connector, _far) = connector();
    let connector: Arc<dyn endpoint::Connector> = Arc::new(connector);
    let route = Destination::new("test:far", connector);
    let config = Config { max_undecided: 1, ..Config::default() };
    let forwarder = Forwarder::new(Context::new(), OpenGate, route, config);
    let ((_idle, first), (busy, second)) = (listener(), listener());
    let twin = forwarder.clone();
    let task = tokio::spawn(async move {
        tokio::join!(forwarder.serve(first, Stop::new()), twin.serve(second, Stop::new()))
    });
    settle().await;
    assert!(matches!(busy.offer().told().await, Told::Accepted(_)));
    task.abort();
}
