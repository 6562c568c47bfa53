//! The listening side: clients of SOCKS and of an HTTP proxy.

use super::*;

#[tokio::test]
async fn a_client_is_answered_once_it_is_connected_and_what_it_sent_is_kept() {
    for (kind, request, yes) in [
        ("socks5", V5, &b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0"[..]),
        ("socks5", V4A, b"\x00\x5a\0\0\0\0\0\0"),
        ("http-connect", CONNECT, b"HTTP/1.1 200 Connection established\r\n\r\n"),
    ] {
        let (mut accept, at) = listen(kind, "").await;
        let mut client = says(at, &[request, b"early"].concat()).await;
        // Its end comes before the answer, too.
        client.shutdown().await.unwrap();
        let mut offer = next(&mut *accept).await.unwrap().unwrap();
        assert_eq!(asked(&offer), ("h.example".to_owned(), 80));
        let waits = timeout(std::time::Duration::from_millis(50), offer.left()).await;
        assert!(waits.is_err(), "it has only said that it has no more to send");
        let mut io = session(offer).await.into_io();
        let mut got = Vec::new();
        io.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"early", "{kind}");
        io.write_all(b"answer").await.unwrap();
        io.shutdown().await.unwrap();
        assert_eq!(rest(&mut client).await, [yes, b"answer"].concat());
    }
    let (mut accept, at) = listen("socks5", "").await;
    let _client = says(at, V4).await;
    let offer = next(&mut *accept).await.unwrap().unwrap();
    assert_eq!(asked(&offer), ("192.0.2.1".to_owned(), 80));
}

#[tokio::test]
async fn a_client_that_is_reset_has_left() {
    let (mut accept, at) = listen("socks5", "").await;
    let client = says(at, &V5[..3]).await;
    let coming = next(&mut *accept);
    let going = async {
        let mut client = client;
        assert_eq!(hears(&mut client, 2).await, [5, 0]);
        client.write_all(&V5[3..]).await.unwrap();
        client
    };
    let (offer, client) = tokio::join!(coming, going);
    let mut offer = offer.unwrap().unwrap();
    let socket = client.into_std().unwrap();
    socket2::SockRef::from(&socket).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(socket);
    timeout(LONG, offer.left()).await.unwrap();
}

#[tokio::test]
async fn refusals_are_said_in_the_clients_own_terms() {
    let kinds = [
        (RefusalKind::Busy, 1, "503 Service Unavailable"),
        (RefusalKind::Forbidden, 2, "403 Forbidden"),
        (RefusalKind::Refused, 5, "502 Bad Gateway"),
        (RefusalKind::Throttled, 1, "429 Too Many Requests"),
        (RefusalKind::Timeout, 4, "504 Gateway Timeout"),
        (RefusalKind::Unauthenticated, 2, "407 Proxy Authentication Required"),
    ];
    for (kind, code, status) in kinds {
        for (listener, request) in [("socks5", V5), ("socks5", V4A), ("http-connect", CONNECT)] {
            let (mut accept, at) = listen(listener, "").await;
            let mut client = says(at, request).await;
            let offer = next(&mut *accept).await.unwrap().unwrap();
            // The client closes once it has been told.
            let hearing = async move { rest(&mut client).await };
            let (got, ()) = tokio::join!(hearing, offer.refuse(Refusal::new(kind, "words")));
            match request[0] {
                5 => assert_eq!(got[..4], [5, 0, 5, code]),
                4 => assert_eq!(got[..2], [0, 91]),
                _ => {
                    let text = String::from_utf8(got).unwrap();
                    assert!(text.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{text}");
                    assert!(text.ends_with("\r\n\r\nwords\n"), "{text}");
                    assert_eq!(
                        text.contains("Proxy-Authenticate: Basic"),
                        code == 2 && status.starts_with("407")
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn names_and_passwords_are_for_the_gate() {
    let shown = |offer: &Offer| {
        let credentials = offer.info.get::<Credentials>()?;
        Some((credentials.user.clone()?, credentials.password.clone()?))
    };
    let ada = Some(("ada".to_owned(), "secret".to_owned()));
    let (mut accept, at) = listen("socks5", "").await;
    let login = b"\x05\x01\x02\x01\x03ada\x06secret\x05\x01\x00\x01\x7f\0\0\x01\0\x50";
    let mut client = says(at, login).await;
    let offer = next(&mut *accept).await.unwrap().unwrap();
    assert_eq!(shown(&offer), ada);
    assert_eq!(hears(&mut client, 4).await, [5, 2, 1, 0]);
    let conn = session(offer).await;
    assert!(conn.info.get::<Credentials>().is_none(), "they end with the check");
    let (mut accept, at) = listen("http-connect", "").await;
    let basic = b"CONNECT h:80 HTTP/1.1\r\nProxy-Authorization: basic YWRhOnNlY3JldA==\r\n\r\n";
    let _client = says(at, basic).await;
    assert_eq!(shown(&next(&mut *accept).await.unwrap().unwrap()), ada);
    // A client that could log in and needn't, doesn't.
    let (mut accept, at) = listen("socks5", "").await;
    let mut client = says(at, b"\x05\x03\x01\x02\x00\x05\x01\x00\x01\x7f\0\0\x01\0\x50").await;
    assert!(shown(&next(&mut *accept).await.unwrap().unwrap()).is_none());
    assert_eq!(hears(&mut client, 2).await, [5, 0]);
}

#[tokio::test]
async fn clients_that_ask_wrongly_are_told_so() {
    for (kind, bytes, words, answer) in [
        (
            "socks5",
            &b"GET / HTTP/1.1\r\n"[..],
            "received data that is not SOCKS: it begins with 0x47",
            &b""[..],
        ),
        (
            "socks5",
            b"\x05\x01\x01",
            "the client offers only unsupported authentication methods",
            b"\x05\xff",
        ),
        (
            "socks5",
            b"\x05\x01\x00\x05\x02\x00\x01\x7f\0\0\x01\0\x50",
            "the client asks for a listener (BIND), but only CONNECT and, in version 5, UDP ASSOCIATE are supported",
            b"\x05\x00\x05\x07\x00\x01\0\0\0\0\0\0",
        ),
        (
            "socks5",
            b"\x04\x03\0\x35\xc0\0\x02\x01\0",
            "the client asks for datagrams in version 4, but only CONNECT and, in version 5, UDP ASSOCIATE are supported",
            b"\0\x5b\0\0\0\0\0\0",
        ),
        (
            "socks5",
            b"\x05\x01\x00\x05\x01\x00\x09",
            "a SOCKS message has the unknown address type 0x09",
            b"\x05\x00\x05\x08\x00\x01\0\0\0\0\0\0",
        ),
        ("socks5", b"\x05\x01\x00\x05\x01\x00\x03", "no SOCKS request within 0.3 s", b"\x05\x00"),
        (
            "http-connect",
            b"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "received `GET`, but only CONNECT is supported",
            b"HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\n",
        ),
        (
            "http-connect",
            b"CONNECT h HTTP/1.1\r\n\r\n",
            "CONNECT needs HOST:PORT, but received `h`",
            b"HTTP/1.1 400 Bad Request\r\n",
        ),
        (
            "http-connect",
            b"\x05\x01\x00",
            "received data that is not HTTP: invalid token",
            b"HTTP/1.1 400 Bad Request\r\n",
        ),
        ("http-connect", b"CONNECT h:80 HTTP", "no CONNECT request came within 0.3 s", b""),
    ] {
        let (mut accept, at) = listen(kind, ":handshake-timeout=300ms").await;
        let mut client = says(at, bytes).await;
        client.shutdown().await.ok();
        let mut client = if words.starts_with("no ") { says(at, bytes).await } else { client };
        if words.starts_with("no ") {
            let _ = next(&mut *accept).await;
        }
        let error = failure(next(&mut *accept).await).to_string();
        assert_eq!(error, format!("cannot accept {kind}:{{tcp:{at}}}: {words}"));
        let mut got = Vec::new();
        let _ = timeout(LONG, client.read_to_end(&mut got)).await.unwrap();
        assert!(got.starts_with(answer), "{words}: {:?}", String::from_utf8_lossy(&got));
    }
}

#[tokio::test]
async fn tokio_socks_is_connected() {
    use tokio_socks::tcp::{Socks4Stream, Socks5Stream};
    let (mut accept, at) = listen("socks5", "").await;
    let serving = async {
        let mut asked_for = Vec::new();
        for _ in 0..3 {
            let offer = next(&mut *accept).await.unwrap().unwrap();
            asked_for.push(asked(&offer));
            drop(session(offer).await);
        }
        asked_for
    };
    let asking = async {
        Socks5Stream::connect(at, ("h.example", 80)).await.unwrap();
        Socks5Stream::connect_with_password(at, ("::1", 81), "ada", "secret").await.unwrap();
        Socks4Stream::connect(at, ("h.example", 82)).await.unwrap();
    };
    let (asked_for, ()) = tokio::join!(serving, asking);
    let expected = [("h.example", 80), ("::1", 81), ("h.example", 82)];
    assert_eq!(asked_for, expected.map(|(host, port)| (host.to_owned(), port)));
}
