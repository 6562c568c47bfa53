//! A peer that sends and sees every byte, and streams that come in pieces of one.

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

/// A right handshake, with more headers if they are wanted (each with its line's end).
pub(crate) fn upgrade(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:9000\r\nUpgrade: websocket\r\n\
         Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

pub(crate) const BINARY: &str = "Sec-WebSocket-Protocol: binary\r\n";
pub(crate) const BASE64: &str = "Sec-WebSocket-Protocol: base64\r\n";

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }
}

/// A frame as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) first: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn close_code(&self) -> Option<u16> {
        assert_eq!(self.first, 0x88, "{self:?} is no Close");
        Some(u16::from_be_bytes(*self.payload.first_chunk()?))
    }

    pub(crate) fn reason(&self) -> &str {
        std::str::from_utf8(&self.payload[2..]).unwrap()
    }
}

/// The raw end of a connection.
pub(crate) struct Peer<S = Io> {
    pub(crate) io: S,
    read: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn new(io: S) -> Self {
        Self { io, read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        timeout(LONG, self.io.write_all(bytes.as_ref())).await.unwrap().unwrap();
        self.io.flush().await.unwrap();
    }

    /// Reads once; returns `true` if more came.
    async fn more(&mut self) -> bool {
        let mut piece = [0; 4096];
        let read = timeout(LONG, self.io.read(&mut piece)).await.unwrap();
        let len = read.unwrap_or(0);
        self.read.extend_from_slice(&piece[..len]);
        len > 0
    }

    /// Up to an empty line.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            let end = self.read.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(end) = end {
                return String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
            }
            let so_far = String::from_utf8_lossy(&self.read).into_owned();
            assert!(self.more().await, "the stream ended within a header: {so_far:?}");
        }
    }

    pub(crate) async fn response(&mut self) -> Response {
        let head = self.head().await;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response { status, head, body: String::new() };
        let length = response.header("content-length").map_or(0, |text| text.parse().unwrap());
        while self.read.len() < length {
            assert!(self.more().await, "the stream ended within a body");
        }
        response.body = String::from_utf8(self.read.drain(..length).collect()).unwrap();
        response
    }

    /// The next frame; `None` at the end.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, len)) = parse(&self.read) {
                self.read.drain(..len);
                return Some(frame);
            }
            if !self.more().await {
                assert!(self.read.is_empty(), "half a frame at the end: {:02x?}", self.read);
                return None;
            }
        }
    }

    /// The payload of data frames, until there are `len` bytes of it.
    pub(crate) async fn payload(&mut self, len: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < len {
            let frame = self.frame().await.expect("more data was to come");
            assert!(frame.first & 0x08 == 0, "{frame:?} is no data");
            all.extend(frame.payload);
        }
        all
    }

    /// Returns `true` if nothing comes for a while.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        let quiet = timeout(Duration::from_millis(100), self.io.read_u8()).await;
        self.read.is_empty() && quiet.is_err()
    }

    /// Returns `true` if the stream has ended, and nothing came before.
    pub(crate) async fn is_over(&mut self) -> bool {
        self.read.is_empty() && !self.more().await
    }
}

fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (len, mut at) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
        len => (u64::from(len), 2),
    };
    let masked = second & 0x80 != 0;
    let mut key = [0; 4];
    if masked {
        key = *bytes.get(at..)?.first_chunk()?;
        at += 4;
    }
    let end = at + usize::try_from(len).unwrap();
    let mut payload = bytes.get(at..end)?.to_vec();
    payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    Some((Frame { first, masked, payload }, end))
}

/// A frame with its first byte as it is to be, masked as a client's.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = header(first, 0x80, payload.len());
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// A frame as a server's.
pub(crate) fn plain(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, 0, payload.len());
    frame.extend_from_slice(payload);
    frame
}

fn header(first: u8, mask: u8, len: usize) -> Vec<u8> {
    let mut header = vec![first];
    match len {
        0..=125 => header.push(mask | len as u8),
        126..=0xffff => {
            header.push(mask | 126);
            header.extend((len as u16).to_be_bytes());
        }
        _ => {
            header.push(mask | 127);
            header.extend((len as u64).to_be_bytes());
        }
    }
    header
}

pub(crate) fn close(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    masked(0x88, &payload)
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

// === A layer that passes one byte at a time ===

static TRICKLE: Kind = Kind {
    listen: Some(Side::bytes(
        &[Param::new("endpoint", ValueKind::Endpoint, "Beneath.").positional().required()],
        PlanListen::Layer(Takes::Bytes, |_| Ok(Arc::new(Trickle))),
    )),
    connect: Some(Side::bytes(
        &[Param::new("endpoint", ValueKind::Endpoint, "Beneath.").positional().required()],
        PlanConnect::Layer(Takes::Bytes, |_| Ok(Arc::new(Trickle))),
    )),
    ..Kind::new("trickle", "One byte at a time, every other time")
};

#[derive(Debug)]
struct Trickle;

#[async_trait]
impl ServeLayer for Trickle {
    async fn bind(&self, _: &Context, local: &Local) -> Result<Arc<dyn Bound>> {
        Ok(Arc::new(Trickling(local.clone())))
    }
}

#[async_trait]
impl DialLayer for Trickle {
    async fn dial(&self, _: &Context, conn: Conn, _: &Info) -> Result<Conn> {
        Ok(slow(conn))
    }
}

struct Trickling(Local);

impl Bound for Trickling {
    fn local(&self) -> &Local {
        &self.0
    }

    fn serve(&self, conn: Conn) -> Box<dyn Offers> {
        Box::new(One(Some(Offer::open(slow(conn)))))
    }
}

struct One(Option<Offer>);

#[async_trait]
impl Offers for One {
    async fn next(&mut self) -> Result<Option<Offer>> {
        Ok(self.0.take())
    }
}

fn slow(conn: Conn) -> Conn {
    let inner = conn.transport.into_bytes();
    let slow = Slow { inner, reads: false, writes: false };
    Conn { transport: Transport::Bytes(Box::new(slow)), ..conn }
}

/// Claims to take several slices at once, and takes one byte of the first.
struct Slow {
    inner: Box<dyn ByteStream>,
    reads: bool,
    writes: bool,
}

fn other_time(turn: &mut bool, cx: &Task<'_>) -> bool {
    *turn = !*turn;
    if *turn {
        cx.waker().wake_by_ref();
    }
    *turn
}

impl AsyncRead for Slow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if other_time(&mut self.reads, cx) {
            return Poll::Pending;
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        let read = Pin::new(&mut *self.inner).poll_read(cx, &mut one);
        if read.is_pending() {
            self.reads = true;
        }
        read.map_ok(|()| buf.put_slice(one.filled()))
    }
}

impl AsyncWrite for Slow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if other_time(&mut self.writes, cx) {
            return Poll::Pending;
        }
        Pin::new(&mut *self.inner).poll_write(cx, &buf[..buf.len().min(1)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty());
        self.poll_write(cx, first.map_or(&[], |buf| buf))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_finish(cx, &End::eof())
    }
}

impl Life for Slow {
    fn poll_finish(&mut self, cx: &mut Task<'_>, end: &End) -> Poll<io::Result<()>> {
        self.inner.poll_finish(cx, end)
    }
}
