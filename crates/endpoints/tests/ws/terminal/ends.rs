//! The ends of both directions, and of the program.

use super::*;

#[tokio::test]
async fn each_direction_ends_by_itself() {
    let (mut peer, mut ws, _control) = open().await;
    peer.send(masked(0x82, b"last")).await;
    peer.send(text(r#"{"type":"eof"}"#)).await;
    assert_eq!(read_exact(&mut *ws, 4).await, b"last");
    assert_eq!(read(&mut *ws).await.unwrap(), b"");
    assert_eq!(ws.ending(), Ending::HalfClose);
    // The other one goes on, and pings are answered meanwhile.
    peer.send(masked(0x89, b"!")).await;
    live(&mut *ws).await;
    hello(&mut peer).await;
    assert_eq!(peer.frame().await.unwrap().first, 0x8a);
    write(&mut *ws, b"answer").await;
    assert_eq!(peer.frame().await.unwrap().payload, b"answer");
    finish(&mut *ws, &End::exited(ExitStatus::Code(3))).await;
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"exit","status":3}"#);
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"eof"}"#);
    let talk = async {
        let frame = peer.frame().await.unwrap();
        assert_eq!((frame.close_code(), frame.reason()), (Some(1000), "exit status 3"));
        peer.send(close(1000, "")).await;
        assert!(peer.is_over().await);
    };
    tokio::join!(leave(&mut *ws), talk);
}

#[tokio::test]
async fn an_exit_is_said_once() {
    let (mut peer, mut ws, control) = open().await;
    control.incoming.as_ref().unwrap().send(Signal::Exit(ExitStatus::Signal(15))).unwrap();
    finish(&mut *ws, &End::exited(ExitStatus::Signal(15))).await;
    hello(&mut peer).await;
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"exit","signal":15}"#);
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"eof"}"#);
}

#[tokio::test]
async fn our_input_goes_on_after_our_end() {
    let (mut peer, mut ws, _control) = open().await;
    finish(&mut *ws, &End::eof()).await;
    hello(&mut peer).await;
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"eof"}"#);
    peer.send(masked(0x82, b"more")).await;
    assert_eq!(read_exact(&mut *ws, 4).await, b"more");
    peer.send(close(1001, "")).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"");
    assert_eq!((ws.end().code, ws.ending()), (Some(1001), Ending::Handshake));
    leave(&mut *ws).await;
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1000));
    assert!(peer.is_over().await);
}

#[tokio::test]
async fn a_close_ends_both() {
    let (mut peer, mut ws, _control) = open().await;
    live(&mut *ws).await;
    hello(&mut peer).await;
    peer.send(close(1001, "bye")).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"");
    assert_eq!(
        (ws.end(), ws.ending()),
        (End::with_code(Reason::PeerLeft, 1001, "bye"), Ending::Handshake)
    );
    finish(&mut *ws, &End::eof()).await;
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1001));
    assert!(peer.is_over().await);
}

#[tokio::test]
async fn who_leaves_after_its_eof_is_missed() {
    for word in [close(1000, ""), Vec::new()] {
        let (mut peer, mut ws, _control) = open().await;
        peer.send(text(r#"{"type":"eof"}"#)).await;
        assert_eq!(read(&mut *ws).await.unwrap(), b"");
        live(&mut *ws).await;
        peer.send(&word).await;
        if word.is_empty() {
            drop(peer);
        }
        let beside = poll_fn(|cx| ws.poll_background(cx));
        timeout(LONG, beside).await.unwrap();
    }
}

#[tokio::test]
async fn data_after_eof_is_a_mistake() {
    let (mut peer, mut ws, _control) = open().await;
    peer.send(text(r#"{"type":"eof"}"#)).await;
    peer.send(masked(0x82, b"")).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"");
    live(&mut *ws).await;
    hello(&mut peer).await;
    peer.send(masked(0x82, b"x")).await;
    timeout(LONG, poll_fn(|cx| ws.poll_background(cx))).await.unwrap();
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1008));
}
