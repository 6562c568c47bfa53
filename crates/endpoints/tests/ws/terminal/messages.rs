//! Destinations that carry messages.

use super::*;

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
