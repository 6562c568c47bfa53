//! The connecting side: SOCKS and HTTP proxies.

use super::*;

/// Asks a proxy that sends `answer`. Returns the error or the session's first data, and the request that the proxy got.
async fn answered(
    text: &str,
    answer: &'static [&'static [u8]],
) -> (Result<Vec<u8>, String>, Vec<u8>) {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    let text = text.replace("PROXY", &format!("tcp:{at}"));
    let connector = connector(&text);
    let (cx, nobody) = (Context::new(), Info::new());
    let asking = async {
        let conn = connector.endpoint.connect(&cx, &nobody).await.map_err(|error| shown(&error))?;
        let target = conn.info.get::<Target>().unwrap().host.clone();
        assert_eq!(target, "h.example");
        let mut got = Vec::new();
        let _ = conn.into_io().read_to_end(&mut got).await;
        Ok(got)
    };
    let serving = async {
        let (mut stream, _) = server.accept().await.unwrap();
        let mut got = Vec::new();
        for piece in answer {
            got.resize(got.len() + 1024, 0);
            let start = got.len() - 1024;
            let read = stream.read(&mut got[start..]).await.unwrap();
            got.truncate(start + read);
            stream.write_all(piece).await.unwrap();
        }
        got
    };
    let (result, got) = timeout(LONG, async { tokio::join!(asking, serving) }).await.unwrap();
    let shown = result.map_err(|words: String| words.replace(&at.to_string(), "AT"));
    (shown, got)
}

const SOCKS: &str = "socks5:{PROXY}:host=h.example:port=80";

const HTTP: &str = "http-connect:{PROXY}:host=h.example:port=80";

#[tokio::test]
async fn what_a_proxy_sends_with_its_answer_is_kept() {
    let yes: &[&[u8]] = &[b"\x05\x00", b"\x05\x00\x00\x03\x05proxy\x00\x07early"];
    let (got, asked) = answered(SOCKS, yes).await;
    assert_eq!(got.unwrap(), b"early");
    assert_eq!(asked, b"\x05\x01\x00\x05\x01\x00\x03\x09h.example\x00\x50");
    let (got, asked) =
        answered(&format!("{SOCKS}:version=4a:user=ada"), &[b"\0\x5a\0\0\0\0\0\0early"]).await;
    assert_eq!(got.unwrap(), b"early");
    assert_eq!(asked, V4A);
    let yes: &[&[u8]] = &[b"HTTP/1.0 200 Connection established\r\nContent-Length: 3\r\n\r\nearly"];
    let (got, asked) = answered(HTTP, yes).await;
    assert_eq!(got.unwrap(), b"early");
    assert_eq!(asked, CONNECT);
}

#[tokio::test]
async fn a_login_is_shown_where_it_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, "secret\nanother line\n").unwrap();
    let more = format!(":user=ada:password-file={}", file.display());
    let yes: &[&[u8]] = &[b"\x05\x02", b"\x01\x00", b"\x05\x00\x00\x01\0\0\0\0\0\0"];
    let (got, asked) = answered(&format!("{SOCKS}{more}"), yes).await;
    got.unwrap();
    assert!(asked.starts_with(b"\x05\x02\x00\x02\x01\x03ada\x06secret\x05\x01"));
    let (got, asked) = answered(&format!("{HTTP}{more}"), &[b"HTTP/1.1 200 OK\r\n\r\n"]).await;
    got.unwrap();
    let asked = String::from_utf8(asked).unwrap();
    assert!(asked.contains("\r\nProxy-Authorization: Basic YWRhOnNlY3JldA==\r\n"), "{asked}");
}

#[tokio::test]
async fn what_proxies_say_is_said_on() {
    let cases: &[(&str, &[&[u8]], &str)] = &[
        (SOCKS, &[b"\x05\xff"], "the proxy requires authentication\nauthenticate with `user=` and `password-file=`"),
        (SOCKS, &[b"\x05\x00", b"\x05\x02\x00\x01\0\0\0\0\0\0"], "the proxy refuses: its rules don't allow this connection"),
        (SOCKS, &[b"\x05\x00", b"\x05\x04\x00\x01\0\0\0\0\0\0"], "the proxy refuses: the host can't be reached"),
        (SOCKS, &[b"\x05\x00", b"\x05\x00\x00\x01\0"], "the connection ended inside a SOCKS message"),
        (SOCKS, &[b"\x05\x00", b"\x05\x00\x00\x07"], "a SOCKS message has the unknown address type 0x07"),
        (SOCKS, &[b"\x05\x80"], "the proxy chose an authentication method that was not offered"),
        (SOCKS, &[b"HTTP/1.1 400 Bad Request\r\n\r\n"], "a SOCKS message has the unknown version 72"),
        (SOCKS, &[b""], "the proxy closed the connection without an answer"),
        (HTTP, &[b"HTTP/1.1 403 Filtered\r\nContent-Type: text/html\r\n\r\n<html><head><title>403 Filtered</title></head><body><h1>Filtered</h1>"],
            "the proxy answered 403 Filtered: Filtered"),
        (HTTP, &[b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nno such host"],
            "the proxy answered 503 Service Unavailable: no such host"),
        (HTTP, &[b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"],
            "the proxy answered 407 Proxy Authentication Required\nauthenticate with `user=` and `password-file=`"),
        (HTTP, &[b"HTTP/1.1 407 \r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n"],
            "the proxy answered 407\nthe proxy accepts only Negotiate, NTLM, but only Basic is supported: put a proxy such as cntlm or px in between"),
        (HTTP, &[b"\x05\x00"], "the proxy's answer is invalid: received data that is not HTTP: invalid HTTP version"),
        (HTTP, &[b"HTTP/1.1 200 OK\r\n"], "the proxy closed the connection within its answer"),
    ];
    for (text, answer, words) in cases {
        let (result, _) = answered(text, answer).await;
        let error = result.expect_err("it is refused");
        let text = text.replace("PROXY", "tcp:AT");
        assert_eq!(error, format!("cannot connect {text}: {words}"));
    }
    let endless: &[&[u8]] = &[&[b'x'; 20_000]];
    let (result, _) = answered(HTTP, endless).await;
    assert!(result.is_err());
}

#[tokio::test]
async fn a_proxy_that_is_silent_is_given_up() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    for kind in ["socks5", "http-connect"] {
        let text = format!("{kind}:{{tcp:{at}}}:host=h:port=1:timeout=200ms");
        let error = failure(connector(&text).endpoint.connect(&Context::new(), &Info::new()).await);
        assert!(error.to_string().ends_with("no answer from the proxy within 0.2 s"), "{error}");
    }
}
