//! The accept loop: errors, the bound on what is undecided, and the end of a listener.

use std::io;
use std::time::Duration;

use endpoint::Order;
use forward::Config;
use tokio::time::{Instant, sleep};

use crate::offers::start;
use crate::support::{Script, TestOffer, Told, settle};

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

#[tokio::test(start_paused = true)]
async fn what_is_undecided_is_bounded() {
    let running = start(Config { max_undecided: 3, ..Config::default() });
    for _ in 0..3 {
        running.source.offers(Script { stays: true, ..Script::default() });
    }
    let mut offer = running.source.offer();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(running.source.calls(), 4, "a fifth one stays in the backlog");
    assert_eq!(running.far.tried(), 0);
    running.stop.drain(endpoint::End::eof());
    assert_eq!(offer.told().await, Told::Nothing);
}

#[tokio::test(start_paused = true)]
async fn what_is_decided_makes_room() {
    let running = start(Config { max_undecided: 1, ..Config::default() });
    // Each connection stays open beside its session, as one with keep-alive does.
    let mut peers = Vec::new();
    for _ in 0..5 {
        let (offer, peer) = TestOffer::new(Order::ConnectFirst);
        running.source.offers(Script { offers: [Some(offer)].into(), stays: true });
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
