//! A stream that fails at operation n, for every n: no panic, no hang, nothing lost that need not
//! be, and the outcome names the side that failed.

use std::io;
use std::time::Duration;

use endpoint::{End, Ending, Reason};
use forward::{Act, Ended, Side, Timers};

use crate::support::{Op, Peer, Session, settle};

/// Both sides say three things and end.
fn talk(near: &Peer, far: &Peer) {
    for peer in [near, far] {
        peer.largest(4, 3);
        peer.send("one two ");
        peer.send("three four ");
        peer.send("five six");
        peer.end();
    }
}
const SAID: &[u8] = b"one two three four five six";

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_at_any_operation() {
    for ending in [Ending::HalfClose, Ending::Handshake, Ending::Whole] {
        for side in [Side::Near, Side::Far] {
            for op in [Op::Read, Op::Write, Op::Flush, Op::Finish] {
                for at in 1.. {
                    if !fails_at(ending, side, op, at).await {
                        break;
                    }
                }
            }
        }
    }
}

/// Returns `true` if operation `at` was reached and failed.
async fn fails_at(ending: Ending, side: Side, op: Op, at: usize) -> bool {
    let session = Session::with(Timers::default(), |near, far| {
        near.ending(ending);
        far.ending(ending);
        if side == Side::Near { near } else { far }.fails(op, at);
        talk(near, far);
    });
    let (near, far) = (session.near.clone(), session.far.clone());
    let (failing, other) = if side == Side::Near { (near, far) } else { (far, near) };
    let outcome = session.outcome().await;
    let context = format!("{ending:?} {side} {op:?} {at}: {outcome}");
    if !failing.has_failed() {
        return false;
    }
    assert!(outcome.duration < Duration::from_secs(6), "{context}");
    let Ended::Error(who, failure) = &outcome.end else { panic!("no error: {context}") };
    assert_eq!(*who, side, "{context}");
    let act = match op {
        Op::Read => Act::Read,
        Op::Write | Op::Flush => Act::Write,
        Op::Finish => Act::Finish,
    };
    assert_eq!(failure.act, act, "{context}");
    // Everything that the failed side handed over before is delivered; and all of it, if it could still
    // speak; but it isn't delivered where the end of the other side's data was the end of both directions.
    assert_eq!(other.taken(), SAID[..failing.handed()], "{context}");
    if op != Op::Read && ending != Ending::Whole {
        assert_eq!(other.taken(), SAID, "{context}");
    }
    assert!(
        ending == Ending::Whole || other.finished().is_some(),
        "the other side is told: {context}"
    );
    true
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_a_reset_is_delivered() {
    let session = Session::with(Timers::default(), |_, far| far.room(0));
    let far = session.far.clone();
    session.near.send("before");
    settle().await;
    session.near.reset();
    far.more_room(2);
    settle().await;
    far.more_room(100);
    let outcome = session.outcome().await;
    assert_eq!(far.taken(), b"before");
    assert_eq!(far.finished(), Some(End::because(Reason::Failed, "connection reset")));
    assert!(matches!(outcome.end, Ended::Error(Side::Near, _)), "{outcome}");
}

#[tokio::test(start_paused = true)]
async fn after_a_reset_nobody_hears_an_answer_and_none_is_waited_for() {
    let session = Session::new();
    session.near.reset();
    let outcome = session.outcome().await;
    assert_eq!(outcome.duration.as_millis(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_closes_its_input_may_go_on() {
    let session = Session::new();
    let (near, far) = (session.near.clone(), session.far.clone());
    far.break_pipe();
    near.send("ignored");
    tokio::time::sleep(Duration::from_secs(30)).await;
    far.send("late result");
    far.end();
    let outcome = session.outcome().await;
    assert_eq!(near.taken(), b"late result");
    assert!(matches!(outcome.end, Ended::Error(Side::Far, _)), "{outcome}");
}

#[tokio::test(start_paused = true)]
async fn what_a_side_takes_no_more_is_read_and_forgotten() {
    // So that the sender isn't stalled, and what it waits for can still come.
    let session = Session::new();
    session.far.break_pipe();
    session.near.send("x");
    settle().await;
    session.near.send("more");
    settle().await;
    assert_eq!((session.near.handed(), session.far.taken_len()), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_dies_in_the_background_gives_up_what_it_had() {
    let session = Session::with(Timers::default(), |near, far| {
        far.room(0);
        near.room(0);
    });
    let (near, far) = (session.near.clone(), session.far.clone());
    near.send("read ahead");
    settle().await;
    near.die();
    far.send("for nobody");
    far.more_room(100);
    let outcome = session.outcome().await;
    assert_eq!(far.taken(), b"read ahead");
    assert_eq!(far.finished(), Some(End::because(Reason::Failed, "timed out")));
    let Ended::Error(Side::Near, failure) = &outcome.end else { panic!("{outcome}") };
    assert_eq!((failure.act, failure.error.kind()), (Act::Live, io::ErrorKind::TimedOut));
}

/// An encrypted stream whose peer is gone has not ended: half a file must not pass for a whole one.
#[tokio::test(start_paused = true)]
async fn a_connection_that_dies_before_its_end_cuts_the_other_one_if_it_says_so() {
    let session = Session::with(Timers::default(), |near, _| near.is_cut_without_its_end());
    let (near, far) = (session.near.clone(), session.far.clone());
    near.send("half a file");
    settle().await;
    near.die();
    let outcome = session.outcome().await;
    assert_eq!(far.taken(), b"half a file");
    assert!(far.finished().is_some_and(|end| end.is_cut()), "{:?}", far.finished());
    assert_eq!(outcome.reason(), Reason::Unresponsive, "{outcome}");
}

/// As above, if it is our timer or our stop that doesn't wait for the end.
#[tokio::test(start_paused = true)]
async fn a_timer_cuts_what_a_silent_encrypted_stream_has_begun() {
    let idle = Timers { idle: Some(Duration::from_secs(1)), ..Timers::default() };
    let linger = Timers { linger: Some(Duration::from_secs(1)), ..Timers::default() };
    for (timers, leaves, reason) in [(idle, false, Reason::Idle), (linger, true, Reason::Linger)] {
        for is_encrypted in [true, false] {
            let session = Session::with(timers, |_, far| {
                if is_encrypted {
                    far.is_cut_without_its_end();
                }
            });
            let (near, far) = (session.near.clone(), session.far.clone());
            far.send("half a file");
            settle().await;
            if leaves {
                near.end();
            }
            let outcome = session.outcome().await;
            assert_eq!(near.taken(), b"half a file");
            let end = near.finished().expect("it was sent one");
            assert_eq!((end.why, end.is_cut()), (reason, is_encrypted), "{outcome}");
            assert!(!outcome.is_clean(), "{outcome}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_connection_does_not_spin() {
    let session = Session::with(Timers::default(), |_, far| far.room(0));
    session.near.send("x");
    session.near.die();
    session.far.die();
    let outcome = session.outcome().await;
    assert!(outcome.duration < Duration::from_secs(1), "{outcome}");
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_seen_although_everything_stands_still() {
    // An echo towards a peer that didn't read and was reset: its writes fail, and its last data and
    // its reset are behind what the other side doesn't take until its own data is taken.
    for linger in [None, Some(Duration::from_secs(60))] {
        let timers = Timers { linger, ..Timers::default() };
        let session = Session::with(timers, |near, far| {
            near.room(0);
            far.room(0);
        });
        let (near, far) = (session.near.clone(), session.far.clone());
        near.send("question");
        far.send("answer");
        settle().await;
        near.reset();
        settle().await;
        // The far side takes again as soon as its own data goes somewhere.
        assert_eq!(far.handed(), b"answer".len());
        far.more_room(64);
        let outcome = session.outcome().await;
        assert!(matches!(outcome.end, Ended::Error(Side::Near, _)), "{outcome}");
        assert!(outcome.duration < Duration::from_secs(11), "{outcome}");
        assert_eq!(far.taken(), b"question");
    }
}
