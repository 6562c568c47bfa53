//! Frames that come: fragments, control frames between them, and mistakes.

use std::io::ErrorKind;

use endpoint::End;

use crate::support::*;

#[tokio::test]
async fn fragments_with_pings_between_are_one_stream() {
    let (mut peer, mut ws) = session("", BINARY).await;
    let mut frames = masked(0x02, b"He");
    frames.extend(masked(0x89, b"one"));
    frames.extend(masked(0x00, b""));
    frames.extend(masked(0x00, b"ll"));
    frames.extend(masked(0x89, b"two"));
    frames.extend(masked(0x8a, b"unasked"));
    frames.extend(masked(0x80, b"o"));
    peer.send(frames).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"Hello");
    for payload in [b"one", b"two"] {
        let pong = peer.frame().await.unwrap();
        assert_eq!((pong.first, &*pong.payload, pong.masked), (0x8a, &payload[..], false));
    }
}

#[tokio::test]
async fn empty_messages_and_pings_alone_are_no_end() {
    let (mut peer, mut ws) = session("", "").await;
    for _ in 0..100 {
        peer.send(masked(0x82, b"")).await;
        peer.send(masked(0x89, b"")).await;
    }
    peer.send(masked(0x82, b"x")).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"x");
}

#[tokio::test]
async fn a_frame_of_16_mib_passes_in_constant_memory() {
    let mut server = Server::new(":origin=any").await;
    let (mut peer, conn) = server.session(BINARY).await;
    let mut ws = conn.transport.into_bytes();
    let data = noise(16 << 20);
    let frame = masked(0x82, &data);
    let send = async {
        peer.send(frame).await;
        peer
    };
    let get = async {
        let mut all = Vec::new();
        while all.len() < data.len() {
            let got = read(&mut *ws).await.unwrap();
            assert!(!got.is_empty() && got.len() <= 4096, "it is read as it comes");
            all.extend(got);
        }
        all
    };
    let (_peer, all) = tokio::join!(send, get);
    assert!(all == data);
}

#[tokio::test]
async fn mistakes_are_answered_with_their_code_after_what_was_right() {
    for (frame, code) in [
        (vec![0x82, 0x01, b'x'], 1002),        // unmasked
        (masked(0xc2, b"x"), 1002),            // RSV1
        (masked(0x83, b"x"), 1002),            // reserved opcode
        (masked(0x80, b"x"), 1002),            // nothing to continue
        (masked(0x09, b"x"), 1002),            // a fragmented ping
        (vec![0x89, 0xfe, 0x01, 0x00], 1002),  // a long ping
        (masked(0x88, b"x"), 1002),            // half a close code
        (close(1005, ""), 1002),               // a code that isn't sent
        (masked(0x88, b"\x03\xe8\xff"), 1007), // a reason that is no text
        (vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002),
        (masked(0x81, b"text"), 1003), // binary was agreed on
    ] {
        let (mut peer, mut ws) = session("", BINARY).await;
        let mut all = masked(0x82, b"good");
        all.extend(&frame);
        peer.send(all).await;
        assert_eq!(read_exact(&mut *ws, 4).await, b"good");
        let error = read(&mut *ws).await.expect_err("a mistake was made");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(peer.frame().await.unwrap().close_code(), Some(code), "{frame:02x?}");
        assert_eq!(peer.frame().await, None, "the connection is over");
        // Data written now has nowhere to go; neither that nor the end is an error.
        write(&mut *ws, b"late").await;
        finish(&mut *ws, &End::eof()).await;
        assert!(read(&mut *ws).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_words_of_1003_are_autobahns() {
    for (headers, frame) in [(BINARY, masked(0x81, b"x")), (BASE64, masked(0x82, b"x"))] {
        let (mut peer, mut ws) = session("", headers).await;
        peer.send(frame).await;
        read(&mut *ws).await.expect_err("the type is wrong");
        let close = peer.frame().await.unwrap();
        assert_eq!(close.close_code(), Some(1003));
        let words = "message payload type does not match the negotiated subprotocol";
        assert_eq!(close.reason(), words);
    }
}

#[tokio::test]
async fn without_a_subprotocol_text_and_binary_are_taken() {
    let (mut peer, mut ws) = session("", "").await;
    let mut frames = masked(0x81, "grüß".as_bytes());
    frames.extend(masked(0x82, b"\xff"));
    frames.extend(masked(0x81, b"\xfe"));
    peer.send(frames).await;
    assert_eq!(read_exact(&mut *ws, 8).await, b"gr\xc3\xbc\xc3\x9f\xff\xfe");
    write(&mut *ws, b"out").await;
    assert_eq!(peer.frame().await.unwrap().first, 0x82);
}

#[tokio::test]
async fn messages_keep_their_type_without_a_subprotocol() {
    let (mut peer, mut ws) = messages("", "").await;
    peer.send(masked(0x81, b"text")).await;
    peer.send(masked(0x82, b"bytes")).await;
    for _ in 0..2 {
        let (data, text) = message(&mut *ws).await;
        put(&mut *ws, endpoint::Part { data: data.into(), text, last: true }).await;
    }
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.first, &*frame.payload), (0x81, &b"text"[..]));
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.first, &*frame.payload), (0x82, &b"bytes"[..]));
}

#[tokio::test]
async fn text_messages_must_be_utf_8() {
    let (mut peer, mut ws) = messages("", "").await;
    peer.send(masked(0x81, b"ok\xff")).await;
    assert_eq!(next(&mut *ws).await.unwrap().unwrap().data, &b"ok"[..]);
    next(&mut *ws).await.unwrap().expect_err("that is no text");
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1007));
}

/// A peer that asks without end and never reads holds up no data, and no queue grows.
#[tokio::test]
async fn pings_without_end_do_not_hold_up_the_data() {
    let mut server = Server::bind("ws:{mem:s:capacity=2k}").await;
    let (mut peer, conn) = server.session(BINARY).await;
    let mut ws = conn.transport.into_bytes();
    let send = async {
        for _ in 0..5_000 {
            peer.send(masked(0x89, &[7; 125])).await;
        }
        peer.send(masked(0x82, b"data")).await;
        peer
    };
    let (mut peer, got) = tokio::join!(send, read(&mut *ws));
    assert_eq!(got.unwrap(), b"data");
    let mut pongs = 0;
    while let Ok(Some(_)) =
        tokio::time::timeout(std::time::Duration::from_millis(50), peer.frame()).await
    {
        pongs += 1;
    }
    assert!(pongs <= 2048 / 127 + 1 + 16, "{pongs} pongs were kept");
}

#[tokio::test]
async fn random_bytes_neither_panic_nor_hang() {
    use tokio::io::AsyncWriteExt;
    let random = noise(64 * 200);
    for (index, bytes) in random.chunks(64).enumerate() {
        let headers = [BINARY, BASE64, ""][index % 3];
        let (mut peer, mut ws) = session("", headers).await;
        // A right frame first, so that some get further than the first byte.
        let mut all = masked(if headers == BINARY { 0x02 } else { 0x01 }, b"YWJj");
        all.extend_from_slice(bytes);
        if index % 2 == 0 {
            // The first byte is made a plausible one.
            all[10] = [0x00, 0x80, 0x88, 0x89, 0x8a][index % 5];
            all[11] |= 0x80;
        }
        peer.send(all).await;
        peer.io.shutdown().await.unwrap();
        while read(&mut *ws).await.is_ok_and(|read| !read.is_empty()) {}
        finish(&mut *ws, &End::eof()).await;
        let (peer, mut ws) = messages("", headers).await;
        let mut peer = peer;
        peer.send(bytes).await;
        peer.io.shutdown().await.unwrap();
        while next(&mut *ws).await.is_some_and(|part| part.is_ok()) {}
        finish(&mut *ws, &End::eof()).await;
    }
}

/// The reason of a refusal is worth nothing if a reset destroys it.
#[tokio::test]
async fn the_close_of_a_mistake_arrives_over_a_socket_with_more_behind_it() {
    let mut server = Server::bind("ws:{tcp:0:interface=127.0.0.1}").await;
    let address = server.accept.local().address.unwrap();
    let mut peer = Peer::new(tokio::net::TcpStream::connect(address).await.unwrap());
    let mut incoming = server.accept.accept().await.unwrap().unwrap();
    peer.send(upgrade("/", BINARY)).await;
    let mut ws = accepted(incoming.next().await.unwrap().unwrap()).await.transport.into_bytes();
    assert_eq!(peer.response().await.status, 101);
    peer.send(masked(0x81, &noise(100_000))).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    read(&mut *ws).await.expect_err("the type is wrong");
    drop(ws);
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1003));
}
