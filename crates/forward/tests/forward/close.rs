//! Ends: the side that ends first, the way that its kind of stream ends, and the data that still gets through.

use std::time::Duration;

use endpoint::{End, Ending, ExitStatus, PeerState, Reason};
use forward::{Ended, Side, Timers};
use tokio::time::{Instant, sleep};

use crate::support::{Known, Session, data, settle};

/// Either side, first and second.
type Pick = fn(&Session) -> (&crate::support::Peer, &crate::support::Peer);
const WAYS: [(Side, Pick); 2] =
    [(Side::Near, |s| (&s.near, &s.far)), (Side::Far, |s| (&s.far, &s.near))];

#[tokio::test(start_paused = true)]
async fn a_late_reply_arrives_after_a_half_close_either_way() {
    for (side, pick) in WAYS {
        let session = Session::new();
        let (first, second) = pick(&session);
        let (first, second) = (first.clone(), second.clone());
        first.send("request");
        first.end();
        settle().await;
        assert_eq!((second.taken(), second.finished()), (b"request".to_vec(), Some(End::eof())));
        assert!(first.finished().is_none() && !session.is_over());
        sleep(Duration::from_secs(59)).await;
        second.send("reply");
        second.end();
        let outcome = session.outcome().await;
        assert_eq!((first.taken(), first.finished()), (b"reply".to_vec(), Some(End::eof())));
        assert!(matches!(outcome.end, Ended::Eof(at) if at == side), "{outcome}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_is_said_after_the_last_byte() {
    for (_, pick) in WAYS {
        let session = Session::new();
        let (first, second) = pick(&session);
        second.room(3);
        first.send("request");
        first.end();
        settle().await;
        assert_eq!((second.taken(), second.finished()), (b"req".to_vec(), None));
        second.more_room(4);
        settle().await;
        assert_eq!((second.taken(), second.finished()), (b"request".to_vec(), Some(End::eof())));
    }
}

/// A session ends more often than anything else happens to it: an ordinary end takes one system call a side.
#[tokio::test(start_paused = true)]
async fn a_peer_that_has_everything_is_asked_nothing_else() {
    let all_taken = Known { proven: true, overdue: None, pending: 0, state: PeerState::Open };
    let session = Session::new();
    for peer in [&session.near, &session.far] {
        peer.knows(all_taken);
        peer.send("data");
        peer.end();
    }
    let (near, far) = (session.near.clone(), session.far.clone());
    let outcome = session.outcome().await;
    assert!(matches!(outcome.end, Ended::Eof(_)) && !outcome.cut, "{outcome}");
    assert_eq!((near.looks(), far.looks()), (0, 0));
}

/// A server that closes at our end acknowledges it with its own, no sooner.
#[tokio::test(start_paused = true)]
async fn a_peer_that_acknowledges_with_its_end_is_asked_then() {
    let waits = Known { proven: true, overdue: None, pending: 1, state: PeerState::Open };
    let session = Session::new();
    session.far.knows(waits);
    session.near.send("data");
    session.near.end();
    session.far.until(|far| far.finished().is_some()).await;
    session.far.knows(Known { pending: 0, ..waits });
    session.far.end();
    let (far, began) = (session.far.clone(), Instant::now());
    session.outcome().await;
    assert!(far.looks() == 0 && began.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_has_not_everything_is_looked_at_a_moment_later() {
    let waits = Known { proven: true, overdue: None, pending: 5, state: PeerState::Open };
    let session = Session::new();
    session.far.knows(waits);
    session.near.send("data");
    session.near.end();
    session.far.end();
    settle().await;
    assert!(session.far.finished().is_some() && !session.is_over());
    session.far.knows(Known { pending: 0, ..waits });
    let (far, began) = (session.far.clone(), Instant::now());
    session.outcome().await;
    assert!(far.looks() == 1 && began.elapsed() <= Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn reasons_reach_the_other_side() {
    for (side, pick) in WAYS {
        let session = Session::new();
        let (first, second) = pick(&session);
        let second = second.clone();
        let end = End::exited(ExitStatus::Code(3));
        first.end_with(end.clone());
        second.until(|peer| peer.finished().is_some()).await;
        assert_eq!(second.finished(), Some(end.clone()));
        second.end();
        let outcome = session.outcome().await;
        assert_eq!(outcome.said(side), Some(&end));
        let how = if side == Side::Near { "left" } else { "ended" };
        let line = outcome.to_string();
        assert!(line.starts_with(&format!("{side} {how} (exit status 3); ")), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_handshake_end_the_answer_still_gets_through() {
    for (side, pick) in WAYS {
        let session = Session::new();
        let (first, second) = pick(&session);
        let (first, second) = (first.clone(), second.clone());
        first.ending(Ending::Handshake);
        first.end_with(End::with_code(Reason::EndOfStream, 1000, "bye"));
        settle().await;
        assert_eq!(second.finished(), Some(End::with_code(Reason::EndOfStream, 1000, "bye")));
        sleep(Duration::from_secs(4)).await;
        second.send("answer");
        settle().await;
        assert_eq!((first.taken(), first.finished()), (b"answer".to_vec(), None));
        second.end_with(End::because(Reason::Application, "done"));
        let outcome = session.outcome().await;
        assert_eq!(first.finished(), Some(End::because(Reason::Application, "done")));
        assert!(matches!(outcome.end, Ended::Eof(at) if at == side), "{outcome}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_end_is_answered_in_its_own_terms_when_nothing_else_comes() {
    for (side, pick) in WAYS {
        let session = Session::new();
        let (first, _) = pick(&session);
        let first = first.clone();
        let began = Instant::now();
        first.ending(Ending::Handshake);
        first.end_with(End::with_code(Reason::EndOfStream, 1000, ""));
        let outcome = session.outcome().await;
        assert_eq!(first.finished(), Some(End::with_code(Reason::EndOfStream, 1000, "")));
        assert!(matches!(outcome.end, Ended::Eof(at) if at == side), "{outcome}");
        assert_eq!(began.elapsed().as_secs(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_is_free_soon_after_its_user_has_half_closed() {
    let session = Session::with(Timers::default(), |_, far| far.ending(Ending::Whole));
    let began = Instant::now();
    session.near.send("AT");
    session.near.end();
    settle().await;
    sleep(Duration::from_secs(4)).await;
    // The answer still gets through, and the time begins again with it.
    session.far.send("OK");
    let near = session.near.clone();
    let outcome = session.outcome().await;
    assert_eq!(near.taken(), b"OK");
    assert!(matches!(outcome.end, Ended::Eof(Side::Near)), "{outcome}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_does_not_outlive_a_handshake_for_long() {
    let session = Session::with(Timers::default(), |near, _| near.ending(Ending::Handshake));
    let began = Instant::now();
    session.near.end();
    while !session.is_over() {
        session.far.send("tick");
        sleep(Duration::from_secs(1)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(70), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn when_a_whole_stream_ends_it_is_over_once_the_rest_is_delivered() {
    for (side, pick) in WAYS {
        let session = Session::new();
        let (first, second) = pick(&session);
        let (first, second) = (first.clone(), second.clone());
        first.ending(Ending::Whole);
        second.room(2);
        first.send("last words");
        first.end();
        settle().await;
        assert!(!session.is_over());
        let began = Instant::now();
        second.more_room(100);
        let outcome = session.outcome().await;
        assert_eq!(second.taken(), b"last words");
        assert!(second.finished().is_some());
        assert!(matches!(outcome.end, Ended::Eof(at) if at == side), "{outcome}");
        assert!(began.elapsed() < Duration::from_secs(1), "nothing else is waited for");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_stream_may_answer_the_end_of_a_whole_one() {
    let session = Session::with(Timers::default(), |near, far| {
        near.ending(Ending::Handshake);
        far.ending(Ending::Whole);
    });
    session.far.end();
    settle().await;
    assert!(session.near.finished().is_some() && !session.is_over());
    session.near.end();
    settle().await;
    assert!(session.is_over());
}

#[tokio::test(start_paused = true)]
async fn every_pair_of_endings_comes_to_an_end_whoever_begins() {
    const ENDINGS: [Ending; 3] = [Ending::HalfClose, Ending::Handshake, Ending::Whole];
    for near in ENDINGS {
        for far in ENDINGS {
            for (side, pick) in WAYS {
                let session = Session::with(Timers::default(), |n, f| {
                    n.ending(near);
                    f.ending(far);
                });
                let (first, second) = pick(&session);
                let (first, second) = (first.clone(), second.clone());
                first.send("data");
                first.end();
                second.until(|peer| peer.finished().is_some()).await;
                let outcome = session.outcome().await;
                assert_eq!(second.taken(), b"data", "{near:?} {far:?} {side}");
                assert!(!matches!(outcome.end, Ended::Error(..)), "{outcome}");
                assert!(outcome.duration <= Duration::from_secs(66), "{outcome}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_reader_that_starts_late_gets_everything() {
    let session = Session::with(Timers::default(), |near, _| near.room(0));
    let near = session.near.clone();
    let sent = data(1 << 20);
    session.far.send(&sent);
    session.far.end();
    near.end();
    sleep(Duration::from_secs(59)).await;
    // Slow, but it moves: it is never cut.
    while near.taken_len() < sent.len() {
        near.more_room(40_000);
        sleep(Duration::from_secs(30)).await;
    }
    let outcome = session.outcome().await;
    assert!(near.taken() == sent);
    assert!(matches!(outcome.end, Ended::Eof(_)), "{outcome}");
}

#[tokio::test(start_paused = true)]
async fn a_side_that_goes_on_sending_is_read_after_its_end_was_said() {
    // Otherwise its socket would be reset, and what it hasn't read yet be lost.
    let session = Session::with(Timers::default(), |_, far| far.ending(Ending::Whole));
    let near = session.near.clone();
    session.far.room(0);
    near.send(data(1 << 20));
    settle().await;
    session.far.send("goodbye");
    session.far.end();
    settle().await;
    assert_eq!(near.taken(), b"goodbye");
    assert_eq!(near.handed(), 1 << 20, "all of it is read");
    assert!(!session.is_over(), "it is sending still");
    near.end();
    settle().await;
    assert!(session.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_side_that_never_stops_sending_is_left_in_the_end() {
    let session = Session::with(Timers::default(), |_, far| far.ending(Ending::Whole));
    let began = Instant::now();
    session.near.send("x");
    session.far.room(0);
    session.far.end();
    while !session.is_over() {
        session.near.send("x");
        sleep(Duration::from_millis(100)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_side_that_sends_as_fast_as_it_can_is_not_read_for_long() {
    let session = Session::with(Timers::default(), |_, far| far.ending(Ending::Whole));
    let near = session.near.clone();
    session.far.room(0);
    near.send(data(64 << 20));
    session.far.end();
    let outcome = session.outcome().await;
    assert!(outcome.duration < Duration::from_secs(1), "{outcome}");
    assert!(near.handed() < 10 << 20, "{}", near.handed());
}

/// A client that half-closes, as `nc` does at the end of its input, and pauses for ten minutes in the middle of a long
/// answer, whatever kind of destination gives that answer.
#[tokio::test(start_paused = true)]
async fn a_half_closed_client_that_reads_slowly_gets_the_whole_answer() {
    for ending in [Ending::HalfClose, Ending::Handshake, Ending::Whole] {
        for broken in [false, true] {
            let session = Session::with(Timers::default(), |near, far| {
                far.ending(ending);
                near.room(1000);
                for peer in [near, far] {
                    peer.knows(Known { proven: true, ..Known::default() });
                }
            });
            let (near, far) = (session.near.clone(), session.far.clone());
            near.send("question");
            far.send(data(100_000));
            settle().await;
            if broken {
                // The destination has closed its input.
                far.break_pipe();
                near.send("more");
            } else {
                near.end();
            }
            for _ in 0..3 {
                sleep(Duration::from_secs(600)).await;
                assert!(!session.is_over(), "{ending:?}: slow was taken for gone");
                near.more_room(10_000);
            }
            near.more_room(usize::MAX);
            far.end();
            let outcome = session.outcome().await;
            assert_eq!(near.taken_len(), 100_000, "{ending:?} {broken}: {outcome}");
        }
    }
}
