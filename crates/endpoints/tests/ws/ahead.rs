//! Data that is read ahead while the other side takes nothing: pings get answers, a Close is seen, nothing is lost.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use endpoint::{ByteStream, End, Reason};
use tokio::time::timeout;
use websocket::Role;
use websocket::deflate::{Deflater, Params};

use crate::support::*;

/// Lets the stream read ahead, as the splice does while the other side takes nothing.
async fn read_ahead(ws: &mut dyn ByteStream) {
    poll_fn(|cx| {
        ws.poll_ahead(cx);
        Poll::Ready(())
    })
    .await;
    tokio::task::yield_now().await;
}

#[tokio::test]
async fn pings_are_answered_and_a_close_is_seen_while_nobody_reads() {
    for deflate in ["", "Sec-WebSocket-Extensions: permessage-deflate\r\n"] {
        let (mut peer, mut ws) = session(":compression=true", deflate).await;
        peer.send(masked(0x82, b"first ")).await;
        peer.send(masked(0x89, b"ping")).await;
        peer.send(masked(0x82, b"second")).await;
        for _ in 0..10 {
            read_ahead(&mut *ws).await;
        }
        let pong = peer.frame().await.unwrap();
        assert_eq!((pong.first, &*pong.payload), (0x8a, &b"ping"[..]), "{deflate:?}");
        peer.send(masked(0x88, b"\x03\xe8done")).await;
        for _ in 0..10 {
            read_ahead(&mut *ws).await;
        }
        // All of it is there for a later read, and then the end.
        assert_eq!(read_exact(&mut *ws, 12).await, b"first second");
        assert_eq!(read(&mut *ws).await.unwrap(), b"");
        assert_eq!(ws.end(), End::with_code(Reason::EndOfStream, 1000, "done"));
    }
}

#[tokio::test]
async fn what_is_read_ahead_is_bounded() {
    let (mut peer, mut ws) = session("", "").await;
    let sending = tokio::spawn(async move {
        let frame = masked(0x82, &[7; 4096]);
        let mut sent = 0;
        while sent < 1 << 20 {
            peer.send(frame.clone()).await;
            sent += 4096;
        }
        peer
    });
    for _ in 0..1000 {
        read_ahead(&mut *ws).await;
    }
    assert!(!sending.is_finished(), "a megabyte was read ahead");
    let mut got = 0;
    while got < 1 << 20 {
        got += read(&mut *ws).await.unwrap().len();
    }
    assert_eq!(got, 1 << 20);
    sending.await.unwrap();
}

/// 16 KiB that inflate to 16 MiB arrive in one read: no more of it is inflated than a reader has taken.
#[tokio::test]
async fn what_is_inflated_ahead_is_bounded() {
    const ALL: usize = 16 << 20;
    let (mut peer, mut ws) =
        session(":compression=true", "Sec-WebSocket-Extensions: permessage-deflate\r\n").await;
    let mut bomb = Vec::new();
    let params = Params {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: 15,
        client_max_window_bits: 15,
    };
    let mut deflater = Deflater::new(Role::Client, &params, 9).unwrap();
    deflater.deflate(&vec![0; ALL], true, &mut bomb);
    peer.send([masked(0xc2, &bomb), masked(0x89, b"behind it")].concat()).await;
    for _ in 0..1000 {
        read_ahead(&mut *ws).await;
    }
    timeout(Duration::ZERO, peer.frame()).await.expect_err("the ping lies behind 16 MiB");
    let mut got = 0;
    while got < ALL {
        got += read(&mut *ws).await.unwrap().len();
    }
    read_ahead(&mut *ws).await;
    assert_eq!(&*peer.frame().await.unwrap().payload, b"behind it");
}
