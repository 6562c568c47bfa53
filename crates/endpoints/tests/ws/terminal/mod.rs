//! `endpointforward.v1`: signals next to the data, and directions that end separately.

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
async fn each_direction_ends_by_itself() {
    let (mut peer, mut ws, _control) = open().await;
    peer.send(masked(0x82, b"last")).await;
    peer.send(text(r#"{"type":"eof"}"#)).await;
    assert_eq!(read_exact(&mut *ws, 4).await, b"last");
    assert_eq!(read(&mut *ws).await.unwrap(), b"");
    assert_eq!(ws.ending(), Ending::HalfClose);
    // The other one goes on, and pings are answered meanwhile.
    peer.send(masked(0x89, b"!")).await;
    live(&mut *ws).await;
    hello(&mut peer).await;
    assert_eq!(peer.frame().await.unwrap().first, 0x8a);
    write(&mut *ws, b"answer").await;
    assert_eq!(peer.frame().await.unwrap().payload, b"answer");
    finish(&mut *ws, &End::exited(ExitStatus::Code(3))).await;
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"exit","status":3}"#);
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"eof"}"#);
    let talk = async {
        let frame = peer.frame().await.unwrap();
        assert_eq!((frame.close_code(), frame.reason()), (Some(1000), "exit status 3"));
        peer.send(close(1000, "")).await;
        assert!(peer.is_over().await);
    };
    tokio::join!(leave(&mut *ws), talk);
}

#[tokio::test]
async fn an_exit_is_said_once() {
    let (mut peer, mut ws, control) = open().await;
    control.incoming.as_ref().unwrap().send(Signal::Exit(ExitStatus::Signal(15))).unwrap();
    finish(&mut *ws, &End::exited(ExitStatus::Signal(15))).await;
    hello(&mut peer).await;
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"exit","signal":15}"#);
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"eof"}"#);
}

#[tokio::test]
async fn our_input_goes_on_after_our_end() {
    let (mut peer, mut ws, _control) = open().await;
    finish(&mut *ws, &End::eof()).await;
    hello(&mut peer).await;
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"eof"}"#);
    peer.send(masked(0x82, b"more")).await;
    assert_eq!(read_exact(&mut *ws, 4).await, b"more");
    peer.send(close(1001, "")).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"");
    assert_eq!((ws.end().code, ws.ending()), (Some(1001), Ending::Handshake));
    leave(&mut *ws).await;
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1000));
    assert!(peer.is_over().await);
}

#[tokio::test]
async fn a_close_ends_both() {
    let (mut peer, mut ws, _control) = open().await;
    live(&mut *ws).await;
    hello(&mut peer).await;
    peer.send(close(1001, "bye")).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"");
    assert_eq!(
        (ws.end(), ws.ending()),
        (End::with_code(Reason::PeerLeft, 1001, "bye"), Ending::Handshake)
    );
    finish(&mut *ws, &End::eof()).await;
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1001));
    assert!(peer.is_over().await);
}

#[tokio::test]
async fn who_leaves_after_its_eof_is_missed() {
    for word in [close(1000, ""), Vec::new()] {
        let (mut peer, mut ws, _control) = open().await;
        peer.send(text(r#"{"type":"eof"}"#)).await;
        assert_eq!(read(&mut *ws).await.unwrap(), b"");
        live(&mut *ws).await;
        peer.send(&word).await;
        if word.is_empty() {
            drop(peer);
        }
        let beside = poll_fn(|cx| ws.poll_background(cx));
        timeout(LONG, beside).await.unwrap();
    }
}

#[tokio::test]
async fn data_after_eof_is_a_mistake() {
    let (mut peer, mut ws, _control) = open().await;
    peer.send(text(r#"{"type":"eof"}"#)).await;
    peer.send(masked(0x82, b"")).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"");
    live(&mut *ws).await;
    hello(&mut peer).await;
    peer.send(masked(0x82, b"x")).await;
    timeout(LONG, poll_fn(|cx| ws.poll_background(cx))).await.unwrap();
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1008));
}

#[tokio::test]
async fn control_waits_for_the_end_of_a_message() {
    let (mut peer, conn) = Server::new("").await.session(V1).await;
    let incoming = conn.control.incoming.as_ref().unwrap();
    let endpoint::Transport::Messages(mut ws) = conn.transport else { panic!() };
    live(&mut *ws).await;
    hello(&mut peer).await;
    put(&mut *ws, Part { data: "be".into(), text: false, last: false }).await;
    incoming.send(Signal::Echo(true)).unwrap();
    live(&mut *ws).await;
    assert_eq!(peer.frame().await.unwrap().first, 0x02);
    assert!(peer.is_quiet().await);
    put(&mut *ws, Part { data: "gun".into(), text: false, last: true }).await;
    assert_eq!(peer.frame().await.unwrap().first, 0x80);
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"echo","on":true}"#);
    put(&mut *ws, Part { data: "cut".into(), text: false, last: false }).await;
    finish(&mut *ws, &End::eof()).await;
    let firsts = [peer.frame().await, peer.frame().await, peer.frame().await];
    assert_eq!(firsts.map(|frame| frame.unwrap().first), [0x02, 0x80, 0x81]);
}

#[tokio::test]
async fn a_flood_of_signals_is_bounded() {
    let (peer, mut ws, control) = open().await;
    let incoming = control.incoming.unwrap();
    for number in 0..100_000 {
        incoming.send(Signal::Title(format!("{number} {}", "x".repeat(1000)))).unwrap();
        if number % 1000 == 0 {
            let beside = poll_fn(|cx| ws.poll_background(cx));
            assert!(timeout(Duration::ZERO, beside).await.is_err());
        }
    }
    // None of it has been read; it lies in the stream beneath and one buffer.
    drop(peer);
}

/// How esptool resets a board into its boot loader, by a client that sends all of it at once.
#[tokio::test]
async fn every_step_of_a_reset_arrives_in_order() {
    let (mut peer, mut ws, control) = open().await;
    let mut outgoing = control.outgoing.unwrap();
    let steps = [(false, true), (true, false), (true, true), (false, false)];
    let mut all = Vec::new();
    for (dtr, rts) in steps {
        all.extend(text(&format!(r#"{{"type":"modem","dtr":{dtr},"rts":{rts}}}"#)));
    }
    for other in [r#"{"type":"break","on":true}"#, r#"{"type":"purge","what":"input"}"#] {
        all.extend(text(other));
    }
    all.extend(text(r#"{"type":"line","baud":9600}"#));
    all.extend(text(r#"{"type":"line","stop":1.5}"#));
    all.extend(text(r#"{"type":"query","what":"line"}"#));
    all.extend(masked(0x82, b"."));
    peer.send(all).await;
    read_exact(&mut *ws, 1).await;
    let mut expected = Vec::new();
    for (dtr, rts) in steps {
        let mut lines = ModemLines::default();
        (lines.dtr, lines.rts) = (Some(dtr), Some(rts));
        expected.push(Signal::Modem(lines));
    }
    expected.extend([Signal::Break(Break::On), Signal::Purge(Purge::Input)]);
    let mut line = LineSettings::default();
    (line.baud, line.stop_bits) = (Some(9600), Some(StopBits::OneAndHalf));
    expected.extend([Signal::Line(line), Signal::Query(Query::Line)]);
    assert_eq!(said(&mut outgoing), expected);
}

#[tokio::test]
async fn a_flood_of_events_stalls_its_sender_and_loses_nothing() {
    let (mut peer, mut ws, control) = open().await;
    let mut outgoing = control.outgoing.unwrap();
    let mut all = text(r#"{"type":"break"}"#).repeat(3 * EVENTS);
    all.extend(text(r#"{"type":"resize","cols":90,"rows":24}"#));
    all.extend(masked(0x82, b"."));
    peer.send(all).await;
    let (mut got, mut buf) = (Vec::new(), [0; 1]);
    loop {
        // Not read from until there is room: the data behind them doesn't come before that either.
        let read = poll_fn(|cx| {
            let read = Pin::new(&mut *ws).poll_read(cx, &mut ReadBuf::new(&mut buf));
            Poll::Ready(read.is_ready())
        });
        if read.await {
            break;
        }
        let more = said(&mut outgoing);
        assert!(more.len() <= EVENTS, "{} at once", more.len());
        got.extend(more);
        tokio::task::yield_now().await;
    }
    assert_eq!(buf, *b".");
    got.extend(said(&mut outgoing));
    assert_eq!((got.len(), got.last()), (3 * EVENTS + 1, Some(&resize(90))));
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

/// Writes pieces of 4 KiB until the stream takes no more, or 32 KiB; how many bytes it took.
async fn fill(stream: &mut dyn ByteStream) -> u64 {
    let mut taken = 0;
    poll_fn(|cx| {
        // Acknowledgements come with what is read.
        let mut space = [0; 64];
        let _ = Pin::new(&mut *stream).poll_read(cx, &mut ReadBuf::new(&mut space));
        while taken < 32 << 10
            && let Poll::Ready(written) = Pin::new(&mut *stream).poll_write(cx, &[b'x'; 4096])
        {
            taken += written.unwrap() as u64;
        }
        Poll::Ready(())
    })
    .await;
    taken
}

/// Has the client read all that it is sent, until nothing more comes for a while.
async fn drain(stream: &mut dyn ByteStream, peer: &mut Peer) -> u64 {
    let (mut sent, mut got, mut idle) = (0, 0, 0);
    while idle < 100 {
        let more = fill(stream).await;
        sent += more;
        idle = if more > 0 { 0 } else { idle + 1 };
        while got < sent {
            let frame = timeout(LONG, peer.frame()).await.unwrap().unwrap();
            assert_eq!(frame.first, 0x82);
            got += frame.payload.len() as u64;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(sent < 1 << 20, "it is held up by nothing");
    }
    sent
}

#[tokio::test]
async fn a_client_that_acknowledges_is_sent_a_window() {
    let (mut peer, mut stream, _control) = open().await;
    timeout(LONG, poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx))).await.unwrap().unwrap();
    assert!(hello(&mut peer).await.contains(r#""ack":true"#));
    peer.send(text(r#"{"type":"ack","bytes":0}"#)).await;
    // 128 KiB at first, however much of it has arrived.
    let first = drain(&mut *stream, &mut peer).await;
    assert!((128 << 10..(128 << 10) + 4096).contains(&first), "{first}");
    // An ack without new bytes changes nothing, and the next one lets more through.
    peer.send(text(r#"{"type":"ack","bytes":0}"#)).await;
    assert_eq!(drain(&mut *stream, &mut peer).await, 0);
    peer.send(text(&format!(r#"{{"type":"ack","bytes":{first}}}"#))).await;
    assert!(drain(&mut *stream, &mut peer).await >= 16 << 10);
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

/// A client in front of messages.
async fn of_messages(parameters: &str) -> (Peer, Box<dyn endpoint::MessageStream>) {
    let mut server = Server::new(parameters).await;
    let (mut peer, offer) = server.offer(&upgrade("/", V1)).await;
    let mut answer = Answer::default();
    (answer.far, answer.messages) = (Some(Grants::Service), true);
    let accepted = timeout(LONG, offer.accept(answer)).await.unwrap().unwrap();
    let Accepted::Session(conn) = accepted else { panic!("no telnet is spoken to messages") };
    assert_eq!(peer.response().await.status, 101);
    let endpoint::Transport::Messages(mut ws) = conn.transport else { panic!() };
    live(&mut *ws).await;
    assert!(hello(&mut peer).await.contains(r#""face":"messages""#));
    (peer, ws)
}

#[tokio::test]
async fn messages_keep_their_boundaries_and_types() {
    let (mut peer, mut ws) = of_messages("").await;
    let part = |data: &'static [u8], text, last| Part {
        data: bytes::Bytes::from_static(data),
        text,
        last,
    };
    for (data, text, last) in [
        (&b"te"[..], true, false),
        (b"xt", true, true),
        (b"more", true, true),
        (b"\xff", false, true),
    ] {
        put(&mut *ws, part(data, text, last)).await;
    }
    let mut frames = Vec::new();
    for _ in 0..6 {
        let frame = peer.frame().await.unwrap();
        frames.push((frame.first, String::from_utf8_lossy(&frame.payload).into_owned()));
    }
    let frames: Vec<_> = frames.iter().map(|(first, text)| (*first, &**text)).collect();
    assert_eq!(
        frames,
        [
            (0x81, r#"{"type":"text","on":true}"#),
            (0x02, "te"),
            (0x80, "xt"),
            (0x82, "more"),
            (0x81, r#"{"type":"text","on":false}"#),
            (0x82, "\u{fffd}"),
        ]
    );
    // And the other way.
    peer.send(masked(0x82, b"\xfe")).await;
    peer.send(text(r#"{"type":"text","on":true}"#)).await;
    peer.send(masked(0x02, &"€".as_bytes()[..1])).await;
    peer.send(masked(0x80, &"€".as_bytes()[1..])).await;
    for (expected, is_text) in [(&b"\xfe"[..], false), ("€".as_bytes(), true)] {
        let mut whole = Vec::new();
        loop {
            let next = poll_fn(|cx| futures_core::Stream::poll_next(Pin::new(&mut *ws), cx));
            let part = timeout(LONG, next).await.unwrap().unwrap().unwrap();
            assert_eq!(part.text, is_text);
            whole.extend_from_slice(&part.data);
            if part.last {
                break;
            }
        }
        assert_eq!(whole, expected);
    }
    // Data that was declared as text has to be UTF-8.
    peer.send(masked(0x82, b"a\xff")).await;
    let next = poll_fn(|cx| futures_core::Stream::poll_next(Pin::new(&mut *ws), cx));
    let error = timeout(LONG, next).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "WebSocket: text data must be UTF-8");
    let close = peer.frame().await.unwrap();
    assert_eq!((close.first, &close.payload[..2]), (0x88, &1007u16.to_be_bytes()[..]));
}

#[tokio::test]
async fn a_list_with_mqtt_says_what_is_behind() {
    let face = async |parameters: &str, headers: &str| {
        let mut server = Server::new(parameters).await;
        let (mut peer, offer) = server.offer(&upgrade("/", headers)).await;
        let mut answer = Answer::default();
        answer.far = Some(Grants::Service);
        let conn = match timeout(LONG, offer.accept(answer)).await.unwrap().unwrap() {
            Accepted::Session(conn) | Accepted::Through(conn, _) => conn,
            Accepted::Attached => panic!("nothing to attach to"),
        };
        assert_eq!(peer.response().await.status, 101);
        let mut stream = conn.transport.into_bytes();
        live(&mut *stream).await;
        let hello: serde_json::Value = serde_json::from_str(&hello(&mut peer).await).unwrap();
        hello["face"].as_str().unwrap().to_owned()
    };
    assert_eq!(face(":subprotocol={mqtt,mqttv3.1}", V1).await, "mqtt");
    assert_eq!(face(":subprotocol=mqtt:framing=mqtt", V1).await, "mqtt");
    assert_eq!(face(":subprotocol=mqtt", &plain_too()).await, "stream");
    assert_eq!(face(":subprotocol=mqtt:page=terminal", V1).await, "stream");
    assert_eq!(face("", V1).await, "telnet");
    assert_eq!(face(":framing=lines", V1).await, "messages");
}

#[tokio::test]
async fn a_message_larger_than_the_window_arrives_whole() {
    let (mut peer, mut ws) = of_messages("").await;
    peer.send(text(r#"{"type":"ack","bytes":0}"#)).await;
    let data = bytes::Bytes::from(vec![7; 200 << 10]);
    let sending = async {
        for at in 0..5 {
            put(&mut *ws, Part { data: data.clone(), text: false, last: at == 4 }).await;
        }
    };
    let receiving = async {
        let mut got = 0;
        while got < 5 * data.len() {
            got += peer.frame().await.unwrap().payload.len();
        }
    };
    timeout(LONG, async { tokio::join!(sending, receiving) }).await.unwrap();
}
