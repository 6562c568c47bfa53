//! `endpointforward.v1`: signals next to the data, and directions that end separately.

mod ends;
mod floods;
mod messages;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use endpoint::control::{
    Break, EVENTS, LineSettings, ModemLines, Purge, Query, StopBits, WindowSize,
};
use endpoint::{
    Accepted, Answer, ByteStream, Conn, End, Ending, ExitStatus, Grants, Part, Reason, Signal,
    SignalReceiver,
};
use tokio::io::ReadBuf;
use tokio::time::timeout;

use crate::support::*;

pub(crate) const V1: &str = "Sec-WebSocket-Protocol: endpointforward.v1, binary\r\n";

/// A session of it: the client, and the stream and its signals on our side.
pub(crate) async fn open() -> (Peer, Box<dyn ByteStream>, endpoint::Control) {
    let (peer, conn) = Server::new("").await.session(V1).await;
    let Conn { transport, control, .. } = conn;
    (peer, transport.into_bytes(), control)
}

pub(crate) fn text(message: &str) -> Vec<u8> {
    masked(0x81, message.as_bytes())
}

fn resize(cols: u16) -> Signal {
    Signal::Window(WindowSize { cols, rows: 24 })
}

fn said(outgoing: &mut SignalReceiver) -> Vec<Signal> {
    let mut signals = Vec::new();
    while let Poll::Ready(Some(signal)) = outgoing.poll_recv(&mut Task::from_waker(Waker::noop())) {
        signals.push(signal);
    }
    signals
}

async fn hello(peer: &mut Peer) -> String {
    let frame = peer.frame().await.unwrap();
    assert_eq!(frame.first, 0x81);
    String::from_utf8(frame.payload).unwrap()
}

pub(crate) async fn leave(stream: &mut dyn ByteStream) {
    timeout(LONG, poll_fn(|cx| stream.poll_close(cx))).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_first_name_that_is_known_is_agreed_on() {
    for (names, chosen) in [
        ("endpointforward.v1, binary, base64", "endpointforward.v1"),
        ("binary, endpointforward.v1", "binary"),
        ("chat, Endpointforward.V1, base64", "base64"),
    ] {
        let mut server = Server::new("").await;
        let names = format!("Sec-WebSocket-Protocol: {names}\r\n");
        let (mut peer, offer) = server.offer(&upgrade("/", &names)).await;
        let _conn = accepted(offer).await;
        let response = peer.response().await;
        assert_eq!(response.header("sec-websocket-protocol"), Some(chosen));
    }
}

#[tokio::test]
async fn hello_says_what_is_behind() {
    for (page, far, signals, face, through) in [
        ("auto", Some(Grants::Program), true, "shell", false),
        ("auto", Some(Grants::Program), false, "stream", false),
        ("auto", Some(Grants::Device), true, "serial", false),
        ("auto", Some(Grants::Service), false, "telnet", true),
        ("auto", Some(Grants::Service), true, "shell", false),
        ("auto", Some(Grants::Nothing), false, "stream", false),
        ("auto", None, false, "stream", false),
        ("telnet", Some(Grants::Service), false, "telnet", true),
        ("telnet", Some(Grants::Program), false, "telnet", true),
        ("terminal", Some(Grants::Service), false, "stream", false),
        ("terminal", Some(Grants::Program), true, "shell", false),
        ("none", Some(Grants::Service), false, "stream", false),
    ] {
        for (headers, plain) in [(V1.to_owned(), false), (plain_too(), true)] {
            let mut server = Server::new(&format!(":page={page}")).await;
            let (mut peer, offer) = server.offer(&upgrade("/", &headers)).await;
            let mut answer = Answer::default();
            (answer.far, answer.signals) = (far, signals);
            let accepted = timeout(LONG, offer.accept(answer)).await.unwrap().unwrap();
            let (conn, layered) = match accepted {
                Accepted::Session(conn) => (conn, false),
                Accepted::Through(conn, _) => (conn, true),
                Accepted::Attached => panic!("nothing to attach to"),
            };
            assert_eq!(peer.response().await.status, 101);
            let face = if plain && face == "telnet" { "stream" } else { face };
            assert_eq!(layered, through && !plain, "{page} {far:?} {plain}");
            let mut stream = conn.transport.into_bytes();
            live(&mut *stream).await;
            let expected = format!(
                r#"{{"type":"hello","version":1,"face":"{face}","ack":true,"alive":true}}"#
            );
            assert_eq!(hello(&mut peer).await, expected, "{page} {far:?}");
        }
    }
}

fn plain_too() -> String {
    format!("{V1}Endpointforward-Face: stream\r\n")
}

#[tokio::test]
async fn plain_clients_get_plain_bytes() {
    for headers in ["", BINARY, BASE64] {
        let mut server = Server::new("").await;
        let (_peer, offer) = server.offer(&upgrade("/", headers)).await;
        let mut answer = Answer::default();
        answer.far = Some(Grants::Service);
        assert!(matches!(offer.accept(answer).await.unwrap(), Accepted::Session(_)));
    }
}

#[tokio::test]
async fn data_and_signals_keep_to_their_sides() {
    let (mut peer, mut ws, control) = open().await;
    let (mut outgoing, incoming) = (control.outgoing.unwrap(), control.incoming.unwrap());
    peer.send(text(r#"{"type":"resize","cols":132,"rows":24}"#)).await;
    peer.send(masked(0x82, b"data")).await;
    assert_eq!(read_exact(&mut *ws, 4).await, b"data");
    assert_eq!(said(&mut outgoing), [resize(132)]);
    assert!(hello_of(&mut peer, &mut *ws).await);
    incoming.send(Signal::Title("a title".into())).unwrap();
    incoming.send(Signal::Echo(false)).unwrap();
    // Not a server's to say.
    incoming.send(resize(1)).unwrap();
    live(&mut *ws).await;
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"title","text":"a title"}"#);
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"echo","on":false}"#);
    write(&mut *ws, b"out").await;
    assert_eq!(
        peer.frame().await.unwrap(),
        Frame { first: 0x82, masked: false, payload: b"out".into() }
    );
}

async fn hello_of(peer: &mut Peer, ws: &mut dyn ByteStream) -> bool {
    live(ws).await;
    hello(peer).await.contains("hello")
}

#[tokio::test]
async fn a_conversation_means_the_same_however_it_is_cut() {
    let mut all = text(r#"{"type":"resize","cols":90,"rows":24}"#);
    all.extend(masked(0x82, b"one"));
    all.extend(masked(0x89, b"ping"));
    // A control message in two frames, with a ping between them.
    all.extend(masked(0x01, br#"{"type":"br"#));
    all.extend(masked(0x89, b""));
    all.extend(masked(0x80, br#"eak","ms":7}"#));
    all.extend(masked(0x02, b"tw"));
    all.extend(masked(0x80, b"o"));
    all.extend(masked(0x82, b""));
    all.extend(text(r#"{"type":"eof"}"#));
    all.extend(text(r#"{"type":"resize","cols":91,"rows":24}"#));
    for cut in 0..=all.len() {
        for in_bytes in [true, false] {
            let (mut peer, conn) = Server::new("").await.session(V1).await;
            let mut outgoing = conn.control.outgoing.unwrap();
            let (first, second) = all.split_at(cut);
            peer.send(first).await;
            let reads = async {
                let mut data = Vec::new();
                if in_bytes {
                    let mut ws = conn.transport.into_bytes();
                    while let Ok(piece) = read(&mut *ws).await
                        && !piece.is_empty()
                    {
                        data.extend(piece);
                    }
                    assert_eq!((ws.end(), ws.ending()), (End::eof(), Ending::HalfClose));
                    live(&mut *ws).await;
                } else {
                    let endpoint::Transport::Messages(mut ws) = conn.transport else { panic!() };
                    while let Some(part) = next(&mut *ws).await {
                        let part = part.unwrap();
                        assert!(!part.text);
                        data.extend(part.data);
                    }
                    live(&mut *ws).await;
                }
                data
            };
            let sends = async {
                tokio::task::yield_now().await;
                peer.send(second).await;
            };
            let (data, ()) = tokio::join!(reads, sends);
            assert_eq!(data, b"onetwo", "cut at {cut}");
            let signals = said(&mut outgoing);
            // A newer size takes an older one's place.
            let brk = Signal::Break(Break::Timed(Duration::from_millis(7)));
            assert_eq!(signals, [brk, resize(91)], "cut at {cut}");
        }
    }
}

#[tokio::test]
async fn what_is_no_control_message_ends_it() {
    let long = format!(r#"{{"type":"later","x":"{}"}}"#, "x".repeat(4096));
    let fits = format!(r#"{{"type":"later","x":"{}"}}"#, "x".repeat(4096 - 23));
    assert_eq!(fits.len(), 4096);
    for (message, code) in
        [("", 1003), ("ls\r", 1003), ("[]", 1003), (r#"{"typ":"eof"}"#, 1003), (&*long, 1008)]
    {
        let (mut peer, mut ws, _control) = open().await;
        peer.send(text(message)).await;
        let error = read(&mut *ws).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
        // The hello had no occasion to go out before, or goes out first.
        let mut frame = peer.frame().await.unwrap();
        if frame.first == 0x81 {
            frame = peer.frame().await.unwrap();
        }
        assert_eq!(frame.close_code(), Some(code), "{message}");
        assert!(frame.reason().starts_with("a control message"), "{}", frame.reason());
    }
    let (mut peer, mut ws, _control) = open().await;
    peer.send(text(&fits)).await;
    peer.send(masked(0x82, b"x")).await;
    assert_eq!(read_exact(&mut *ws, 1).await, b"x");
    // Too much in pieces, each of which would fit, is found before it is all there.
    for first in [0x01, 0x00, 0x00] {
        peer.send(masked(first, &[b' '; 2000])).await;
    }
    assert!(read(&mut *ws).await.is_err());
}

#[tokio::test]
async fn two_of_us_keep_half_close_and_signals() {
    for first in ["client", "server"] {
        let mut server = Server::new("").await;
        let dial = connect(&server.cx, "ws:{mem:s}:subprotocol=endpointforward.v1");
        let serve = async {
            let mut incoming = server.accept.accept().await.unwrap().unwrap();
            let offer = incoming.next().await.unwrap().unwrap();
            let mut answer = Answer::default();
            answer.far = Some(Grants::Service);
            match offer.accept(answer).await.unwrap() {
                Accepted::Session(conn) => conn,
                other => panic!("it is not a terminal: {other:?}"),
            }
        };
        let (client, server) = tokio::join!(dial, serve);
        let (client, server) = (client.unwrap(), server);
        let (client_control, server_control) = (client.control, server.control);
        let (mut client, mut server) =
            (client.transport.into_bytes(), server.transport.into_bytes());
        client_control.incoming.as_ref().unwrap().send(resize(77)).unwrap();
        server_control.incoming.as_ref().unwrap().send(Signal::Exit(ExitStatus::Code(9))).unwrap();
        live(&mut *client).await;
        live(&mut *server).await;
        let (one, other) = match first {
            "client" => (&mut client, &mut server),
            _ => (&mut server, &mut client),
        };
        write(&mut **one, b"question").await;
        finish(&mut **one, &End::eof()).await;
        assert_eq!(read_exact(&mut **other, 8).await, b"question");
        assert_eq!(read(&mut **other).await.unwrap(), b"");
        write(&mut **other, b"answer").await;
        finish(&mut **other, &End::eof()).await;
        assert_eq!(read_exact(&mut **one, 6).await, b"answer");
        assert_eq!(read(&mut **one).await.unwrap(), b"");
        tokio::join!(leave(&mut **one), leave(&mut **other));
        assert_eq!(said(&mut server_control.outgoing.unwrap()), [resize(77)]);
        let exit = Signal::Exit(ExitStatus::Code(9));
        assert_eq!(said(&mut client_control.outgoing.unwrap()), [exit]);
    }
}

#[tokio::test]
async fn a_server_says_that_it_is_there() {
    let (mut peer, mut ws, control) = open().await;
    assert!(hello_of(&mut peer, &mut *ws).await);
    let asked = r#"{"type":"query","what":"alive"}"#;
    // However often it is asked, while nothing reads but the session: in order with the data.
    for _ in 0..3 {
        peer.send(masked(0x82, b"data")).await;
        peer.send(text(asked)).await;
        peer.send(masked(0x82, b"more")).await;
        assert_eq!(read_exact(&mut *ws, 8).await, b"datamore");
        assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"alive"}"#);
    }
    assert_eq!(said(&mut control.outgoing.unwrap()), [], "the destination is not asked");
    // Also when its data has ended.
    peer.send(text(r#"{"type":"eof"}"#)).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"");
    peer.send(text(asked)).await;
    live(&mut *ws).await;
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"alive"}"#);
}
