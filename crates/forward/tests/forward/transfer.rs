//! Data arrives: all of it, as it was, whatever the sizes, and without a buffer growing.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use endpoint::info::Fact;
use endpoint::{Conn, Info, Part};
use forward::{Ended, Side, Stop, Timers, splice};

use crate::support::{Session, data, fake, message_fake, settle};

const SCRATCH: usize = 33 * 1024;

#[tokio::test(start_paused = true)]
async fn nothing_to_say_is_an_end_too() {
    let session = Session::new();
    session.near.end();
    session.far.end();
    let outcome = session.outcome().await;
    assert!(matches!(outcome.end, Ended::Eof(Side::Near)), "{outcome}");
    assert_eq!((outcome.sent, outcome.received), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn partial_writes_of_every_size_lose_nothing() {
    let sent = data(100);
    for size in 1..=sent.len() {
        let session = Session::with(Timers::default(), |near, far| {
            near.largest(usize::MAX, size);
            far.largest(usize::MAX, size);
        });
        let (near, far) = (session.near.clone(), session.far.clone());
        near.send(&sent);
        far.send(&sent);
        near.end();
        far.end();
        let outcome = session.outcome().await;
        assert_eq!((near.taken(), far.taken()), (sent.clone(), sent.clone()), "at {size}");
        assert_eq!((outcome.sent, outcome.received), (100, 100));
    }
}

#[tokio::test(start_paused = true)]
async fn writes_that_are_cut_short_and_made_to_wait_lose_nothing() {
    let sent = data(300);
    for room in 1..50 {
        let session = Session::with(Timers::default(), |_, far| far.room(0));
        let far = session.far.clone();
        session.near.send(&sent);
        session.near.end();
        far.end();
        while !session.is_over() {
            far.more_room(room);
            settle().await;
        }
        assert_eq!(far.taken(), sent, "{room} at a time");
        session.outcome().await;
    }
}

#[tokio::test(start_paused = true)]
async fn data_longer_than_a_turn_arrives() {
    let sent = data(3 * 1024 * 1024 + 17);
    let session = Session::new();
    let (near, far) = (session.near.clone(), session.far.clone());
    near.send(&sent);
    far.send(&sent);
    near.end();
    far.end();
    session.outcome().await;
    assert!(near.taken() == sent && far.taken() == sent);
}

#[tokio::test(start_paused = true)]
async fn what_a_writer_buffers_is_flushed_when_the_reader_has_no_more() {
    let session = Session::with(Timers::default(), |_, far| far.holds_until_flush());
    session.near.send("question");
    settle().await;
    assert_eq!(session.far.taken(), b"question");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_costs_no_more_than_one_buffer() {
    let session = Session::with(Timers::default(), |_, far| far.room(10));
    session.near.send(data(1 << 20));
    settle().await;
    assert!(session.near.handed() <= SCRATCH, "{}", session.near.handed());
    for _ in 0..100 {
        session.far.more_room(1000);
        settle().await;
        let kept = session.near.handed() - session.far.taken_len();
        assert!(kept <= SCRATCH, "{kept}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_does_not_stop_what_it_sends() {
    let session = Session::with(Timers::default(), |near, _| near.room(0));
    session.far.send(data(1 << 20));
    settle().await;
    for _ in 0..10 {
        session.near.send("more");
        settle().await;
    }
    assert_eq!(session.far.taken_len(), 40);
    assert_eq!(session.near.taken_len(), 0);
}

#[tokio::test(start_paused = true)]
async fn bytes_and_messages_meet_as_bytes() {
    let ((near, near_peer), (far, far_peer)) = (message_fake(), fake());
    let task = tokio::spawn(async move {
        let (near, far) = (Conn::messages(near, Info::new()), Conn::bytes(far, Info::new()));
        splice(near, far, &Timers::default(), &Stop::new()).await
    });
    near_peer.send(Part::binary("one"));
    near_peer.send(Part::binary(""));
    near_peer.send(Part::text("two"));
    far_peer.send("answer");
    settle().await;
    assert_eq!(far_peer.taken(), b"onetwo");
    assert_eq!(near_peer.taken(), [Part::binary("answer")]);
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_dropped_lets_both_sides_go() {
    let ((near, near_peer), (far, far_peer)) = (fake(), fake());
    let task = tokio::spawn(async move {
        let (near, far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
        splice(near, far, &Timers::default(), &Stop::new()).await
    });
    settle().await;
    task.abort();
    assert!(task.await.is_err());
    assert!(near_peer.is_dropped() && far_peer.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn what_is_held_for_a_connection_is_given_back_after_it() {
    struct After(crate::support::Peer, std::sync::mpsc::Sender<bool>);
    impl Drop for After {
        fn drop(&mut self) {
            let _ = self.1.send(self.0.is_dropped());
        }
    }
    let ((near, near_peer), (far, far_peer)) = (fake(), fake());
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut near = Conn::bytes(near, Info::new());
    near.guard = std::mem::take(&mut near.guard)
        .and(std::sync::Mutex::new(After(near_peer.clone(), sender)));
    near_peer.end();
    far_peer.end();
    splice(near, Conn::bytes(far, Info::new()), &Timers::default(), &Stop::new()).await;
    assert_eq!(receiver.recv(), Ok(true));
}

#[test]
fn an_idle_session_is_small() {
    let ((near, _), (far, _)) = (fake(), fake());
    let (timers, stop) = (Timers::default(), Stop::new());
    let (near, far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
    let size = size_of_val(&splice(near, far, &timers, &stop));
    // The size includes the wait for a stop and its grace, and the observer; the session is in a separate box.
    assert!(size <= 272, "{size}");
}

#[test]
fn a_session_is_made_outside_of_a_runtime() {
    let ((near, _), (far, _)) = (fake(), fake());
    let timers = Timers { idle: Some(Duration::from_secs(1)), ..Timers::default() };
    let (near, far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
    drop(splice(near, far, &timers, &Stop::new()));
}

#[test]
fn what_is_known_is_forgotten_when_a_session_begins() {
    #[derive(Debug)]
    struct Known(#[expect(dead_code, reason = "it is counted")] Arc<()>);

    impl Fact for Known {
        fn root(&self) -> &'static str {
            "known"
        }

        fn get(&self, _: &str) -> Option<Cow<'_, str>> {
            None
        }
    }

    let ((near, _), (far, _)) = (fake(), fake());
    let (timers, stop) = (Timers::default(), Stop::new());
    let known = Arc::new(());
    let near = Conn::bytes(near, Info::new().with(Known(Arc::clone(&known))));
    let far = Conn::bytes(far, Info::new().with(Known(Arc::clone(&known))));
    let session = splice(near, far, &timers, &stop);
    assert_eq!(Arc::strong_count(&known), 1);
    drop(session);
}
