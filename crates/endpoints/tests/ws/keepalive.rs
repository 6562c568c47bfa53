//! Silence, with the clock in the test's hands.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::support::*;

/// Reads and lives, as the splice does, until there is an error.
async fn until_dead(ws: &mut dyn endpoint::ByteStream) -> std::io::Error {
    std::future::poll_fn(|cx| {
        if let std::task::Poll::Ready(error) = ws.poll_background(cx) {
            return std::task::Poll::Ready(error);
        }
        let mut buf = [0; 64];
        let mut buf = tokio::io::ReadBuf::new(&mut buf);
        match std::pin::Pin::new(&mut *ws).poll_read(cx, &mut buf) {
            std::task::Poll::Ready(Err(error)) => std::task::Poll::Ready(error),
            std::task::Poll::Ready(Ok(())) => {
                cx.waker().wake_by_ref();
                std::task::Poll::Pending
            }
            std::task::Poll::Pending => std::task::Poll::Pending,
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn an_idle_peer_is_pinged_and_then_dropped() {
    let (mut peer, mut ws) = session("", "").await;
    let began = Instant::now();
    let error = until_dead(&mut *ws).await;
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(began.elapsed().as_secs(), 45);
    assert_eq!(peer.frame().await.unwrap().first, 0x89);
    drop(ws);
    assert_eq!(peer.frame().await, None, "one ping was enough");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_lives() {
    let (mut peer, mut ws) = session(":ping=5:pong-timeout=2", "").await;
    let answers = async {
        for _ in 0..10 {
            let ping = peer.frame().await.unwrap();
            assert_eq!(ping.first, 0x89);
            sleep(Duration::from_secs(1)).await;
            peer.send(masked(0x8a, &ping.payload)).await;
        }
    };
    tokio::select! {
        error = until_dead(&mut *ws) => panic!("{error}"),
        () = answers => {}
    }
}

#[tokio::test(start_paused = true)]
async fn data_counts_as_life() {
    let (mut peer, mut ws) = session(":ping=5", "").await;
    let talks = async {
        for _ in 0..20 {
            sleep(Duration::from_secs(4)).await;
            peer.send(masked(0x82, b"x")).await;
        }
    };
    tokio::select! {
        error = until_dead(&mut *ws) => panic!("{error}"),
        () = talks => {}
    }
    assert!(peer.is_quiet().await, "no ping was due");
}

/// Its pongs lie unread behind its data.
#[tokio::test(start_paused = true)]
async fn a_peer_behind_a_stalled_destination_is_not_dropped() {
    let (mut peer, mut ws) = session("", "").await;
    let dead = timeout(Duration::from_secs(30), until_dead(&mut *ws)).await;
    assert!(dead.is_err(), "it was pinged, not dropped");
    assert_eq!(peer.frame().await.unwrap().first, 0x89);
    peer.send(masked(0x82, b"data")).await;
    peer.send(masked(0x8a, b"")).await;
    for _ in 0..100 {
        live(&mut *ws).await;
        sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(read(&mut *ws).await.unwrap(), b"data");
    let dead = timeout(Duration::from_secs(30), until_dead(&mut *ws)).await;
    assert!(dead.is_err(), "its time begins again");
}

#[tokio::test(start_paused = true)]
async fn zero_is_never() {
    let (mut peer, mut ws) = session(":ping=0", "").await;
    let dead = timeout(Duration::from_secs(86_400), until_dead(&mut *ws)).await;
    assert!(dead.is_err());
    assert!(peer.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_does_not_live_is_told_too() {
    let (_peer, mut ws) = messages(":ping=5:pong-timeout=5", "").await;
    let error = timeout(Duration::from_secs(60), async {
        use futures_util::StreamExt;
        ws.next().await.unwrap().expect_err("nobody answers")
    });
    assert_eq!(error.await.unwrap().kind(), ErrorKind::TimedOut);
}
