//! A peer that sends and sees every byte, and streams that come in pieces of one.

mod peer;
mod slow;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use async_trait::async_trait;
use descriptor::{Report, Syntax};
use endpoint::{
    Accept, Accepted, Answer, Bound, ByteStream, Conn, Context, DialLayer, End, Incoming, Info, Io,
    Life, Local, MessageStream, Offer, Offers, Part, Result, ServeLayer, Transport,
};
use endpoints::KINDS;
use futures_util::{SinkExt, StreamExt};
use plan::Registry;
use plan::kind::{Kind, Param, PlanConnect, PlanListen, Side, Takes, ValueKind};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

pub(crate) use self::peer::*;
use self::slow::TRICKLE;

/// Far more than anything here takes; a test that hangs fails instead.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn registry() -> Registry {
    Registry::with(KINDS).add(&TRICKLE)
}

pub(crate) async fn bind(cx: &Context, text: &str) -> Box<dyn Accept> {
    let plan = registry().listener(text, Syntax::Extended);
    let plan = plan.unwrap_or_else(|found| panic!("{}", Report::new(text, &found)));
    plan.endpoint.bind(cx).await.unwrap()
}

pub(crate) async fn connect(cx: &Context, text: &str) -> Result<Conn> {
    connect_for(cx, text, &Info::new()).await
}

pub(crate) async fn connect_for(cx: &Context, text: &str, near: &Info) -> Result<Conn> {
    let plan = registry().connector(text, Syntax::Extended);
    let plan = plan.unwrap_or_else(|found| panic!("{}", Report::new(text, &found)));
    timeout(LONG, plan.endpoint.connect(cx, near)).await.unwrap()
}

// === A listener and raw clients of it ===

/// A `ws` listener over `mem:s`.
pub(crate) struct Server {
    pub(crate) cx: Context,
    pub(crate) accept: Box<dyn Accept>,
}

impl Server {
    /// With these parameters, such as `:path=/x`.
    pub(crate) async fn new(parameters: &str) -> Self {
        Self::bind(&format!("ws:{{mem:s}}{parameters}")).await
    }

    pub(crate) async fn bind(text: &str) -> Self {
        Self::with(&Context::new(), text).await
    }

    pub(crate) async fn with(cx: &Context, text: &str) -> Self {
        Self { cx: cx.clone(), accept: bind(cx, text).await }
    }

    /// A client that has said nothing yet, and what the listener has of it.
    pub(crate) async fn client(&mut self) -> (Peer, Incoming) {
        let client = connect(&self.cx, "mem:s").await.unwrap();
        let incoming = self.accept.accept().await.unwrap().unwrap();
        (Peer::new(client.into_io()), incoming)
    }

    /// A client that has sent `text`, and the offer that came of it.
    pub(crate) async fn offer(&mut self, text: &str) -> (Peer, Offer) {
        let (mut peer, mut incoming) = self.client().await;
        peer.send(text.as_bytes()).await;
        let offer = timeout(LONG, incoming.next()).await.unwrap().unwrap().unwrap();
        (peer, offer)
    }

    /// An open connection.
    pub(crate) async fn session(&mut self, headers: &str) -> (Peer, Conn) {
        let (mut peer, offer) = self.offer(&upgrade("/", headers)).await;
        let conn = accepted(offer).await;
        assert_eq!(peer.response().await.status, 101);
        (peer, conn)
    }
}

pub(crate) async fn session(parameters: &str, headers: &str) -> (Peer, Box<dyn ByteStream>) {
    let (peer, conn) = Server::new(parameters).await.session(headers).await;
    (peer, conn.transport.into_bytes())
}

pub(crate) async fn messages(parameters: &str, headers: &str) -> (Peer, Box<dyn MessageStream>) {
    let (peer, conn) = Server::new(parameters).await.session(headers).await;
    (peer, in_messages(conn))
}

pub(crate) fn in_messages(conn: Conn) -> Box<dyn MessageStream> {
    match conn.transport {
        Transport::Messages(stream) => stream,
        Transport::Bytes(_) => panic!("ws gives messages"),
    }
}

pub(crate) async fn accepted(offer: Offer) -> Conn {
    match timeout(LONG, offer.accept(Answer::default())).await.unwrap().unwrap() {
        Accepted::Session(conn) => conn,
        other => panic!("{other:?}"),
    }
}

// === The streams' ends that are ours ===

/// One read; empty at the end.
pub(crate) async fn read(stream: &mut dyn ByteStream) -> io::Result<Vec<u8>> {
    let mut buf = [0; 4096];
    let len = timeout(LONG, stream.read(&mut buf)).await.unwrap()?;
    Ok(buf[..len].to_vec())
}

pub(crate) async fn read_exact(stream: &mut dyn ByteStream, len: usize) -> Vec<u8> {
    let mut buf = vec![0; len];
    timeout(LONG, stream.read_exact(&mut buf)).await.unwrap().unwrap();
    buf
}

pub(crate) async fn write(stream: &mut dyn ByteStream, data: &[u8]) {
    timeout(LONG, stream.write_all(data)).await.unwrap().unwrap();
    timeout(LONG, stream.flush()).await.unwrap().unwrap();
}

pub(crate) async fn finish(stream: &mut (impl Life + ?Sized), end: &End) {
    timeout(LONG, poll_fn(|cx| stream.poll_finish(cx, end))).await.unwrap().unwrap();
}

/// Has the stream live on for a moment.
pub(crate) async fn live(stream: &mut (impl Life + ?Sized)) {
    let beside = poll_fn(|cx| stream.poll_background(cx));
    assert!(timeout(Duration::from_millis(10), beside).await.is_err(), "it died");
}

pub(crate) async fn next(stream: &mut dyn MessageStream) -> Option<io::Result<Part>> {
    timeout(LONG, stream.next()).await.unwrap()
}

/// A whole message, however it was cut.
pub(crate) async fn message(stream: &mut dyn MessageStream) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    loop {
        let part = next(stream).await.unwrap().unwrap();
        all.extend_from_slice(&part.data);
        if part.last {
            return (all, part.text);
        }
    }
}

pub(crate) async fn put(stream: &mut dyn MessageStream, part: Part) {
    timeout(LONG, stream.send(part)).await.unwrap().unwrap();
}

pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(length)
    .collect()
}
