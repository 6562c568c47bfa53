//! Offers that wait: early data is kept, and a client that leaves is noticed.

use std::time::Duration;

use endpoint::Refusal;
use tokio::time::timeout;

use crate::support::*;

#[tokio::test]
async fn early_frames_are_not_lost() {
    for together in [true, false] {
        let mut server = Server::new("").await;
        let (mut peer, mut incoming) = server.client().await;
        let early = masked(0x82, b"early");
        let mut first = upgrade("/", "").into_bytes();
        if together {
            first.extend(&early);
        }
        peer.send(first).await;
        let mut offer = incoming.next().await.unwrap().unwrap();
        if !together {
            peer.send(&early).await;
        }
        let left = timeout(Duration::from_millis(20), offer.left()).await;
        assert!(left.is_err(), "it has not left");
        peer.send(masked(0x82, b" bird")).await;
        let left = timeout(Duration::from_millis(20), offer.left()).await;
        assert!(left.is_err(), "it has not left");
        let mut ws = accepted(offer).await.transport.into_bytes();
        assert_eq!(read_exact(&mut *ws, 10).await, b"early bird");
    }
}

#[tokio::test]
async fn many_early_bytes_wait_where_they_are() {
    let cx = endpoint::Context::new();
    let mut accept = bind(&cx, "ws:{tcp:0:interface=127.0.0.1}").await;
    let address = accept.local().address.unwrap();
    let mut peer = Peer::new(tokio::net::TcpStream::connect(address).await.unwrap());
    let mut incoming = accept.accept().await.unwrap().unwrap();
    let data = noise(100_000);
    let mut first = upgrade("/", "").into_bytes();
    first.extend(masked(0x82, &data));
    peer.send(first).await;
    let mut offer = incoming.next().await.unwrap().unwrap();
    let left = timeout(Duration::from_millis(50), offer.left()).await;
    assert!(left.is_err(), "it has not left");
    let mut ws = accepted(offer).await.transport.into_bytes();
    assert!(read_exact(&mut *ws, data.len()).await == data);
}

#[tokio::test]
async fn who_leaves_before_the_decision_is_noticed() {
    for early in [&b""[..], &masked(0x82, b"early")] {
        let (mut peer, mut offer) = Server::new("").await.offer(&upgrade("/", "")).await;
        peer.send(early).await;
        assert!(timeout(Duration::from_millis(20), offer.left()).await.is_err());
        drop(peer);
        timeout(LONG, offer.left()).await.unwrap();
        offer.refuse(Refusal::new(endpoint::RefusalKind::Refused, "no")).await;
    }
}

#[tokio::test]
async fn a_reset_of_a_socket_is_noticed_behind_early_bytes() {
    let cx = endpoint::Context::new();
    let mut accept = bind(&cx, "ws:{tcp:0:interface=127.0.0.1}").await;
    let address = accept.local().address.unwrap();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut peer = Peer::new(stream);
    let mut incoming = accept.accept().await.unwrap().unwrap();
    let mut first = upgrade("/", "").into_bytes();
    first.extend(masked(0x82, b"early"));
    peer.send(first).await;
    let mut offer = incoming.next().await.unwrap().unwrap();
    peer.io.set_zero_linger().unwrap();
    drop(peer);
    timeout(LONG, offer.left()).await.unwrap();
}

#[tokio::test]
async fn an_offer_that_is_dropped_leaves_nothing_open() {
    let (mut peer, offer) = Server::new("").await.offer(&upgrade("/", "")).await;
    drop(offer);
    assert!(peer.is_over().await);
    let mut server = Server::new("").await;
    let (mut peer, incoming) = server.client().await;
    drop(incoming);
    assert!(peer.is_over().await);
}

#[tokio::test]
async fn a_silent_client_delays_nobody() {
    let mut server = Server::new("").await;
    let (_silent, mut waits) = server.client().await;
    let waiting = tokio::spawn(async move { waits.next().await.map(|offer| offer.is_some()) });
    server.session("").await;
    assert!(!waiting.is_finished());
    waiting.abort();
}
