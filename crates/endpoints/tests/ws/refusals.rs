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
