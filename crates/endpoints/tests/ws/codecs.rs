//! The subprotocol `base64`, both ways.

use endpoint::{End, Part};

use crate::support::*;

#[tokio::test]
async fn each_write_is_a_padded_text_message() {
    let (mut peer, mut ws) = session("", BASE64).await;
    for (plain, text) in [("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj")] {
        write(&mut *ws, plain.as_bytes()).await;
        let frame = peer.frame().await.unwrap();
        assert_eq!((frame.first, &*frame.payload), (0x81, text.as_bytes()));
    }
}

#[tokio::test]
async fn what_comes_is_decoded_wherever_it_is_cut() {
    let (mut peer, mut ws) = session("", BASE64).await;
    let mut frames = masked(0x01, b"Z");
    frames.extend(masked(0x00, b"m9"));
    frames.extend(masked(0x89, b""));
    frames.extend(masked(0x80, b"vYg=="));
    frames.extend(masked(0x81, b""));
    frames.extend(masked(0x81, b"YXI="));
    for byte in frames {
        peer.send([byte]).await;
        live(&mut *ws).await;
    }
    assert_eq!(read_exact(&mut *ws, 6).await, b"foobar");
}

#[tokio::test]
async fn mistakes_are_1007_and_never_delivered() {
    for (text, words) in [
        (&b"YWJj!"[..], "outside the standard alphabet"),
        (b"YWJjYQ", "incorrect padding"),
        (b"YWJjYQ=a", "after the padding"),
        (b"YWJjYR==", "bits after the end"),
        (b"YWJj\n", "outside the standard alphabet"),
    ] {
        let (mut peer, mut ws) = session("", BASE64).await;
        peer.send([masked(0x81, b"YWJj"), masked(0x81, text)].concat()).await;
        assert_eq!(read(&mut *ws).await.unwrap(), b"abc");
        let error = read(&mut *ws).await.expect_err("that is no base64");
        assert!(error.to_string().contains(words), "{error}");
        let close = peer.frame().await.unwrap();
        assert_eq!(close.close_code(), Some(1007));
        assert!(close.reason().contains("base64 decoding error"), "{close:?}");
    }
}

#[tokio::test]
async fn messages_are_encoded_over_their_parts() {
    let (mut peer, mut ws) = messages("", BASE64).await;
    for (data, last) in [("a", false), ("bcd", false), ("", false), ("e", true)] {
        put(&mut *ws, Part { data: data.into(), text: false, last }).await;
    }
    put(&mut *ws, Part::text("f")).await;
    let mut text = Vec::new();
    let mut firsts = Vec::new();
    while firsts.len() < 3 {
        let frame = peer.frame().await.unwrap();
        firsts.push(frame.first);
        text.extend(frame.payload);
    }
    assert_eq!((firsts, &*text), (vec![0x01, 0x80, 0x81], &b"YWJjZGU=Zg=="[..]));
    peer.send(masked(0x81, b"YWI=")).await;
    assert_eq!(message(&mut *ws).await, (b"ab".to_vec(), false));
}

#[tokio::test]
async fn bulk_passes_both_ways() {
    let mut server = Server::bind("ws:{tcp:0:interface=127.0.0.1}").await;
    let to = server.accept.local().address.unwrap();
    let text = format!("autobahn:{{tcp:{to}}}:subprotocol=x");
    let near = connect(&server.cx, &text);
    let far = async {
        let mut incoming = server.accept.accept().await.unwrap().unwrap();
        accepted(incoming.next().await.unwrap().unwrap()).await
    };
    let (near, far) = tokio::join!(near, far);
    let near = near.unwrap();
    // Autobahn's client has `binary` first.
    assert_eq!(near.info.lookup("http", "subprotocol").as_deref(), Some("binary"));
    drop((near, far));
    let text = format!("ws:{{tcp:{to}}}:subprotocol=base64");
    let near = connect(&server.cx, &text);
    let far = async {
        let mut incoming = server.accept.accept().await.unwrap().unwrap();
        accepted(incoming.next().await.unwrap().unwrap()).await
    };
    let (near, far) = tokio::join!(near, far);
    let near = near.unwrap();
    assert_eq!(near.info.lookup("http", "subprotocol").as_deref(), Some("base64"));
    let (mut near, mut far) = (near.transport.into_bytes(), far.transport.into_bytes());
    let data = noise(1 << 20);
    let send = async {
        write(&mut *near, &data).await;
        finish(&mut *near, &End::eof()).await;
    };
    let get = read_exact(&mut *far, data.len());
    let ((), got) = tokio::join!(send, get);
    assert!(got == data);
    write(&mut *far, &data[..100_000]).await;
    finish(&mut *far, &End::eof()).await;
    assert!(read_exact(&mut *near, 100_000).await == data[..100_000]);
}
