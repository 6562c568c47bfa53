//! Offers that are refused.

use endpoint::{Refusal, RefusalKind};

use crate::support::*;

#[tokio::test]
async fn a_refusal_becomes_a_status_and_a_line() {
    for (kind, status) in [
        (RefusalKind::NotFound, 404),
        (RefusalKind::Forbidden, 403),
        (RefusalKind::Refused, 502),
        (RefusalKind::Timeout, 504),
        (RefusalKind::Busy, 503),
        (RefusalKind::Throttled, 429),
    ] {
        let (mut peer, offer) = Server::new("").await.offer(&upgrade("/", "")).await;
        let refuse = offer.refuse(Refusal::new(kind, "it is not there"));
        let talk = async {
            let response = peer.response().await;
            assert_eq!(response.status, status);
            assert_eq!(response.body, "it is not there\n");
            assert_eq!(response.header("connection"), Some("close"));
            assert!(peer.is_over().await);
            drop(peer);
        };
        tokio::join!(refuse, talk);
    }
}

/// Closing a socket with something unread in it is a reset, which destroys the answer.
#[tokio::test]
async fn a_refusal_arrives_though_frames_were_sent_early() {
    let cx = endpoint::Context::new();
    let mut accept = bind(&cx, "ws:{tcp:0:interface=127.0.0.1}").await;
    let address = accept.local().address.unwrap();
    let mut peer = Peer::new(tokio::net::TcpStream::connect(address).await.unwrap());
    let mut incoming = accept.accept().await.unwrap().unwrap();
    peer.send(upgrade("/", "")).await;
    let offer = incoming.next().await.unwrap().unwrap();
    peer.send(masked(0x82, &noise(30_000))).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let refuse = offer.refuse(Refusal::new(RefusalKind::Refused, "no"));
    let talk = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(peer.response().await.status, 502);
        drop(peer);
    };
    tokio::join!(refuse, talk);
}

#[tokio::test]
async fn a_client_that_does_not_read_a_refusal_is_not_waited_for() {
    let mut server = Server::bind("ws:{mem:s:capacity=16}:timeout=0.2").await;
    let (mut peer, mut incoming) = server.client().await;
    let request = upgrade("/", "");
    let sending = peer.send(&request);
    let (offer, ()) = tokio::join!(incoming.next(), sending);
    let refuse = offer.unwrap().unwrap().refuse(Refusal::new(RefusalKind::Busy, "no"));
    tokio::time::timeout(LONG, refuse).await.unwrap();
}

/// A peer that sends slowly is heard for the close timeout in all, a silent one for a moment.
#[tokio::test(start_paused = true)]
async fn who_still_sends_a_request_reads_its_refusal() {
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\nx: {}", "y".repeat(20_000));
    let body = "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n".to_owned();
    let early = upgrade("/", "Content-Length: 1000000\r\n");
    for (request, status) in
        [(many, 431), (body, 405), (early, 400), ("\x16\x03\x01\r\n\r\n".into(), 400)]
    {
        for (parameters, pause, pieces) in [
            ("", 900, 4),
            ("", 2000, 0),
            (":close-timeout=20", 900, 21),
            (":close-timeout=3", 300, 9),
        ] {
            let (mut peer, mut incoming) = Server::new(parameters).await.client().await;
            let serving = tokio::spawn(async move {
                let _ = incoming.next().await;
                tokio::time::Instant::now()
            });
            let began = tokio::time::Instant::now();
            peer.send(&request).await;
            for _ in 0..pieces {
                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                peer.send("more").await;
            }
            assert_eq!(peer.response().await.status, status);
            assert!(peer.is_over().await);
            // Silence, or more without end.
            while !serving.is_finished() {
                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                let _ = tokio::io::AsyncWriteExt::write_all(&mut peer.io, b"more").await;
            }
            let took = serving.await.unwrap() - began;
            let expected = match (parameters, pieces) {
                (_, 0) => 1,
                (":close-timeout=20", _) => 20,
                (":close-timeout=3", _) => 3,
                _ => 5,
            };
            assert_eq!(took.as_secs(), expected, "{status} {parameters} {pause}");
        }
    }
}
