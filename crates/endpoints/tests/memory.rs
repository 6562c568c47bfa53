//! `echo`, `mem` and `mock`: the kinds for trying and testing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use common::{
    LONG, accepted, bind, connect, connector, failure, offer, pair, shown, try_bind, try_connect,
};
use endpoint::control::WindowSize;
use endpoint::{Conn, Context, End, ErrorKind, MessageStream, Part, Reason, Signal, Transport};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

fn messages(conn: Conn) -> Box<dyn MessageStream> {
    match conn.transport {
        Transport::Messages(stream) => stream,
        Transport::Bytes(_) => panic!("these should be messages"),
    }
}

async fn finish(stream: &mut Box<dyn MessageStream>, end: &End) {
    poll_fn(|cx| stream.poll_finish(cx, end)).await.unwrap();
}

// === echo ===

#[tokio::test]
async fn an_echo_keeps_messages_and_their_types() {
    let mut echo = messages(connect(&Context::new(), "echo").await);
    let parts = [
        Part::text("text"),
        Part::binary(""),
        Part { data: "a part".into(), text: false, last: false },
        Part::binary("the rest"),
    ];
    for part in parts {
        echo.send(part.clone()).await.unwrap();
        assert_eq!(echo.next().await.unwrap().unwrap(), part);
    }
    let end = End::with_code(Reason::Application, 4000, "enough");
    echo.send(Part::text("last")).await.unwrap();
    finish(&mut echo, &end).await;
    assert_eq!(echo.next().await.unwrap().unwrap(), Part::text("last"));
    assert!(echo.next().await.is_none());
    assert_eq!(echo.end(), end);
}

#[tokio::test]
async fn an_echo_holds_one_message() {
    let mut echo = messages(connect(&Context::new(), "echo").await);
    echo.feed(Part::binary("first")).await.unwrap();
    let ready = poll_fn(|cx| Poll::Ready(echo.poll_ready_unpin(cx).is_ready())).await;
    assert!(!ready, "a second one must wait");
}

// === mem ===

#[tokio::test]
async fn mem_may_carry_messages() {
    let (near, far) = pair(&Context::new(), "mem:x:messages=true").await;
    let (mut near, mut far) = (messages(near), messages(far));
    near.send(Part::text("one")).await.unwrap();
    near.send(Part::binary("")).await.unwrap();
    let end = End::with_code(Reason::Application, 1001, "going");
    finish(&mut near, &end).await;
    assert_eq!(far.next().await.unwrap().unwrap(), Part::text("one"));
    assert_eq!(far.next().await.unwrap().unwrap(), Part::binary(""));
    assert!(far.next().await.is_none());
    assert_eq!(far.end(), end);
    far.send(Part::text("late answer")).await.unwrap();
    assert_eq!(near.next().await.unwrap().unwrap(), Part::text("late answer"));
}

#[tokio::test]
async fn mem_carries_signals() {
    let (near, far) = pair(&Context::new(), "mem:x").await;
    let size = Signal::Window(WindowSize { cols: 80, rows: 24 });
    near.control.incoming.unwrap().send(size.clone()).unwrap();
    let mut signals = far.control.outgoing.unwrap();
    assert_eq!(poll_fn(|cx| signals.poll_recv(cx)).await, Some(size));
}

#[tokio::test]
async fn a_mem_peer_that_is_dropped_has_left() {
    let cx = Context::new();
    let mut accept = bind(&cx, "mem:x").await;
    let peer = connect(&cx, "mem:x").await;
    let mut first = offer(&mut *accept).await;
    {
        let mut left = Box::pin(first.left());
        assert!(poll_fn(|cx| Poll::Ready(left.as_mut().poll(cx).is_pending())).await);
        drop(peer);
        timeout(LONG, left).await.unwrap();
    }
    // One that said its end first has only no more to say.
    let mut peer = connect(&cx, "mem:x").await.into_io();
    peer.write_all(b"x").await.unwrap();
    peer.shutdown().await.unwrap();
    drop(peer);
    let mut second = offer(&mut *accept).await;
    {
        let mut left = Box::pin(second.left());
        assert!(poll_fn(|cx| Poll::Ready(left.as_mut().poll(cx).is_pending())).await);
    }
    let mut text = String::new();
    accepted(second).await.into_io().read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "x");
}

#[tokio::test]
async fn contexts_know_nothing_of_each_others_names() {
    let (one, other) = (Context::new(), Context::new());
    let _accept = bind(&one, "mem:x").await;
    let error = failure(try_connect(&other, "mem:x").await);
    assert_eq!(error.kind(), ErrorKind::Refused);
    insta::assert_snapshot!(shown(&error), @r"
    cannot connect mem:x: no listener has this name
    `mem` names exist within one process; open the listener first
    ");
    let error = failure(try_bind(&one, "mem:x").await);
    assert_eq!(error.kind(), ErrorKind::Busy);
    insta::assert_snapshot!(shown(&error), @r"
    cannot bind mem:x: another listener has this name
    choose another name
    ");
    bind(&other, "mem:x").await;
}

// === mock ===

#[tokio::test]
async fn a_mock_follows_its_script() {
    let mut io = connect(&Context::new(), r"mock:{w PING|r PONG\r\n\x00|w x|fin|r bye|eof}").await;
    let Transport::Bytes(io) = &mut io.transport else { panic!("a mock carries bytes") };
    io.write_all(b"PI").await.unwrap();
    io.write_all(b"NG").await.unwrap();
    let mut answer = [0; 7];
    io.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"PONG\r\n\0");
    io.write_all(b"x").await.unwrap();
    poll_fn(|cx| io.poll_finish(cx, &End::eof())).await.unwrap();
    let mut rest = String::new();
    io.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "bye");
}

#[tokio::test]
async fn a_mock_says_what_it_expected() {
    let cx = Context::new();
    let mut io = connect(&cx, "mock:w hello").await.into_io();
    let error = io.write_all(b"help\n").await.unwrap_err();
    insta::assert_snapshot!(error, @r#"the script expected "hello", and got "help\n""#);
    let mut io = connect(&cx, "mock:w hello").await.into_io();
    io.write_all(b"hel").await.unwrap();
    insta::assert_snapshot!(io.shutdown().await.unwrap_err(), @r#"the script expected "lo", and got the end"#);
    let mut io = connect(&cx, "mock:eof").await.into_io();
    insta::assert_snapshot!(io.write_all(b"more").await.unwrap_err(), @r#"the script expected nothing more, and got "more""#);
    let mut io = connect(&cx, "mock:fin").await.into_io();
    insta::assert_snapshot!(io.write_all(b"more").await.unwrap_err(), @r#"the script expected the end, and got "more""#);
}

#[tokio::test]
async fn a_mock_breaks_when_told() {
    let mut io = connect(&Context::new(), "mock:r last|err").await.into_io();
    let mut text = String::new();
    let error = io.read_to_string(&mut text).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_mock_waits() {
    let began = Instant::now();
    let mut io = connect(&Context::new(), "mock:wait 20s|r x|wait").await.into_io();
    assert_eq!(io.read_u8().await.unwrap(), b'x');
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    assert!(timeout(Duration::from_secs(1 << 20), io.read_u8()).await.is_err());
}

#[tokio::test]
async fn a_mock_is_listened_on_once() {
    let cx = Context::new();
    let mut accept = bind(&cx, "mock:r x").await;
    let conn = accepted(offer(&mut *accept).await).await;
    drop(conn);
    assert!(accept.accept().await.unwrap().is_none());
    // A connector is used again and again.
    let mock = connector("mock:r x");
    for _ in 0..2 {
        let conn = mock.endpoint.connect(&cx, &endpoint::Info::new()).await.unwrap();
        assert_eq!(conn.into_io().read_u8().await.unwrap(), b'x');
    }
}
