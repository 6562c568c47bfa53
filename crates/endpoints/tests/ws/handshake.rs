//! Requests of a raw client, and the answers to them.

use endpoint::info::Http;
use endpoint::{Answer, ErrorKind};

use crate::support::*;

#[tokio::test]
async fn a_right_handshake_is_answered_as_in_rfc_6455() {
    let headers = "Sec-WebSocket-Protocol: chat, binary\r\nCookie: session=hunter2\r\n";
    let mut server = Server::new("").await;
    let (mut peer, offer) = server.offer(&upgrade("/a%20b?x=1", headers)).await;
    let http = offer.info.get::<Http>().unwrap();
    assert_eq!((&*http.path, &*http.query), ("/a%20b", "x=1"));
    assert_eq!(http.subprotocols, ["chat", "binary"]);
    assert_eq!(http.cookie("session"), Some("hunter2"));
    assert!(!format!("{offer:?}").contains("hunter2"));
    let conn = accepted(offer).await;
    let response = peer.response().await;
    assert_eq!(response.status, 101);
    assert_eq!(response.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(response.header("sec-websocket-protocol"), Some("binary"));
    assert_eq!(response.header("upgrade"), Some("websocket"));
    assert_eq!(response.header("sec-websocket-extensions"), None);
    assert_eq!(conn.info.lookup("http", "subprotocol").as_deref(), Some("binary"));
}

/// The answer to `request`, and what the listener makes of it.
async fn refused(parameters: &str, request: &str) -> (Response, endpoint::Error) {
    let mut server = Server::new(parameters).await;
    let (mut peer, mut incoming) = server.client().await;
    let next = async { incoming.next().await.expect_err("it is refused") };
    let answer = async {
        peer.send(request).await;
        let response = peer.response().await;
        assert!(peer.is_over().await, "the connection stays open after {response:?}");
        // It ends on our side too, which is what the listener waits for.
        drop(peer);
        response
    };
    let (error, response) = tokio::join!(next, answer);
    (response, error)
}

#[tokio::test]
async fn wrong_handshakes_are_refused_in_words() {
    let good = upgrade("/", "");
    for (request, status, words) in [
        (good.replace("Version: 13", "Version: 8"), 426, "version 13"),
        (good.replace("Sec-WebSocket-Version: 13\r\n", ""), 426, "version 13"),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400, "16 bytes"),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "*"), 400, "16 bytes"),
        (
            good.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""),
            400,
            "Sec-WebSocket-Key is missing",
        ),
        (
            good.replace("\r\n\r\n", "\r\nSec-WebSocket-Key: a\r\n\r\n"),
            400,
            "exactly one Sec-WebSocket-Key header",
        ),
        (good.replace("Connection: keep-alive, Upgrade", "Connection: close"), 400, "proxy"),
        (good.replace("Host: localhost:9000\r\n", ""), 400, "Host"),
        (good.replace("\r\n\r\n", "\r\nHost: b\r\n\r\n"), 400, "Host"),
        (good.replace("HTTP/1.1", "HTTP/1.0"), 400, "HTTP/1.1"),
        (good.replace("\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc"), 400, "body"),
    ] {
        let (response, error) = refused("", &request).await;
        assert_eq!(response.status, status, "{request}{response:?}");
        assert!(response.body.contains(words), "{response:?}");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let version = response.header("sec-websocket-version");
        assert_eq!(version, (status == 426).then_some("13"));
        assert!(response.header("connection").unwrap().starts_with("close"), "{response:?}");
    }
}

#[tokio::test]
async fn the_drafts_before_the_rfc_are_told_which_version_to_use() {
    let keys =
        "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n";
    let hixie = |keys: &str, body: &str| {
        format!(
            "GET /demo HTTP/1.1\r\nHost: localhost:9000\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n{keys}\
             Origin: http://localhost:9000\r\n\r\n{body}"
        )
    };
    let hybi = |version: u8| {
        let version = format!("Version: {version}");
        upgrade("/", "Sec-WebSocket-Origin: http://localhost:9000\r\n")
            .replace("Version: 13", &version)
    };
    for (draft, request) in [
        ("hixie-75", hixie("", "")),
        // Its third key is the body, without a length.
        ("hixie-76", hixie(keys, "^n:ds[4U")),
        ("hybi-07", hybi(7)),
        ("hybi-10", hybi(8)),
        ("version 0", hybi(0)),
        ("version 14", hybi(14)),
    ] {
        let (response, error) = refused("", &request).await;
        assert_eq!(response.status, 426, "{draft}: {response:?}");
        assert_eq!(response.body, "only WebSocket version 13 (RFC 6455) is supported\n", "{draft}");
        assert_eq!(response.header("sec-websocket-version"), Some("13"), "{draft}");
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
}

#[tokio::test]
async fn an_unknown_encoding_is_refused_in_words() {
    for (query, words) in [
        (
            "encoding=utf16",
            "the encoding `utf16` in the query is unknown; use `binary`, `text`, `base64` or `auto`\n",
        ),
        ("encoding=text&encoding=auto", "`encoding` is in the query twice\n"),
    ] {
        let (response, error) =
            refused(":query=encoding", &upgrade(&format!("/?{query}"), "")).await;
        assert_eq!((response.status, &*response.body), (400, words));
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
}

#[tokio::test]
async fn what_is_no_upgrade_is_answered_and_the_connection_lives_on() {
    let mut server = Server::new(":path=/ws:page=none").await;
    let (mut peer, mut incoming) = server.client().await;
    let next = async { incoming.next().await.unwrap().unwrap() };
    let talk = async {
        peer.send("GET /ws HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let response = peer.response().await;
        assert_eq!(response.status, 426);
        assert_eq!(response.header("upgrade"), Some("websocket"));
        assert!(response.body.contains("WebSocket"), "{response:?}");
        peer.send("POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").await;
        let response = peer.response().await;
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD")));
        peer.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(peer.response().await.status, 404);
        peer.send(upgrade("/other", "")).await;
        assert_eq!(peer.response().await.status, 404);
        // Two at once, the second of which is the one.
        peer.send("GET /ws HTTP/1.1\r\nHost: a\r\n\r\n".to_owned() + &upgrade("/ws", "")).await;
        assert_eq!(peer.response().await.status, 426);
        peer
    };
    let (offer, mut peer) = tokio::join!(next, talk);
    let conn = accepted(offer).await;
    assert_eq!(peer.response().await.status, 101);
    drop(conn);
    assert!(incoming.next().await.unwrap().is_none(), "HTTP is over");
}

#[tokio::test]
async fn what_is_not_http_ends_with_an_error() {
    for bytes in ["\x16\x03\x01\0\0", "SSH-2.0-OpenSSH\r\n\r\n", "\0\r\n\r\n"] {
        let mut server = Server::new("").await;
        let (mut peer, mut incoming) = server.client().await;
        peer.send(bytes).await;
        let listener = async { incoming.next().await };
        let end = async {
            while peer.io_ended().await.is_none() {}
            drop(peer);
        };
        let (next, ()) = tokio::join!(listener, end);
        assert_eq!(next.expect_err("it is no HTTP").kind(), ErrorKind::Protocol, "{bytes:?}");
    }
}

impl Peer {
    async fn io_ended(&mut self) -> Option<()> {
        use tokio::io::AsyncReadExt;
        (self.io.read(&mut [0; 256]).await.unwrap_or(0) == 0).then_some(())
    }
}

#[tokio::test]
async fn headers_are_bounded() {
    for headers in [format!("X: {}\r\n", "x".repeat(20_000)), "X: y\r\n".repeat(101)] {
        let mut server = Server::new("").await;
        let (mut peer, mut incoming) = server.client().await;
        let next = async { incoming.next().await.expect_err("that is too much") };
        let talk = async {
            peer.send(upgrade("/", &headers)).await;
            let status = peer.response().await.status;
            drop(peer);
            status
        };
        let (error, status) = tokio::join!(next, talk);
        assert_eq!((status, error.kind()), (431, ErrorKind::Protocol));
        assert!(error.to_string().contains("16384 bytes or 100 lines"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_let_go_after_the_timeout() {
    for sent in ["", "GET / HTTP/1.1\r\nHos"] {
        let mut server = Server::new(":timeout=3").await;
        let (mut peer, mut incoming) = server.client().await;
        peer.send(sent).await;
        let began = tokio::time::Instant::now();
        let error = incoming.next().await.expect_err("nothing comes");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(began.elapsed().as_secs(), 3);
        drop(incoming);
        assert!(peer.is_over().await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_keep_alive_is_no_error() {
    let mut server = Server::new(":page=none").await;
    let (mut peer, mut incoming) = server.client().await;
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(incoming.next().await.unwrap().is_none());
    assert_eq!(peer.response().await.status, 426);
}

#[tokio::test(start_paused = true)]
async fn whoever_only_asks_is_let_go_in_the_end() {
    let mut server = Server::new(":page=none:timeout=10").await;
    let (mut peer, mut incoming) = server.client().await;
    let serving = tokio::spawn(async move { incoming.next().await });
    let began = tokio::time::Instant::now();
    while !serving.is_finished() {
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(peer.response().await.status, 426);
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    }
    assert!(serving.await.unwrap().unwrap().is_none());
    assert!((60..=72).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn origins_are_checked() {
    for (parameters, origin, allowed) in [
        ("", "Origin: http://localhost:9000\r\n", true),
        ("", "", true),
        ("", "Origin: http://evil.example\r\n", false),
        ("", "Origin: null\r\n", false),
        ("", "Origin: file://\r\n", false),
        ("", "Origin: http://localhost:9000\r\nOrigin: http://evil.example\r\n", false),
        (":origin=any", "Origin: http://evil.example\r\n", true),
        (":origin=null", "Origin: null\r\n", true),
        (":origin=null", "Origin: file://\r\n", true),
        (":origin=null", "Origin: http://localhost:9000\r\n", false),
        (":origin={same,https://a.example}", "Origin: https://a.example\r\n", true),
        (":origin={same,https://a.example}", "Origin: http://localhost:9000\r\n", true),
        (":origin={https://a.example}", "Origin: http://localhost:9000\r\n", false),
    ] {
        if allowed {
            Server::new(parameters).await.session(origin).await;
        } else {
            let (response, error) = refused(parameters, &upgrade("/", origin)).await;
            assert_eq!(response.status, 403, "{parameters} {origin}");
            assert!(response.body.contains("origin={"), "{response:?}");
            assert_eq!(error.kind(), ErrorKind::Refused);
        }
    }
}

#[tokio::test]
async fn subprotocols_are_chosen_in_the_clients_order() {
    for (parameters, offered, chosen) in [
        ("", None, Ok(None)),
        ("", Some("binary, base64"), Ok(Some("binary"))),
        ("", Some("base64, binary"), Ok(Some("base64"))),
        ("", Some("base64\r\nSec-WebSocket-Protocol: binary"), Ok(Some("base64"))),
        ("", Some("chat,binary"), Ok(Some("binary"))),
        // Without a list, what is behind may speak anything: a known name first, else the client's first.
        ("", Some("chat, superchat"), Ok(Some("chat"))),
        ("", Some("chat, mqtt"), Ok(Some("mqtt"))),
        (":subprotocol=mqtt", Some("chat"), Err(400)),
        (":subprotocol={mqtt,mqttv3.1}", Some("mqtt, mqttv3.1"), Ok(Some("mqtt"))),
        (":subprotocol={mqttv3.1}", Some("mqtt, mqttv3.1"), Ok(Some("mqtt"))),
        (":subprotocol={a,b}", Some("b, a"), Ok(Some("b"))),
        // Names are compared exactly.
        (":subprotocol=Chat", Some("chat"), Err(400)),
        (":subprotocol=Chat", Some("chat, Chat"), Ok(Some("Chat"))),
        ("", Some("BINARY, binary"), Ok(Some("binary"))),
        (":subprotocol=*", Some("chat, binary"), Ok(Some("chat"))),
        (":none=refuse", None, Err(406)),
        (":none=refuse", Some("chat"), Ok(Some("chat"))),
        (":none=refuse:subprotocol=mqtt", Some("chat"), Err(406)),
        (":none=refuse", Some("chat, binary"), Ok(Some("binary"))),
    ] {
        let header = offered.map(|names| format!("Sec-WebSocket-Protocol: {names}\r\n"));
        let request = upgrade("/", &header.unwrap_or_default());
        match chosen {
            Ok(chosen) => {
                let (mut peer, offer) = Server::new(parameters).await.offer(&request).await;
                let _conn = accepted(offer).await;
                let response = peer.response().await;
                assert_eq!(response.header("sec-websocket-protocol"), chosen, "{offered:?}");
            }
            Err(status) => {
                let (response, _) = refused(parameters, &request).await;
                assert_eq!(response.status, status, "{parameters} {offered:?}");
                assert!(response.body.contains("binary, base64"), "{response:?}");
            }
        }
    }
}

#[tokio::test]
async fn autobahn_wants_a_subprotocol() {
    let text = "autobahn:mem\\:s:url=ws\\:// localhost\\:9000:compress=false:debug=true";
    let mut server = Server::bind(text).await;
    let (mut peer, mut incoming) = server.client().await;
    let next = async { incoming.next().await.expect_err("it is refused") };
    let talk = async {
        peer.send(upgrade("/", "")).await;
        let response = peer.response().await;
        drop(peer);
        response
    };
    let (_, response) = tokio::join!(next, talk);
    assert_eq!(response.status, 406);
    assert!(response.body.contains("binary, base64"), "{response:?}");
    server.session("Sec-WebSocket-Protocol: base64,binary\r\n").await;
}

#[tokio::test]
async fn configured_headers_are_in_the_answer() {
    let mut server = Server::new(":header.server=ef:header.x-frame={a: b}").await;
    let (mut peer, offer) = server.offer(&upgrade("/", "")).await;
    let _conn = accepted(offer).await;
    let response = peer.response().await;
    assert_eq!(response.header("server"), Some("ef"));
    assert_eq!(response.header("x-frame"), Some("a: b"));
}

#[tokio::test]
async fn what_the_far_side_has_settled_is_agreed_on() {
    let headers = "Sec-WebSocket-Protocol: binary, v2.json\r\n";
    let (mut peer, offer) = Server::new("").await.offer(&upgrade("/", headers)).await;
    let mut answer = Answer::default();
    answer.subprotocol = Some("v2.json".to_owned());
    answer.headers.push(("x-test".to_owned(), "yes".to_owned()));
    answer.headers.push(("bad name".to_owned(), "a\r\nb".to_owned()));
    let _conn = offer.accept(answer).await.unwrap();
    let response = peer.response().await;
    assert_eq!(response.header("sec-websocket-protocol"), Some("v2.json"));
    assert_eq!(response.header("x-test"), Some("yes"));
}

#[tokio::test]
async fn the_key_of_the_rfc_is_one() {
    // Section 4.1's own: its last character has bits that belong to no byte.
    let request = upgrade("/", "").replace("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEC==");
    let (mut peer, offer) = Server::new("").await.offer(&request).await;
    let _conn = accepted(offer).await;
    let response = peer.response().await;
    assert_eq!(response.header("sec-websocket-accept"), Some("OfS0wDaT5NoxF2gqm7Zj2YtetzM="));
}
