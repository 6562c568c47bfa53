//! Heads as clients and proxies send them, cut at every byte, and malformed ones.

use http_connect::{Answer, Error, Fault, Login, Read, Request};
use proptest::prelude::*;

fn whole<T: std::fmt::Debug>(bytes: &[u8], read: impl Fn(&[u8]) -> Result<Read<T>, Error>) -> T {
    for length in 0..bytes.len() {
        assert!(matches!(read(&bytes[..length]), Ok(Read::More)), "{length} bytes");
    }
    match read(&[bytes, b"behind"].concat()) {
        Ok(Read::Head(head, length)) if length == bytes.len() => head,
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_of_real_clients() {
    let curl = b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\
        Proxy-Authorization: Basic YWRhOnNlY3JldDp4\r\nUser-Agent: curl/7.88.1\r\nProxy-Connection: Keep-Alive\r\n\r\n";
    let login = Login { user: "ada".into(), password: "secret:x".into() };
    let request = whole(curl, Request::read);
    assert_eq!(request, Request { host: "example.com".into(), port: 443, login: Some(login) });
    assert!(!format!("{request:?}").contains("secret"));
    let socat = b"CONNECT [::1]:22 HTTP/1.0\r\n\r\n";
    assert_eq!(whole(socat, Request::read), Request { host: "::1".into(), port: 22, login: None });
}

#[test]
fn what_is_no_request_for_a_tunnel_is_told() {
    let fault = |text: &str| Request::read(text.as_bytes()).map_err(|error| error.fault);
    assert_eq!(fault("GET http://h/ HTTP/1.1\r\n"), Err(Fault::Method));
    assert_eq!(fault("POST "), Err(Fault::Method));
    assert_eq!(fault("\x05\x01\x00"), Err(Fault::Malformed));
    for target in [
        "h", "h:", "h:0", "h:65536", "h:+80", ":80", "[::1]", "::1:80", "/x:80", "u@h:80",
        "[h]:80", "h:80/",
    ] {
        assert_eq!(
            fault(&format!("CONNECT {target} HTTP/1.1\r\n\r\n")),
            Err(Fault::Malformed),
            "{target}"
        );
    }
    let twice = "Proxy-Authorization: Basic YTph\r\n".repeat(2);
    assert_eq!(fault(&format!("CONNECT h:80 HTTP/1.1\r\n{twice}\r\n")), Err(Fault::Malformed));
    // RFC 9112 section 3.2.
    for hosts in [
        "Host: h:80\r\nHost: h:80\r\n",
        "Host: h:80\r\nX: y\r\nhOST: other\r\n",
        "Host: h, other\r\n",
        "Host: a@h\r\n",
        "Host: h/\r\n",
        "Host: a b\r\n",
        "Host: h\u{e9}\r\n",
    ] {
        let read = fault(&format!("CONNECT h:80 HTTP/1.1\r\n{hosts}\r\n"));
        assert_eq!(read, Err(Fault::Malformed), "{hosts}");
    }
    for host in ["", "Host:\r\n", "Host: h\r\n", "Host: other:81\r\n", "Host: [::1]:80\r\n"] {
        assert!(fault(&format!("CONNECT h:80 HTTP/1.1\r\n{host}\r\n")).is_ok(), "{host}");
    }
    let many = "a: b\r\n".repeat(101);
    assert_eq!(fault(&format!("CONNECT h:80 HTTP/1.1\r\n{many}\r\n")), Err(Fault::TooLarge));
    let long = format!("CONNECT h:80 HTTP/1.1\r\na: {}", "x".repeat(17_000));
    assert_eq!(fault(&long), Err(Fault::TooLarge));
    for bad in ["Basic", "Basic x", "Basic YQ==", "Bearer YTph", ""] {
        assert_eq!(Login::of(bad), None, "{bad}");
    }
}

#[test]
fn answers_of_real_proxies() {
    let tinyproxy = b"HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n";
    assert!(whole(tinyproxy, Answer::read).is_success());
    let squid =
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Type: text/html;charset=utf-8\r\n\
        Content-Length: 77\r\nProxy-Authenticate: Basic realm=\"Squid\"\r\n\r\n";
    let answer = whole(squid, Answer::read);
    assert_eq!((answer.status, answer.length), (407, Some(77)));
    assert_eq!(answer.schemes, ["Basic"]);
    let body = "<html><head><title>ERROR</title></head><body><h1>\n Access\x1b[31m Denied.</h1>";
    assert_eq!(answer.words_of(body.as_bytes()).as_deref(), Some("Access[31m Denied."));
    assert_eq!(answer.words_of(b"<html><h1>"), None);
    let plain = Answer { content_type: "text/plain".into(), ..Answer::default() };
    assert_eq!(plain.words_of(b"\r\n  no such host\r\nmore").as_deref(), Some("no such host"));
    assert_eq!(plain.words_of(b""), None);
    assert!(whole(b"HTTP/1.1 100 Continue\r\n\r\n", Answer::read).is_interim());
    assert!(Answer::read(b"SSH-2.0-OpenSSH\r\n").is_err());
}

#[test]
fn no_host_becomes_a_header() {
    for host in ["", "a b", "a\r\nX: y", "h/", "ü.example", "[::1]"] {
        assert!(Request { host: host.into(), port: 80, login: None }.bytes().is_err(), "{host:?}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        name in "[a-z0-9.-]{1,60}", v6: [u8; 16], is_v6: bool, port in 1_u16.., login: Option<(String, String)>,
    ) {
        let host = if is_v6 { core::net::Ipv6Addr::from(v6).to_string() } else { name };
        let login = login.map(|(user, password)| Login { user: user.replace(':', ""), password });
        let request = Request { host, port, login };
        prop_assert_eq!(whole(&request.bytes().unwrap(), Request::read), request);
    }

    #[test]
    fn anything_is_taken_without_panic(is_request: bool, bytes: Vec<u8>, text in "\\PC{0,80}") {
        let start: &[u8] = if is_request { b"CONNECT " } else { b"HTTP/1.1 " };
        for bytes in [&bytes, text.as_bytes()] {
            let bytes = [start, bytes, b"\r\n\r\n"].concat();
            let _ = Request::read(&bytes);
            if let Ok(Read::Head(answer, length)) = Answer::read(&bytes) {
                let _ = answer.words_of(&bytes[length..]);
            }
        }
        let page = Answer { content_type: "text/html".into(), ..Answer::default() };
        let _ = page.words_of(format!("<title>{text}</title><h1{text}").as_bytes());
    }
}
