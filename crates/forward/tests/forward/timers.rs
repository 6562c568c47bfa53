//! Timers, by a clock that is paused: they come when they are due, not before and not later.

use std::time::Duration;

use endpoint::{End, Ending, PeerState, Reason};
use forward::{Ended, Side, Timers};
use tokio::time::{sleep, timeout};

use crate::support::{Known, Session, settle};

const SECOND: Duration = Duration::from_secs(1);

fn idle(seconds: u64) -> Timers {
    Timers { idle: Some(SECOND * seconds as u32), ..Timers::default() }
}

#[tokio::test(start_paused = true)]
async fn an_open_session_lives_for_ever() {
    let session = Session::new();
    sleep(SECOND * 3600 * 24 * 365).await;
    assert!(!session.is_over());
    session.near.send("still there");
    settle().await;
    assert_eq!(session.far.taken(), b"still there");
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_session_lingers_for_a_minute_after_the_last_byte() {
    let session = Session::new();
    let (near, far) = (session.near.clone(), session.far.clone());
    sleep(SECOND * 1000).await;
    near.end();
    for _ in 0..5 {
        sleep(SECOND * 50).await;
        far.send("x");
    }
    let outcome = session.outcome().await;
    assert!(matches!(outcome.end, Ended::Linger(_)), "{outcome}");
    assert_eq!(outcome.duration.as_secs(), 1000 + 250 + 60);
    assert_eq!(near.finished(), Some(End::of(Reason::Linger)));
    assert_eq!(near.taken(), b"xxxxx");
    let words = "ended by us: client had left, destination went on for too long; ";
    assert!(outcome.to_string().starts_with(words), "{outcome}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_say_how_long_its_close_takes() {
    for (own, seconds) in [(None, 5), (Some(SECOND * 2), 2), (Some(SECOND * 30), 30)] {
        let session = Session::with(Timers::default(), |near, _| {
            near.ending(Ending::Handshake);
            if let Some(own) = own {
                near.close_timeout(own);
            }
        });
        session.near.end();
        let outcome = session.outcome().await;
        assert_eq!(outcome.duration.as_secs(), seconds, "{own:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn lingering_can_be_for_ever() {
    let timers = Timers { linger: None, ..Timers::default() };
    let session = Session::with(timers, |_, _| {});
    session.near.end();
    sleep(SECOND * 100_000).await;
    session.far.send("late");
    session.far.end();
    let near = session.near.clone();
    session.outcome().await;
    assert_eq!(near.taken(), b"late");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_never_flushes_does_not_hold_a_session_that_both_have_left() {
    let timers = Timers { linger: None, ..Timers::default() };
    let session = Session::with(timers, |_, far| far.flushes(false));
    session.near.send("x");
    session.near.end();
    session.far.end();
    let outcome = session.outcome().await;
    assert_eq!(outcome.duration.as_secs(), 65);
}

#[tokio::test(start_paused = true)]
async fn idle_counts_from_the_last_byte_either_way() {
    let session = Session::with(idle(10), |_, _| {});
    let (near, far) = (session.near.clone(), session.far.clone());
    for _ in 0..3 {
        sleep(SECOND * 9).await;
        near.send("x");
        sleep(SECOND * 9).await;
        far.send("y");
    }
    let outcome = session.outcome().await;
    assert!(matches!(outcome.end, Ended::Idle), "{outcome}");
    assert_eq!(outcome.duration.as_secs(), 54 + 10);
    let end = Some(End::of(Reason::Idle));
    assert_eq!((near.finished(), far.finished()), (end.clone(), end));
}

#[tokio::test(start_paused = true)]
async fn an_idle_timeout_beyond_the_linger_does_not_prolong_it() {
    let session = Session::with(idle(1000), |_, _| {});
    session.near.end();
    let outcome = session.outcome().await;
    assert!(matches!(outcome.end, Ended::Linger(_)), "{outcome}");
    assert_eq!(outcome.duration.as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_not_taken_is_waited_for_as_long_as_close_says() {
    let session = Session::with(Timers::default(), |_, far| far.finishes(false));
    session.far.end();
    session.near.end();
    let outcome = session.outcome().await;
    // Once while nothing moves, and once more for the last words.
    assert_eq!(outcome.duration.as_secs(), 10);
    assert!(matches!(outcome.end, Ended::Linger(_)), "{outcome}");
    assert!(outcome.to_string().contains("did not read the rest"), "{outcome}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stalls_does_not_hold_a_session_for_ever() {
    let session = Session::with(Timers::default(), |_, far| far.room(0));
    session.near.send("x");
    session.near.end();
    session.far.end();
    let outcome = session.outcome().await;
    assert_eq!(outcome.duration.as_secs(), 65);
    assert!(matches!(outcome.end, Ended::Linger(_)), "{outcome}");
    assert_eq!(outcome.sent, 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_a_session_its_grace() {
    let session = Session::new();
    let (near, far) = (session.near.clone(), session.far.clone());
    settle().await;
    session.stop.drain(End::of(Reason::Restart));
    sleep(SECOND * 9).await;
    near.send("still moving");
    settle().await;
    assert_eq!(far.taken(), b"still moving");
    assert!(far.finished().is_none());
    let outcome = session.outcome().await;
    let end = End::of(Reason::Restart);
    assert_eq!((near.finished(), far.finished()), (Some(end.clone()), Some(end.clone())));
    assert!(matches!(&outcome.end, Ended::Shutdown(said) if *said == end), "{outcome}");
    assert_eq!(outcome.duration.as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_within_the_grace_ends_by_itself() {
    let session = Session::new();
    settle().await;
    session.stop.drain(End::of(Reason::Restart));
    session.near.end();
    session.far.end();
    let outcome = session.outcome().await;
    assert!(matches!(outcome.end, Ended::Eof(Side::Near)), "{outcome}");
    assert!(outcome.duration < SECOND);
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_twice_does_not_wait_for_the_grace() {
    let session = Session::with(Timers::default(), |_, far| far.finishes(false));
    settle().await;
    session.stop.drain(End::of(Reason::Restart));
    sleep(SECOND).await;
    session.stop.end();
    let outcome = session.outcome().await;
    assert!(matches!(outcome.end, Ended::Shutdown(_)), "{outcome}");
    assert_eq!(outcome.duration.as_secs(), 1 + 5);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_the_grace_what_was_read_is_still_written() {
    let session = Session::with(Timers::default(), |_, far| far.room(0));
    let far = session.far.clone();
    session.near.send("tail");
    settle().await;
    session.stop.drain(End::of(Reason::Restart));
    sleep(SECOND * 12).await;
    assert!(!session.is_over());
    far.more_room(100);
    session.outcome().await;
    assert_eq!(far.taken(), b"tail");
    assert!(far.finished().is_some());
}

/// A Unix socket or a pipe has taken as much as it can whenever nothing waits in it.
#[tokio::test(start_paused = true)]
async fn a_side_that_has_taken_all_is_no_progress() {
    let known = |proven, pending, state| Known { proven, overdue: None, pending, state };
    let session = Session::with(idle(10), |near, far| {
        near.knows(known(true, 1000, PeerState::Open));
        far.knows(known(false, 0, PeerState::Open));
    });
    session.near.room(0);
    session.far.send("something");
    let outcome = timeout(SECOND * 60, session.outcome()).await.expect("it ends as idle");
    assert!(matches!(outcome.end, Ended::Idle), "{outcome}");

    let session = Session::with(Timers::default(), |near, far| {
        near.knows(known(true, 0, PeerState::Open));
        far.knows(known(false, 0, PeerState::Open));
    });
    session.far.room(0);
    session.near.send("something");
    settle().await;
    session.near.knows(known(true, 0, PeerState::Gone));
    let outcome = timeout(SECOND * 60, session.outcome()).await.expect("its client is gone");
    assert!(matches!(outcome.end, Ended::Error(Side::Near, _)) && outcome.cut, "{outcome}");
}
