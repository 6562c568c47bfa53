//! Silence, with the clock in the test's hands.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use endpoint::{Clock, Context};
use tokio::runtime::Builder;
use tokio::sync::{mpsc as notes, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

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

/// The alarm of another thread may come before ours has looked for what arrived.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "to block the thread is what it is about")]
async fn an_answer_that_lies_unseen_is_one() {
    let elsewhere = Builder::new_current_thread().enable_time().build().unwrap();
    let cx = Context::new();
    let handle = elsewhere.handle().clone();
    let alarm = move |at| {
        let _within = handle.enter();
        sleep_until(at)
    };
    assert!(cx.set_clock(Clock::by(alarm)));
    let (over, until) = oneshot::channel::<()>();
    let clock = thread::spawn(move || elsewhere.block_on(until));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (pinged, mut pings) = notes::unbounded_channel();
    let (answer, answers) = mpsc::channel::<()>();
    let (answered, is_answered) = mpsc::channel();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut peer = BufReader::new(stream);
        let mut key = String::new();
        let mut line = String::new();
        while peer.read_line(&mut line).unwrap() > 2 {
            if let Some(value) = line.strip_prefix("Sec-WebSocket-Key: ") {
                value.trim().clone_into(&mut key);
            }
            line.clear();
        }
        let accept = derive_accept_key(key.as_bytes());
        let switch = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
        );
        peer.get_mut().write_all(switch.as_bytes()).unwrap();
        let mut ping = [0; 6];
        while peer.read_exact(&mut ping).is_ok() {
            assert_eq!(ping[..2], [0x89, 0x80]);
            let _ = pinged.send(());
            if answers.recv().is_err() {
                return;
            }
            peer.get_mut().write_all(&[0x8a, 0]).unwrap();
            answered.send(()).unwrap();
        }
    });

    let text = format!("ws:{{tcp:{address}}}:ping=50ms:pong-timeout=50ms");
    let mut ws = connect(&cx, &text).await.unwrap().transport.into_bytes();
    let session = tokio::spawn(async move { until_dead(&mut *ws).await });
    for _ in 0..3 {
        pings.recv().await.expect("it lives, and pings again");
        // Another task has the thread while the answer comes and its time runs out.
        answer.send(()).unwrap();
        is_answered.recv().unwrap();
        thread::sleep(Duration::from_millis(100));
    }
    pings.recv().await.expect("it lives, and pings again");
    session.abort();
    drop(answer);
    server.join().unwrap();
    drop(over);
    assert!(clock.join().unwrap().is_err());
}
