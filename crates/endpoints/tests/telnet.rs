//! The telnet layer over a real socket, against a server whose every byte is written here.

use std::future::poll_fn;
use std::time::Duration;

use descriptor::Syntax;
use endpoint::control::{Break, EVENTS, WindowSize};
use endpoint::{Conn, Context, Info, Io, Signal, SignalReceiver, SignalSender};
use plan::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Both ends: ours, its outgoing signals, its incoming ones, and the server's socket.
async fn open() -> (Io, SignalReceiver, SignalSender, TcpStream) {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = server.local_addr().expect("bound").port();
    let registry = Registry::with(endpoints::KINDS);
    let plan = registry
        .connector(&format!("telnet:{{tcp:127.0.0.1:{port}}}"), Syntax::Extended)
        .expect("it plans");
    let cx = Context::new();
    let info = Info::new();
    let connected = plan.endpoint.connect(&cx, &info);
    let (conn, accepted) = tokio::join!(connected, server.accept());
    let mut conn: Conn = conn.expect("it connects");
    let outgoing = conn.control.outgoing.take().expect("it sends whether the server echoes");
    let incoming = conn.control.incoming.take().expect("it acts on window sizes");
    (conn.into_io(), outgoing, incoming, accepted.expect("it is accepted").0)
}

async fn said(outgoing: &mut SignalReceiver) -> Option<Signal> {
    poll_fn(|cx| outgoing.poll_recv(cx)).await
}

async fn exactly<const N: usize>(from: &mut (impl AsyncReadExt + Unpin)) -> [u8; N] {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).await.expect("so many bytes");
    bytes
}

#[tokio::test]
async fn negotiation_is_answered_and_never_shown() {
    let (mut io, mut outgoing, _incoming, mut server) = open().await;
    assert_eq!(said(&mut outgoing).await, Some(Signal::Echo(false)));
    // WILL ECHO, an escaped 255 and a CR NUL between text.
    server.write_all(b"a\xff\xfb\x01b\xff\xffc\r\0d").await.expect("written");
    assert_eq!(exactly::<6>(&mut io).await, *b"ab\xffc\rd");
    assert_eq!(exactly::<3>(&mut server).await, *b"\xff\xfd\x01");
    assert_eq!(said(&mut outgoing).await, Some(Signal::Echo(true)));
    // WONT ECHO is acknowledged, which a manhole waits for before it goes on.
    server.write_all(b"\xff\xfc\x01.").await.expect("written");
    assert_eq!(exactly::<1>(&mut io).await, *b".");
    assert_eq!(exactly::<3>(&mut server).await, *b"\xff\xfe\x01");
    assert_eq!(said(&mut outgoing).await, Some(Signal::Echo(false)));
}

#[tokio::test]
async fn data_is_escaped_and_enter_is_a_line() {
    let (mut io, _outgoing, _incoming, mut server) = open().await;
    io.write_all(b"x\xffy\r").await.expect("written");
    assert_eq!(exactly::<6>(&mut server).await, *b"x\xff\xffy\r\n");
}

#[tokio::test]
async fn a_resize_becomes_naws_once_the_server_wants_it() {
    let (mut io, _outgoing, incoming, mut server) = open().await;
    incoming.send(Signal::Window(WindowSize { cols: 132, rows: 50 })).expect("it fits");
    // DO NAWS.
    server.write_all(b"\xff\xfd\x1f.").await.expect("written");
    assert_eq!(exactly::<1>(&mut io).await, *b".");
    let naws = *b"\xff\xfb\x1f\xff\xfa\x1f\x00\x84\x00\x32\xff\xf0";
    assert_eq!(exactly::<12>(&mut server).await, naws);
    incoming.send(Signal::Window(WindowSize { cols: 80, rows: 24 })).expect("it fits");
    let read = tokio::spawn(async move { exactly::<1>(&mut io).await });
    assert_eq!(exactly::<9>(&mut server).await, *b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0");
    server.write_all(b"!").await.expect("written");
    assert_eq!(read.await.expect("no panic"), *b"!");
}

#[tokio::test]
async fn bulk_passes_whole_with_half_close_each_way() {
    let (mut io, _outgoing, _incoming, mut server) = open().await;
    let sent: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).filter(|b| *b != 13).collect();
    let expected = sent.clone();
    let echo = tokio::spawn(async move {
        let mut got = Vec::new();
        server.read_to_end(&mut got).await.expect("an orderly end");
        server.write_all(&got).await.expect("written");
    });
    io.write_all(&sent).await.expect("written");
    io.shutdown().await.expect("half-closed");
    let mut back = Vec::new();
    io.read_to_end(&mut back).await.expect("an orderly end");
    assert!(back == expected, "{} of {} bytes", back.len(), expected.len());
    echo.await.expect("no panic");
}

#[tokio::test]
async fn a_flood_of_questions_is_bounded() {
    let (mut io, _outgoing, _incoming, server) = open().await;
    let (mut reading, mut writing) = server.into_split();
    // DO for every option, over and over, from one who doesn't read the answers.
    let flood = tokio::spawn(async move {
        let round: Vec<u8> = (0..=255).flat_map(|option| [255, 253, option]).collect();
        for _ in 0..2000 {
            writing.write_all(&round).await.expect("written");
        }
        writing.write_all(b"done").await.expect("written");
        writing
    });
    assert_eq!(exactly::<4>(&mut io).await, *b"done");
    let _writing = flood.await.expect("no panic");
    drop(io);
    let mut answers = Vec::new();
    reading.read_to_end(&mut answers).await.expect("an orderly end");
    assert!(answers.len() < 256 * 1024, "{} bytes of answers", answers.len());
}

#[tokio::test]
async fn breaks_pass_both_ways() {
    let (mut io, mut outgoing, incoming, mut server) = open().await;
    assert_eq!(said(&mut outgoing).await, Some(Signal::Echo(false)));
    for brk in [Break::Timed(Duration::from_millis(300)), Break::On, Break::Off] {
        incoming.send(Signal::Break(brk)).expect("it fits");
    }
    server.write_all(b"a\xff\xf3b").await.expect("written");
    assert_eq!(exactly::<2>(&mut io).await, *b"ab");
    let brk = Signal::Break(Break::Timed(Duration::ZERO));
    assert_eq!(said(&mut outgoing).await, Some(brk));
    io.write_all(b"c").await.expect("written");
    // The end of a break has no word in telnet.
    assert_eq!(exactly::<5>(&mut server).await, *b"\xff\xf3\xff\xf3c");
}

#[tokio::test]
async fn a_server_that_sends_breaks_faster_than_they_are_taken_is_held_up() {
    let (mut io, mut outgoing, _incoming, mut server) = open().await;
    assert_eq!(said(&mut outgoing).await, Some(Signal::Echo(false)));
    for _ in 0..EVENTS {
        server.write_all(b".\xff\xf3").await.expect("written");
        assert_eq!(exactly::<1>(&mut io).await, *b".");
    }
    server.write_all(b"!").await.expect("written");
    let reading = exactly::<1>(&mut io);
    tokio::pin!(reading);
    // Before there is room, nothing more is read; after it, everything is.
    assert!(poll_fn(|cx| std::task::Poll::Ready(reading.as_mut().poll(cx).is_pending())).await);
    assert!(said(&mut outgoing).await.is_some());
    assert_eq!(reading.await, *b"!");
}
