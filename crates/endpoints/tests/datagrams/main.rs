//! Kinds that keep the boundaries of messages: `udp`, `unix-dgram`, `unix-seqpacket`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod internet;
mod local;

use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use common::messages::{Messages, messages, next, send};
use common::{
    LONG, Log, accepted, bind, connect, connector, failure, listener, noise, offer, shown,
    try_bind, try_connect,
};
use descriptor::Report;
use endpoint::{Accept, Context, End, Exposure, Part, Reason};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::net::{UdpSocket, UnixDatagram};
use tokio::time::{Instant, timeout};

/// Sends these with one flush, as a splice does with what came at once.
async fn send_at_once(to: &mut Messages, sizes: &[usize]) -> std::io::Result<()> {
    for (number, size) in sizes.iter().enumerate() {
        poll_fn(|cx| Pin::new(&mut *to).poll_ready(cx)).await?;
        Pin::new(&mut *to).start_send(Part::binary(noise(number as u64, *size)))?;
    }
    poll_fn(|cx| Pin::new(&mut *to).poll_flush(cx)).await
}

async fn message(from: &mut Messages) -> Vec<u8> {
    let part = next(from).await.unwrap().unwrap();
    assert!(part.last && !part.text);
    part.data.to_vec()
}

/// Both ends: the second is there once the first has sent something.
struct Kind {
    cx: Context,
    accept: Box<dyn Accept>,
    connects: String,
    _dir: tempfile::TempDir,
}

impl Kind {
    async fn new(listen: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listen = listen.replace("DIR", dir.path().to_str().unwrap());
        let cx = Context::new();
        let accept = bind(&cx, &listen).await;
        let connects = accept.local().descriptor.clone();
        Self { cx, accept, connects, _dir: dir }
    }

    async fn pair(&mut self, first: &[u8]) -> (Messages, Messages) {
        let mut near = messages(connect(&self.cx, &self.connects).await);
        send(&mut near, Part::binary(first.to_vec())).await.unwrap();
        let far = timeout(LONG, offer(&mut *self.accept)).await.unwrap();
        let mut far = messages(accepted(far).await);
        assert_eq!(message(&mut far).await, first);
        (near, far)
    }
}

async fn boundaries_and_sizes_survive(listen: &str, largest: usize) {
    let mut kind = Kind::new(listen).await;
    let (mut near, mut far) = kind.pair(b"").await;
    for size in [0, 1, 2, 1471, 1473, 9000, 40_000, largest] {
        let data = noise(size as u64, size);
        send(&mut near, Part::binary(data.clone())).await.unwrap();
        assert!(message(&mut far).await == data, "{size} there");
        send(&mut far, Part::binary(data.clone())).await.unwrap();
        assert!(message(&mut near).await == data, "{size} back");
    }
}

async fn what_was_sent_before_a_message_that_is_too_long_arrives(listen: &str) {
    let mut kind = Kind::new(listen).await;
    let (mut near, mut far) = kind.pair(b"x").await;
    send_at_once(&mut near, &[5, 5, 5, 70_000]).await.unwrap_err();
    assert_eq!(near.end().why, Reason::TooBig);
    for number in 0..3 {
        assert_eq!(message(&mut far).await, noise(number, 5));
    }
}

async fn fragments_are_joined(listen: &str) {
    let mut kind = Kind::new(listen).await;
    let (mut near, mut far) = kind.pair(b"x").await;
    for (data, last) in [("one ", false), ("", false), ("message", true)] {
        let part = Part { data: data.into(), text: true, last };
        send(&mut near, part.clone()).await.unwrap();
        send(&mut far, part).await.unwrap();
    }
    assert_eq!(message(&mut far).await, b"one message");
    assert_eq!(message(&mut near).await, b"one message");
}

async fn what_is_too_long_is_refused_and_not_truncated(listen: &str, limit: &str) {
    let mut kind = Kind::new(listen).await;
    let (mut near, mut far) = kind.pair(b"x").await;
    for side in [&mut near, &mut far] {
        let first = Part { data: vec![1; 65_536].into(), text: false, last: false };
        send(side, first).await.unwrap();
        let error = send(side, Part::binary(vec![1; 1])).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("refused a message of 65537 bytes: the limit is {limit}")
        );
        assert!(next(side).await.is_none());
        assert_eq!(side.end().why, Reason::TooBig);
    }
}

async fn several_peers_are_told_apart(listen: &str) {
    let mut kind = Kind::new(listen).await;
    let (mut near_a, mut far_a) = kind.pair(b"a").await;
    let (mut near_b, mut far_b) = kind.pair(b"b").await;
    for number in 0..100_u8 {
        send(&mut near_a, Part::binary(vec![1, number])).await.unwrap();
        send(&mut near_b, Part::binary(vec![2, number])).await.unwrap();
        assert_eq!(message(&mut far_b).await, [2, number]);
        assert_eq!(message(&mut far_a).await, [1, number]);
        send(&mut far_a, Part::binary(vec![3, number])).await.unwrap();
        send(&mut far_b, Part::binary(vec![4, number])).await.unwrap();
        assert_eq!(message(&mut near_b).await, [4, number]);
        assert_eq!(message(&mut near_a).await, [3, number]);
    }
}

macro_rules! suite {
    ($($name:ident: $listen:literal, $largest:literal;)*) => {$(
        mod $name {
            #[tokio::test]
            async fn boundaries_and_sizes_survive() {
                super::boundaries_and_sizes_survive($listen, $largest).await;
            }

            #[tokio::test]
            async fn what_was_sent_before_a_message_that_is_too_long_arrives() {
                super::what_was_sent_before_a_message_that_is_too_long_arrives($listen).await;
            }

            #[tokio::test]
            async fn fragments_are_joined() {
                super::fragments_are_joined($listen).await;
            }

            #[tokio::test]
            async fn what_is_too_long_is_refused_and_not_truncated() {
                super::what_is_too_long_is_refused_and_not_truncated($listen, "65536").await;
            }

            #[tokio::test]
            async fn several_peers_are_told_apart() {
                super::several_peers_are_told_apart($listen).await;
            }
        }
    )*};
}

suite! {
    udp: "udp:0:interface=127.0.0.1", 65_507;
    udp_everywhere: "udp:0", 65_507;
    unix_dgram: "unix-dgram:DIR/s", 65_536;
    unix_seqpacket: "unix-seqpacket:DIR/s", 65_536;
}
