//! `encoding=`: the messages for bytes where the subprotocol leaves it open.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use endpoint::info::RequestedWindow;
use endpoint::{ByteStream, End, Part};
use tokio::io::AsyncWriteExt;

use crate::support::*;

#[tokio::test]
async fn text_is_never_cut_inside_a_character() {
    let (mut peer, mut ws) = session(":encoding=text", "").await;
    let text = "aü€😀z".as_bytes();
    for byte in text {
        put_in(&mut *ws, &[*byte]).await;
    }
    finish(&mut *ws, &End::eof()).await;
    let mut got = Vec::new();
    loop {
        let frame = peer.frame().await.unwrap();
        if frame.first == 0x88 {
            assert_eq!(frame.close_code(), Some(1000));
            break;
        }
        assert_eq!(frame.first, 0x81);
        got.push(String::from_utf8(frame.payload).expect("each message is UTF-8 by itself"));
    }
    assert_eq!(got, ["a", "ü", "€", "😀", "z"]);
}

#[tokio::test]
async fn what_is_no_text_is_an_error_that_names_the_way_out() {
    for (data, finishes) in [(&b"ok\xff"[..], false), (b"\xe2\x82", true)] {
        let (mut peer, mut ws) = session(":encoding=text", "").await;
        let error = if finishes {
            put_in(&mut *ws, data).await;
            poll_fn(|cx| ws.poll_finish(cx, &End::eof())).await.unwrap_err()
        } else {
            ws.write_all(data).await.unwrap_err()
        };
        assert!(error.to_string().contains("encoding=auto"), "{error}");
        if !finishes {
            assert_eq!(peer.frame().await.unwrap().payload, b"ok", "it was right");
        }
        assert_eq!(peer.frame().await.unwrap().close_code(), Some(1011));
    }
}

#[tokio::test]
async fn a_name_that_is_configured_says_nothing_about_frames() {
    for (name, taken) in [("chat", true), ("mqtt", false)] {
        let headers = format!("Sec-WebSocket-Protocol: {name}\r\n");
        let (mut peer, mut ws) = messages(":subprotocol={mqtt,*}", &headers).await;
        peer.send([masked(0x82, b"bytes"), masked(0x81, b"text")].concat()).await;
        assert_eq!(message(&mut *ws).await, (b"bytes".to_vec(), false));
        if taken {
            assert_eq!(message(&mut *ws).await, (b"text".to_vec(), true));
            put(&mut *ws, Part::text("back")).await;
            assert_eq!(peer.frame().await.unwrap().first, 0x81);
        } else {
            next(&mut *ws).await.unwrap().unwrap_err();
            assert_eq!(peer.frame().await.unwrap().close_code(), Some(1003));
        }
    }
}

#[tokio::test]
async fn auto_is_text_where_it_can_be_and_loses_nothing() {
    let (mut peer, mut ws) = session(":encoding=auto", "").await;
    for (data, first, payload) in [
        (&b"plain"[..], 0x81, &b"plain"[..]),
        (b"\xff\xfe", 0x82, b"\xff\xfe"),
        (b"a\xe2\x82", 0x81, b"a"),
        (b"\xac", 0x81, "€".as_bytes()),
        // The beginning of a character that is none after all.
        (b"b\xe2", 0x81, b"b"),
        (b"c", 0x82, b"\xe2c"),
    ] {
        put_in(&mut *ws, data).await;
        let frame = peer.frame().await.unwrap();
        assert_eq!((frame.first, &*frame.payload), (first, payload), "{data:?}");
    }
    put_in(&mut *ws, b"\xf0\x9f").await;
    finish(&mut *ws, &End::eof()).await;
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.first, &*frame.payload), (0x82, &b"\xf0\x9f"[..]));
}

/// Writes and flushes, but doesn't wait until a flush is over that waits for more itself.
async fn put_in(ws: &mut dyn ByteStream, data: &[u8]) {
    ws.write_all(data).await.unwrap();
    let flushed = poll_fn(|cx| Poll::Ready(Pin::new(&mut *ws).poll_flush(cx))).await;
    assert!(!matches!(flushed, Poll::Ready(Err(_))));
}

/// A peer that answers to these bytes would wait for ever for more than there is.
#[tokio::test]
async fn auto_keeps_nothing_when_nothing_more_comes() {
    let (mut peer, mut ws) = session(":encoding=auto", "").await;
    for data in [&b"\xc3"[..], b"\x80\xff\xc3", b"\xff\xfe\xf0\x9f\x98"] {
        write(&mut *ws, data).await;
        let frame = peer.frame().await.unwrap();
        assert_eq!((frame.first, &*frame.payload), (0x82, data));
    }
    write(&mut *ws, b"\x00\x01\xe2\x82").await;
    for (first, payload) in [(0x81, &b"\x00\x01"[..]), (0x82, b"\xe2\x82")] {
        let frame = peer.frame().await.unwrap();
        assert_eq!((frame.first, &*frame.payload), (first, payload));
    }
}

#[tokio::test]
async fn text_that_ends_inside_a_character_is_not_waited_for_for_ever() {
    let (mut peer, mut ws) = session(":encoding=text", "").await;
    ws.write_all(b"ok\xc3").await.unwrap();
    let error = ws.flush().await.unwrap_err();
    assert!(error.to_string().contains("encoding=auto"), "{error}");
    assert_eq!(peer.frame().await.unwrap().payload, b"ok");
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1011));
}

#[tokio::test]
async fn base64_needs_no_subprotocol() {
    let (mut peer, mut ws) = session(":encoding=base64", "").await;
    write(&mut *ws, b"ab").await;
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.first, &*frame.payload), (0x81, &b"YWI="[..]));
    peer.send(masked(0x81, b"YWJj")).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_subprotocol_that_frames_is_kept_to() {
    let (mut peer, mut ws) = session(":encoding=text", BINARY).await;
    write(&mut *ws, b"text").await;
    assert_eq!(peer.frame().await.unwrap().first, 0x82);
}

#[tokio::test]
async fn messages_stay_what_they_are() {
    let (mut peer, mut ws) = messages(":encoding=text", "").await;
    put(&mut *ws, Part::binary("b")).await;
    put(&mut *ws, Part::text("t")).await;
    assert_eq!(peer.frame().await.unwrap().first, 0x82);
    assert_eq!(peer.frame().await.unwrap().first, 0x81);
}

#[tokio::test]
async fn both_types_are_taken() {
    let (mut peer, mut ws) = session(":encoding=text", "").await;
    peer.send([masked(0x81, b"t"), masked(0x82, b"b")].concat()).await;
    assert_eq!(read_exact(&mut *ws, 2).await, b"tb");
}

/// The first frame of these bytes, after a handshake with this query.
async fn first_frame(parameters: &str, query: &str, data: &[u8]) -> (u8, Vec<u8>) {
    let mut server = Server::new(parameters).await;
    let (mut peer, offer) = server.offer(&upgrade(&format!("/?{query}"), "")).await;
    let conn = accepted(offer).await;
    assert_eq!(peer.response().await.status, 101);
    let mut ws = conn.transport.into_bytes();
    write(&mut *ws, data).await;
    let frame = peer.frame().await.unwrap();
    (frame.first, frame.payload)
}

#[tokio::test]
async fn a_client_may_choose_its_encoding_where_that_is_allowed() {
    for (parameters, query, first, payload) in [
        (":query=encoding", "encoding=text", 0x81, "abc"),
        (":query={encoding,size}", "a=b&encoding=base64", 0x81, "YWJj"),
        (":query=encoding", "encoding=auto", 0x81, "abc"),
        (":query=encoding:encoding=text", "encoding=binary", 0x82, "abc"),
        (":query=encoding:encoding=text", "", 0x81, "abc"),
        ("", "encoding=text", 0x82, "abc"),
        ("", "encoding=utf16", 0x82, "abc"),
        (":query=", "encoding=text", 0x82, "abc"),
    ] {
        let got = first_frame(parameters, query, b"abc").await;
        assert_eq!(got, (first, payload.into()), "{parameters} {query}");
    }
}

#[tokio::test]
async fn two_clients_of_a_listener_have_an_encoding_each() {
    let mut server = Server::new(":query=encoding").await;
    let mut open = Vec::new();
    for query in ["encoding=text", "encoding=binary", "encoding=base64"] {
        let (mut peer, offer) = server.offer(&upgrade(&format!("/?{query}"), "")).await;
        let ws = accepted(offer).await.transport.into_bytes();
        assert_eq!(peer.response().await.status, 101);
        open.push((peer, ws));
    }
    let mut first = Vec::new();
    for (peer, ws) in &mut open {
        write(&mut **ws, b"abc").await;
        first.push(peer.frame().await.unwrap().first);
    }
    assert_eq!(first, [0x81, 0x82, 0x81]);
    // Data that comes as base64 goes on as bytes.
    let (peer, ws) = &mut open[2];
    peer.send(masked(0x81, b"YWJj")).await;
    assert_eq!(read(&mut **ws).await.unwrap(), b"abc");
}

#[tokio::test]
async fn the_size_of_a_window_is_a_fact_where_that_is_allowed() {
    for (parameters, is_allowed) in
        [("", true), (":query=size", true), (":query=encoding", false), (":query=", false)]
    {
        let mut server = Server::new(parameters).await;
        let (_peer, offer) = server.offer(&upgrade("/?rows=50&cols=132&encoding=text", "")).await;
        let window = offer.info.get::<RequestedWindow>().copied();
        let asked = RequestedWindow { rows: Some(50), cols: Some(132) };
        assert_eq!(window, is_allowed.then_some(asked), "{parameters}");
    }
}
