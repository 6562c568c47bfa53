//! Stopping: nothing new, a grace for what is there, and then an end with a reason.

use std::time::Duration;

use endpoint::{End, Reason, RefusalKind};
use forward::{Config, Ended};
use tokio::time::{Instant, sleep};

use crate::support::running::start;
use crate::support::{Told, settle};

const SECOND: Duration = Duration::from_secs(1);

fn restart() -> End {
    End::of(Reason::Restart)
}

#[tokio::test(start_paused = true)]
async fn the_listener_is_closed_at_once() {
    let running = start(Config::default());
    let mut offer = running.source.offer();
    assert!(matches!(offer.told().await, Told::Accepted(_)));
    running.stop.drain(restart());
    settle().await;
    assert!(running.source.is_closed() && !running.task.is_finished());
    offer.peer.end();
    running.far.next().await.end();
    settle().await;
    assert!(running.task.is_finished(), "nothing else is waited for");
}

#[tokio::test(start_paused = true)]
async fn sessions_have_their_grace_and_then_a_reason() {
    let running = start(Config::default());
    let mut offer = running.source.offer();
    assert!(matches!(offer.told().await, Told::Accepted(_)));
    let far = running.far.next().await;
    running.stop.drain(restart());
    let began = Instant::now();
    sleep(SECOND * 9).await;
    offer.peer.send("still moving");
    far.until(|peer| peer.taken_len() == 12).await;
    let summary = running.task.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 10);
    assert_eq!((offer.peer.finished(), far.finished()), (Some(restart()), Some(restart())));
    assert!(matches!(summary.last.unwrap().end, Ended::Shutdown(_)));
}

#[tokio::test(start_paused = true)]
async fn what_is_undecided_is_refused_as_busy() {
    let running = start(Config::default());
    running.far.delay(SECOND * 20);
    let mut offer = running.source.offer();
    settle().await;
    running.stop.drain(restart());
    let Told::Refused(refusal) = offer.told().await else { panic!("no refusal") };
    assert_eq!((refusal.kind, running.far.pending()), (RefusalKind::Busy, 0));
    assert_eq!(running.task.await.unwrap().refused, 1);
}

#[tokio::test(start_paused = true)]
async fn an_idle_server_stops_at_once() {
    let running = start(Config::default());
    sleep(SECOND).await;
    let began = Instant::now();
    running.finish().await;
    assert!(began.elapsed() < SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stalls_does_not_hold_up_the_end() {
    let running = start(Config::default());
    let mut offer = running.source.offer();
    assert!(matches!(offer.told().await, Told::Accepted(_)));
    let far = running.far.next().await;
    far.room(0);
    far.finishes(false);
    offer.peer.send("never read");
    settle().await;
    let began = Instant::now();
    running.finish().await;
    assert_eq!(began.elapsed().as_secs(), 10 + 5);
    assert!(far.is_dropped() && offer.peer.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_the_start_is_a_stop() {
    let running = start(Config::default());
    running.stop.drain(restart());
    assert_eq!(running.task.await.unwrap().sessions, 0);
}
