//! permessage-deflate through an endpoint: negotiation, both views, limits. Its bytes are those of
//! RFC 7692 section 7.2.3.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Task, Wake, Waker};

use endpoint::{End, Ending, Life, Part};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::support::*;

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
const ON: &str = ":compression={threshold=0}";
/// `Hello`, with a fixed Huffman table.
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
/// The same once more, with the first one as context.
const AGAIN: &[u8] = b"\xf2\x00\x11\x00\x00";

/// Is `true` once a task was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn it_is_agreed_on_only_if_both_want_it() {
    for (parameters, headers, agreed) in [
        ("", OFFER, None),
        (":compression=off", OFFER, None),
        (":compression=on", "", None),
        (":compression=on", OFFER, Some("permessage-deflate")),
        (":compression=true", "Sec-WebSocket-Extensions: x-other\r\n", None),
        (
            ":compression={client_max_window_bits=10:server_no_context_takeover=true}",
            OFFER,
            Some("permessage-deflate; server_no_context_takeover; client_max_window_bits=10"),
        ),
    ] {
        let (mut peer, offer) = Server::new(parameters).await.offer(&upgrade("/", headers)).await;
        let _conn = accepted(offer).await;
        let response = peer.response().await;
        assert_eq!(response.header("sec-websocket-extensions"), agreed, "{parameters}");
    }
}

#[tokio::test]
async fn bytes_come_inflated_and_go_deflated() {
    let (mut peer, mut ws) = session(ON, OFFER).await;
    peer.send([masked(0xc1, HELLO), masked(0xc1, AGAIN), masked(0x81, b"!")].concat()).await;
    assert_eq!(read_exact(&mut *ws, 11).await, b"HelloHello!");
    // In two fragments, with a ping between.
    let pieces = [masked(0x41, &HELLO[..3]), masked(0x89, b"p"), masked(0x80, &HELLO[3..])];
    peer.send(pieces.concat()).await;
    assert_eq!(read_exact(&mut *ws, 5).await, b"Hello");
    live(&mut *ws).await;
    assert_eq!(peer.frame().await.unwrap().first, 0x8a);
    write(&mut *ws, b"Hello").await;
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.first, &*frame.payload), (0xc2, HELLO));
}

#[tokio::test]
async fn messages_keep_type_and_boundaries() {
    let (mut peer, mut ws) = messages(ON, OFFER).await;
    peer.send([masked(0xc1, HELLO), masked(0xc2, AGAIN), masked(0xc1, b"\0")].concat()).await;
    assert_eq!(message(&mut *ws).await, (b"Hello".to_vec(), true));
    assert_eq!(message(&mut *ws).await, (b"Hello".to_vec(), false));
    assert_eq!(message(&mut *ws).await, (Vec::new(), true));
    put(&mut *ws, Part::text("Hello")).await;
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.first, &*frame.payload), (0xc1, HELLO));
    for (data, last) in [("He", false), ("llo", true)] {
        put(&mut *ws, Part { data: data.into(), text: true, last }).await;
    }
    let (one, two) = (peer.frame().await.unwrap(), peer.frame().await.unwrap());
    // RSV1 stands on the first frame of a message alone.
    assert_eq!((one.first, two.first), (0x41, 0x80));
}

#[tokio::test]
async fn small_messages_are_sent_as_they_are() {
    let (mut peer, mut ws) = session(":compression=on", OFFER).await;
    for (len, first) in [(127, 0x82), (128, 0xc2)] {
        write(&mut *ws, &vec![b'x'; len]).await;
        assert_eq!(peer.frame().await.unwrap().first, first, "{len}");
    }
}

#[tokio::test]
async fn a_terminal_ends_in_halves() {
    let headers = format!("{OFFER}Sec-WebSocket-Protocol: endpointforward.v1\r\n");
    let (mut peer, mut ws) = session(ON, &headers).await;
    let end = masked(0x81, br#"{"type":"eof"}"#);
    peer.send([masked(0xc2, HELLO), end].concat()).await;
    assert_eq!(read_exact(&mut *ws, 5).await, b"Hello");
    assert_eq!(read(&mut *ws).await.unwrap(), b"");
    assert_eq!(ws.ending(), Ending::HalfClose);
    // The peer's frames are still read, and no task is woken while it sends nothing.
    peer.send(masked(0x89, b"!")).await;
    live(&mut *ws).await;
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    assert!(ws.poll_background(&mut Task::from_waker(&waker)).is_pending());
    assert!(!woken.0.load(Ordering::Relaxed), "it spins");
    assert_eq!(peer.frame().await.unwrap().first, 0x81);
    assert_eq!(peer.frame().await.unwrap().first, 0x8a);
    write(&mut *ws, b"Hello").await;
    assert_eq!(peer.frame().await.unwrap().payload, HELLO);
    finish(&mut *ws, &End::eof()).await;
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"eof"}"#);
    let talk = async {
        assert_eq!(peer.frame().await.unwrap().close_code(), Some(1000));
        peer.send(close(1000, "")).await;
        assert!(peer.is_over().await);
    };
    let leave = poll_fn(|cx| Life::poll_close(&mut *ws, cx));
    let (left, ()) = tokio::join!(timeout(LONG, leave), talk);
    left.unwrap().unwrap();
}

#[tokio::test]
async fn fragments_are_cut_after_compression() {
    let (mut peer, mut ws) = session(":compression={threshold=0}:fragment=4", OFFER).await;
    write(&mut *ws, b"Hello").await;
    let frames = [peer.frame().await.unwrap(), peer.frame().await.unwrap()];
    assert_eq!((frames[0].first, frames[1].first), (0x42, 0x80));
    assert_eq!([&*frames[0].payload, &*frames[1].payload].concat(), HELLO);
}

#[tokio::test]
async fn text_has_to_be_utf8_once_it_is_inflated() {
    // Stored blocks: 00, length, its complement.
    let stored = |data: &[u8]| {
        let len = data.len() as u16;
        [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), data, b"\0"].concat()
    };
    let (mut peer, mut ws) = messages(ON, OFFER).await;
    peer.send(masked(0xc1, &stored("€".as_bytes()))).await;
    assert_eq!(message(&mut *ws).await, ("€".as_bytes().to_vec(), true));
    peer.send(masked(0xc1, &stored(b"a\xff"))).await;
    assert_eq!(next(&mut *ws).await.unwrap().unwrap().data, "a");
    next(&mut *ws).await.unwrap().expect_err("that is no text");
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1007));
}

#[tokio::test]
async fn what_is_not_deflate_is_1007() {
    let (mut peer, mut ws) = session(ON, OFFER).await;
    peer.send([masked(0xc2, HELLO), masked(0xc2, b"\xff\xff\xff")].concat()).await;
    assert_eq!(read_exact(&mut *ws, 5).await, b"Hello");
    let error = read(&mut *ws).await.expect_err("that is no deflate");
    assert!(error.to_string().contains("deflate"), "{error}");
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1007));
}

#[tokio::test]
async fn compressed_frames_need_an_agreement() {
    let (mut peer, mut ws) = session("", OFFER).await;
    peer.send(masked(0xc2, HELLO)).await;
    read(&mut *ws).await.expect_err("nothing was agreed on");
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1002));
}

#[tokio::test]
async fn what_counts_of_a_message_is_what_it_inflates_to() {
    let (mut peer, mut ws) = session(":compression=on:max-message=5", OFFER).await;
    // Seven bytes, and more in fragments.
    peer.send([masked(0xc2, HELLO), masked(0x42, &AGAIN[..1]), masked(0x80, &AGAIN[1..])].concat())
        .await;
    assert_eq!(read_exact(&mut *ws, 10).await, b"HelloHello");
    peer.send(masked(0x82, b"seconds")).await;
    read(&mut *ws).await.expect_err("seven bytes");
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1009));
}

#[tokio::test]
async fn a_message_may_inflate_to_so_much() {
    let (mut peer, mut ws) = session(":compression={threshold=0}:max-message=4", OFFER).await;
    peer.send(masked(0xc2, HELLO)).await;
    while let Ok(data) = read(&mut *ws).await {
        assert!(!data.is_empty() && data.len() <= 4);
    }
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1009));
}

#[tokio::test]
async fn a_client_offers_it_and_takes_what_the_server_made_of_it() {
    for (answer, wrong) in [
        ("permessage-deflate", None),
        ("permessage-deflate; server_max_window_bits=9; client_max_window_bits=10", None),
        ("", None),
        ("permessage-deflate; server_max_window_bits=99", Some("compression can't be used")),
        ("x-other", Some("compression can't be used")),
    ] {
        let cx = endpoint::Context::new();
        let mut accept = bind(&cx, "mem:c").await;
        let server = async {
            let mut incoming = accept.accept().await.unwrap().unwrap();
            let conn = accepted(incoming.next().await.unwrap().unwrap()).await;
            let mut peer = Peer::new(conn.into_io());
            let request = peer.head().await;
            assert!(
                request.contains(
                    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                ),
                "{request}"
            );
            let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
            let accept = derive_accept_key(key.unwrap().as_bytes());
            let extensions = match answer {
                "" => String::new(),
                answer => format!("Sec-WebSocket-Extensions: {answer}\r\n"),
            };
            let head =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
            peer.send(format!("{head}\r\nSec-WebSocket-Accept: {accept}\r\n{extensions}\r\n"))
                .await;
            peer
        };
        let text = format!("ws:{{mem:c}}{ON}");
        let (mut peer, conn) = tokio::join!(server, connect(&cx, &text));
        if let Some(words) = wrong {
            let error = conn.expect_err("it can't be agreed to");
            assert!(error.to_string().contains(words), "{error}");
            continue;
        }
        let mut ws = conn.unwrap().transport.into_bytes();
        write(&mut *ws, b"Hello").await;
        let frame = peer.frame().await.unwrap();
        assert!(frame.masked);
        let expected = if answer.is_empty() { (0x82, &b"Hello"[..]) } else { (0xc2, HELLO) };
        assert_eq!((frame.first, &*frame.payload), expected);
        if !answer.is_empty() {
            peer.send(plain(0xc2, HELLO)).await;
            assert_eq!(read_exact(&mut *ws, 5).await, b"Hello");
        }
    }
}

#[tokio::test]
async fn bulk_passes_both_ways() {
    for parameters in [
        ":compression=on",
        ":compression={level=9:server_no_context_takeover=on:client_no_context_takeover=on}",
        ":compression={server_max_window_bits=9:client_max_window_bits=9}:fragment=1000",
    ] {
        let mut server =
            Server::bind(&format!("ws:{{tcp:0:interface=127.0.0.1}}{parameters}")).await;
        let to = server.accept.local().address.unwrap();
        let text = format!("ws:{{tcp:{to}}}{parameters}");
        let far = async {
            let mut incoming = server.accept.accept().await.unwrap().unwrap();
            accepted(incoming.next().await.unwrap().unwrap()).await
        };
        let (near, far) = tokio::join!(connect(&server.cx, &text), far);
        let mut near = near.unwrap().transport.into_bytes();
        let mut far = far.transport.into_bytes();
        // Half of it shrinks.
        let mut data = noise(300_000);
        data.extend("It was a dark and stormy night. ".repeat(10_000).bytes());
        for _ in 0..2 {
            let send = write(&mut *near, &data);
            let ((), got) = tokio::join!(send, read_exact(&mut *far, data.len()));
            assert!(got == data, "{parameters}");
            std::mem::swap(&mut near, &mut far);
        }
        let (one, two) = (End::eof(), End::eof());
        tokio::join!(finish(&mut *near, &one), async {
            assert_eq!(read(&mut *far).await.unwrap(), b"");
            finish(&mut *far, &two).await;
        });
    }
}
