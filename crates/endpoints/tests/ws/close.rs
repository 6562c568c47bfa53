//! The side that sends Close first, the frames in between, and the codes.

use endpoint::{End, Ending, ExitStatus, Reason};

use crate::support::*;

/// 14 forwarders were asked; one answered.
#[tokio::test]
async fn request_and_close_at_once_get_the_answer_before_our_close() {
    let (mut peer, mut ws) = session("", BINARY).await;
    let mut all = masked(0x82, b"req");
    all.extend(close(1000, "done"));
    all.extend(masked(0x82, b"ignored"));
    peer.send(all).await;
    assert_eq!(ws.ending(), Ending::Handshake);
    assert_eq!(read(&mut *ws).await.unwrap(), b"req");
    assert!(read(&mut *ws).await.unwrap().is_empty(), "a Close's body is no data");
    assert_eq!(ws.end(), End::with_code(Reason::EndOfStream, 1000, "done"));
    assert!(peer.is_quiet().await, "the answer to a Close waits");
    write(&mut *ws, b"answer").await;
    finish(&mut *ws, &End::eof()).await;
    assert_eq!(peer.frame().await.unwrap().payload, b"answer");
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1000));
    assert_eq!(peer.frame().await, None, "the server ends TCP first");
}

#[tokio::test]
async fn codes_are_echoed_unless_there_is_a_better_one() {
    for (theirs, end, ours) in [
        (Some(4001), End::eof(), 4001),
        (Some(4001), End::because(Reason::Application, "bye"), 4001),
        (Some(1001), End::with_code(Reason::Application, 4002, "x"), 4002),
        (None, End::eof(), 1000),
        (Some(1000), End::with_code(Reason::Application, 1005, ""), 1000),
        (Some(1000), End::with_code(Reason::Application, 1006, ""), 1001),
        (Some(1000), End::with_code(Reason::Application, 1015, ""), 1000),
        (Some(1000), End::with_code(Reason::Application, 0, ""), 1000),
    ] {
        let (mut peer, mut ws) = session("", "").await;
        match theirs {
            Some(code) => peer.send(close(code, "")).await,
            None => peer.send(masked(0x88, b"")).await,
        }
        assert!(read(&mut *ws).await.unwrap().is_empty());
        assert_eq!(ws.end().code, theirs);
        finish(&mut *ws, &end).await;
        let close = peer.frame().await.unwrap();
        assert_eq!(close.close_code(), Some(ours));
        assert_eq!(close.reason(), end.reason);
    }
}

#[tokio::test]
async fn our_close_first_and_reading_goes_on() {
    let (mut peer, mut ws) = session("", "").await;
    finish(&mut *ws, &End::with_code(Reason::Application, 4000, "over")).await;
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(4000));
    peer.send(masked(0x82, b"still")).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"still");
    peer.send(close(4000, "")).await;
    assert!(read(&mut *ws).await.unwrap().is_empty());
    assert_eq!(peer.frame().await, None, "the server ends TCP after both Closes");
}

#[tokio::test]
async fn no_pong_follows_our_close() {
    let (mut peer, mut ws) = session("", "").await;
    finish(&mut *ws, &End::eof()).await;
    peer.send(masked(0x89, b"there?")).await;
    peer.send(close(1000, "")).await;
    assert!(read(&mut *ws).await.unwrap().is_empty());
    assert_eq!(peer.frame().await.unwrap().first, 0x88);
    assert_eq!(peer.frame().await, None);
}

#[tokio::test]
async fn an_end_without_close_is_1006_and_still_answered() {
    use tokio::io::AsyncWriteExt;
    let (mut peer, mut ws) = session("", "").await;
    peer.send(masked(0x82, b"last")).await;
    peer.io.shutdown().await.unwrap();
    assert_eq!(read(&mut *ws).await.unwrap(), b"last");
    assert!(read(&mut *ws).await.unwrap().is_empty());
    assert_eq!(ws.end().code, Some(1006));
    finish(&mut *ws, &End::eof()).await;
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1000));
    assert_eq!(peer.frame().await, None);
}

#[tokio::test]
async fn a_peer_that_is_gone_is_no_error_to_finish_with() {
    let (peer, mut ws) = session("", "").await;
    drop(peer);
    while let Ok(read) = read(&mut *ws).await {
        if read.is_empty() {
            break;
        }
    }
    finish(&mut *ws, &End::eof()).await;
}

#[tokio::test]
async fn reasons_are_cut_between_characters_and_programs_have_one() {
    let (mut peer, mut ws) = session("", "").await;
    finish(&mut *ws, &End::because(Reason::Application, "ü".repeat(100))).await;
    assert_eq!(peer.frame().await.unwrap().reason(), "ü".repeat(61));

    let (mut peer, mut ws) = session("", "").await;
    finish(&mut *ws, &End::exited(ExitStatus::Code(3))).await;
    let close = peer.frame().await.unwrap();
    assert_eq!((close.close_code(), close.reason()), (Some(1000), "exit status 3"));
}

#[tokio::test]
async fn messages_end_as_bytes_do() {
    let (mut peer, mut ws) = messages("", "").await;
    peer.send(masked(0x01, b"half")).await;
    let part = next(&mut *ws).await.unwrap().unwrap();
    assert_eq!((&*part.data, part.last), (&b"half"[..], false));
    peer.send(close(1001, "away")).await;
    assert!(next(&mut *ws).await.is_none());
    assert_eq!(ws.end(), End::with_code(Reason::PeerLeft, 1001, "away"));
    put(&mut *ws, endpoint::Part::binary("answer")).await;
    finish(&mut *ws, &End::eof()).await;
    assert_eq!(peer.frame().await.unwrap().payload, b"answer");
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1001));
}
