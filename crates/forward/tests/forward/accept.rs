//! The accept loop: errors, the bound on what is undecided, and the end of a listener.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use endpoint::info::Tcp;
use endpoint::{AcceptPolicy, Context, Incoming, Info};
use forward::{Config, Destination, Forwarder, OpenGate, Stop};
use tokio::time::{Instant, sleep};

use crate::support::running::{Running, start};
use crate::support::{Script, TestOffer, Told, connector, listener, settle};

#[tokio::test(start_paused = true)]
async fn an_error_of_one_connection_is_followed_by_the_next_at_once() {
    let running = start(Config::default());
    let began = Instant::now();
    for _ in 0..100 {
        running.source.error(io::ErrorKind::ConnectionAborted);
    }
    assert!(matches!(running.source.offer().told().await, Told::Accepted(_)));
    assert!(began.elapsed() < Duration::from_millis(10));
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn other_errors_are_followed_by_a_pause_that_grows_to_a_second() {
    let running = start(Config::default());
    for _ in 0..100 {
        running.source.error(io::ErrorKind::Other);
    }
    sleep(Duration::from_millis(1600)).await;
    // 50, 100, 200, 400 and 800 ms: no hot loop.
    assert!(running.source.calls() <= 6, "{}", running.source.calls());
    let began = Instant::now();
    assert!(matches!(running.source.offer().told().await, Told::Accepted(_)));
    let seconds = began.elapsed().as_secs();
    assert!((90..=100).contains(&seconds), "{seconds}");
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_is_over_waits_for_its_sessions() {
    let running = start(Config::default());
    let mut offer = running.source.offer();
    assert!(matches!(offer.told().await, Told::Accepted(_)));
    let far = running.far.next().await;
    drop(running.source);
    sleep(Duration::from_secs(100)).await;
    assert!(!running.task.is_finished());
    offer.peer.end();
    far.end();
    assert_eq!(running.task.await.unwrap().sessions, 1);
}

const SECOND: Duration = Duration::from_secs(1);

/// Opens a connection of a silent peer at `address`. The returned handle is shared while the connection is there.
fn silent(running: &Running, address: [u8; 4]) -> Arc<()> {
    let there = Arc::new(());
    let script = Script { stays: true, _there: Some(Arc::clone(&there)), ..Script::default() };
    running.source.incoming(Incoming::new(from(address), script));
    there
}

fn from(address: [u8; 4]) -> Info {
    Info::new().with(Tcp { local: ([127, 0, 0, 1], 9).into(), peer: (address, 9).into() })
}

fn count(connections: &[Arc<()>]) -> usize {
    connections.iter().filter(|there| Arc::strong_count(there) > 1).count()
}

#[tokio::test(start_paused = true)]
async fn the_most_silent_connection_makes_room_for_a_new_one() {
    let running = start(Config { max_undecided: 3, ..Config::default() });
    let mut crowd = Vec::new();
    for _ in 0..5 {
        crowd.push(silent(&running, [127, 0, 0, 1]));
    }
    sleep(SECOND).await;
    assert_eq!((count(&crowd), count(&crowd[2..])), (3, 3), "the oldest ones go");
    let began = Instant::now();
    assert!(matches!(running.source.offer().told().await, Told::Accepted(_)));
    assert!(began.elapsed() < Duration::from_millis(10));
    assert_eq!(running.finish().await.lost, 3);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_fills_a_listener_pays_for_it() {
    let running = start(Config { max_undecided: 10, ..Config::default() });
    let alone = silent(&running, [127, 1, 0, 1]);
    settle().await;
    let crowd: Vec<_> = (0..50).map(|n| silent(&running, [127, 0, 0, n])).collect();
    sleep(SECOND).await;
    assert_eq!((count(&[alone]), count(&crowd)), (1, 9));
    running.finish().await;
}

/// As after a restart, behind a proxy: no client is silent, and the destination is far away.
#[tokio::test(start_paused = true)]
async fn clients_that_come_all_at_once_are_all_served() {
    let running = start(Config { max_undecided: 10, ..Config::default() });
    for _ in 0..100 {
        running.far.delay(Duration::from_millis(100));
    }
    let mut crowd: Vec<_> = (0..100).map(|_| running.source.offer()).collect();
    for offer in &mut crowd {
        assert!(matches!(offer.told().await, Told::Accepted(_)));
    }
    assert_eq!(running.finish().await.lost, 0);
}

#[tokio::test(start_paused = true)]
async fn an_undecided_offer_makes_room_too() {
    let running = start(Config { max_undecided: 2, ..Config::default() });
    for _ in 0..2 {
        running.far.delay(Duration::from_secs(20));
    }
    let mut first = running.source.offer();
    let mut second = running.source.offer();
    settle().await;
    let mut third = running.source.offer();
    assert_eq!(first.told().await, Told::Nothing);
    assert!(matches!(third.told().await, Told::Accepted(_)));
    assert!(matches!(second.told().await, Told::Accepted(_)));
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_silent_clients_of_one_listener_delay_no_other_listener() {
    let (connector, _far) = connector();
    let route = Destination::new("test:far", Arc::new(connector) as Arc<dyn endpoint::Connector>);
    let config = Config { max_undecided: 100, max_undecided_total: 150, ..Config::default() };
    let forwarder = Forwarder::new(Context::new(), OpenGate, route, config);
    let ((flooded, first), (quiet, second)) = (listener(), listener());
    let twin = forwarder.clone();
    let task = tokio::spawn(async move {
        tokio::join!(forwarder.serve(first, Stop::new()), twin.serve(second, Stop::new()))
    });
    let mut patient = Vec::new();
    for n in 0..60 {
        let there = Arc::new(());
        let script = Script { stays: true, _there: Some(Arc::clone(&there)), ..Script::default() };
        quiet.incoming(Incoming::new(from([10, 0, n, 1]), script));
        patient.push(there);
    }
    settle().await;
    for _ in 0..1000 {
        flooded.offers(Script { stays: true, ..Script::default() });
    }
    settle().await;
    assert_eq!(count(&patient), 60);
    let began = Instant::now();
    assert!(matches!(quiet.offer().told().await, Told::Accepted(_)));
    assert!(began.elapsed() < Duration::from_millis(10));
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn when_files_run_out_the_most_silent_connection_is_closed() {
    let running = start(Config::default());
    let crowd = [silent(&running, [127, 0, 0, 1]), silent(&running, [127, 0, 0, 2])];
    sleep(Duration::from_secs(2)).await;
    let began = Instant::now();
    running.source.fails(io::Error::from_raw_os_error(24));
    assert!(matches!(running.source.offer().told().await, Told::Accepted(_)));
    assert!(began.elapsed() < Duration::from_millis(20));
    assert_eq!((count(&crowd[..1]), count(&crowd[1..])), (0, 1));
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_decided_makes_room() {
    let running = start(Config { max_undecided: 1, ..Config::default() });
    // Each connection stays open during its session, as one with keep-alive does.
    let mut peers = Vec::new();
    for _ in 0..5 {
        let (offer, peer) = TestOffer::new(AcceptPolicy::ConnectFirst);
        running.source.offers(Script { offers: [Some(offer)].into(), stays: true, _there: None });
        peers.push(peer);
    }
    for peer in &mut peers {
        assert!(matches!(peer.told().await, Told::Accepted(_)));
    }
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn dropping_the_server_closes_everything() {
    let running = start(Config::default());
    let mut open = running.source.offer();
    assert!(matches!(open.told().await, Told::Accepted(_)));
    let far = running.far.next().await;
    running.far.delay(Duration::from_secs(20));
    let mut dialling = running.source.offer();
    settle().await;
    running.task.abort();
    settle().await;
    assert!(open.peer.is_dropped() && far.is_dropped() && dialling.peer.is_dropped());
    assert_eq!((dialling.told().await, running.far.pending()), (Told::Nothing, 0));
    assert!(running.source.is_closed());
}
