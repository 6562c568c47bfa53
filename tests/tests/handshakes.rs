//! Data that comes instead of a WebSocket handshake: it gets an answer and one line in the log, and leaves nothing.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::process::Command;
use std::time::Duration;

use tests::ws::{Frame, Opcode, Request, Response, WebSocket};
use tests::{Forwarder, binary, net, run_program, until};

/// A listener, and how much it had written once it was there.
struct Ours {
    forwarder: Forwarder,
    lines: usize,
    fds: usize,
}

impl Ours {
    fn new(parameters: &str) -> Self {
        // `ping` is for open sessions; here it would only hide who waits for what.
        let forwarder = Forwarder::between(&format!("ws:0{parameters}"), "echo");
        // The files of a first connection, such as the clock's, are there from then on.
        drop(WebSocket::connect(forwarder.port(0), "/", &[]));
        forwarder.wait_for_log("client left");
        let lines = forwarder.log().lines().count();
        let fds = forwarder.fds();
        Self { forwarder, lines, fds }
    }

    /// Everything that comes back for these bytes, to the end; ours stays open as long as that takes.
    fn say(&self, bytes: &[u8]) -> String {
        let mut stream = net::connect(self.forwarder.port(0));
        let mut back = Vec::new();
        // A listener that has had enough still takes the rest: a reset would destroy its answer.
        stream.write_all(bytes).expect("it is taken");
        stream.read_to_end(&mut back).expect("an orderly end");
        String::from_utf8_lossy(&back).into_owned()
    }

    /// The lines since the beginning.
    fn lines(&self) -> Vec<String> {
        self.forwarder.log().lines().skip(self.lines).map(str::to_owned).collect()
    }

    /// Waits for the one line about what has just happened, and forgets it.
    fn one_line(&mut self) -> String {
        until("a line in the log, and a closed socket", || {
            (!self.lines().is_empty() && self.forwarder.fds() <= self.fds).then_some(())
        });
        let lines = self.lines();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        self.lines += 1;
        lines.concat()
    }
}

fn request(change: &[[&str; 2]]) -> String {
    let mut text = String::from_utf8(Request::new("/").encode()).expect("text");
    for [old, new] in change {
        assert!(text.contains(old), "{old} in {text}");
        text = text.replacen(old, new, 1);
    }
    text
}

#[test]
fn wrong_requests_are_answered_and_named_in_one_line() {
    let mut ours = Ours::new("");
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let end = "\r\n\r\n";
    for (text, status, words) in [
        (request(&[[key, ""]]), 400, "the header Sec-WebSocket-Key is missing"),
        (
            request(&[[key, &format!("{key}{key}")]]),
            400,
            "there must be exactly one Sec-WebSocket-Key header",
        ),
        (request(&[[key, "Sec-WebSocket-Key: AAAA\r\n"]]), 400, "16 bytes in base64"),
        (request(&[["Version: 13", "Version: 12"]]), 426, "only WebSocket version 13"),
        (request(&[[end, "\r\nContent-Length: 4\r\n\r\nbody"]]), 400, "no body"),
        (request(&[[end, "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]]), 400, "no body"),
        (request(&[["HTTP/1.1", "HTTP/1.0"]]), 400, "must use HTTP/1.1"),
        (request(&[["Connection: Upgrade", "Connection: close"]]), 400, "`Connection: upgrade`"),
        (request(&[["Host: 127.0.0.1\r\n", ""]]), 400, "the Host header is missing"),
        (request(&[["Host: ", "Host: a\r\nHost: "]]), 400, "not a single host"),
        (request(&[["Host: ", "Host : "]]), 400, "received data that is not HTTP"),
        (request(&[["HTTP/1.1", "HTTP/3.7"]]), 400, "received data that is not HTTP"),
        ("\0\0\0\r\n\r\n".to_owned(), 400, "received data that is not HTTP"),
        (request(&[[end, "\r\nX: \0\r\n\r\n"]]), 400, "received data that is not HTTP"),
    ] {
        let answer = ours.say(text.as_bytes());
        let begins =
            answer.starts_with("HTTP/1.") && answer[8..].starts_with(&format!(" {status} "));
        assert!(begins, "{text}\n{answer}");
        let line = ours.one_line();
        assert!(line.contains(words), "{words}: {line}");
        if !words.starts_with("received data") {
            assert!(answer.contains(words), "the client is told too: {answer}");
        }
    }
}

#[test]
fn other_protocols_are_named() {
    let mut ours = Ours::new("");
    for (bytes, words) in [
        // A ClientHello, as far as its version.
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], "received TLS"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n\r\n", "PROXY protocol"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", "PROXY protocol"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "received HTTP/2"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "received SSH"),
    ] {
        let answer = ours.say(bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{words}: {answer}");
        let line = ours.one_line();
        assert!(line.contains(words), "{line}");
    }
}

#[test]
fn who_ends_behind_the_request_is_answered() {
    let mut ours = Ours::new("");
    for _ in 0..20 {
        let mut stream = net::connect(ours.forwarder.port(0));
        let text = request(&[["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""]]);
        stream.write_all(text.as_bytes()).expect("it is taken");
        stream.shutdown(Shutdown::Write).expect("it is open");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an orderly end");
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(ours.one_line().contains("the header Sec-WebSocket-Key is missing"));
    }
}

#[test]
fn a_netcat_is_told_what_it_lacks() {
    let mut ours = Ours::new("");
    let nc = binary::program("nc.openbsd").expect("`cargo xtask setup` installs it");
    let port = ours.forwarder.port(0).to_string();
    let text = request(&[["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""]]);
    let output = run_program(Command::new(nc).args(["-N", "127.0.0.1", &port]), text.as_bytes());
    let answer = output.text();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.ends_with("the header Sec-WebSocket-Key is missing\n"), "{answer}");
    assert!(ours.one_line().contains("the header Sec-WebSocket-Key is missing"));
}

#[test]
fn megabytes_of_header_are_refused_and_not_kept() {
    let mut ours = Ours::new("");
    let line = format!("X-Long: {}\r\n", "x".repeat(2 << 20));
    let lines = "X-More: y\r\n".repeat((2 << 20) / 11);
    let path = "/".repeat(2 << 20);
    let endless = ["Host: ", &"x".repeat(2 << 20)].concat();
    let before = ours.forwarder.rss_kib();
    for (text, status) in [
        (request(&[["\r\n\r\n", &format!("\r\n{line}\r\n")]]), "431"),
        (request(&[["\r\n\r\n", &format!("\r\n{lines}\r\n")]]), "431"),
        (request(&[["GET /", &format!("GET {path}")]]), "431"),
        (request(&[["Host: 127.0.0.1", &endless]]), "431"),
    ] {
        let answer = ours.say(text.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(ours.one_line().contains("more than 16384 bytes or 100 lines"));
    }
    // Eight of them at once, none of which ends; far less than their sixteen megabytes may stay.
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let stream = net::connect(ours.forwarder.port(0));
            let _ = (&stream).write_all(line.as_bytes());
            stream
        })
        .collect();
    until("all are refused", || (ours.lines().len() == clients.len()).then_some(()));
    let grown = ours.forwarder.rss_kib().saturating_sub(before);
    assert!(grown < 4 << 10, "{grown} KiB");
}

#[test]
fn the_answer_to_too_much_header_arrives_at_who_stops_in_time() {
    let mut ours = Ours::new("");
    let text = request(&[["\r\n\r\n", &format!("\r\nX: {}\r\n\r\n", "x".repeat(20_000))]]);
    let answer = ours.say(text.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    ours.one_line();
    let wider = Ours::new(":max-header=64k");
    let stream = net::connect(wider.forwarder.port(0));
    (&stream).write_all(text.as_bytes()).expect("it is taken");
    assert_eq!(Response::read(&stream).status, 101);
}

#[test]
fn a_handshake_may_come_a_byte_at_a_time_and_with_bare_line_feeds() {
    let ours = Ours::new("");
    // RFC 9112 section 2.2: a recipient may take a line feed alone for the end of a line.
    let bare = request(&[]).replace("\r\n", "\n");
    for text in [request(&[]), bare] {
        let mut stream = net::connect(ours.forwarder.port(0));
        for byte in text.as_bytes() {
            stream.write_all(&[*byte]).expect("it is taken");
        }
        assert_eq!(Response::read(&stream).status, 101, "{text:?}");
        for byte in Frame::new(Opcode::Binary, b"hello").encode(Some([9, 8, 7, 6])) {
            stream.write_all(&[byte]).expect("it is taken");
        }
        // It is passed on as it comes.
        let mut echo = Vec::new();
        while echo.len() < 5 {
            let (frame, _) = Frame::read(&stream).expect("a frame").expect("no end");
            echo.extend(frame.payload);
        }
        assert_eq!(echo, b"hello");
    }
}

#[test]
fn plain_requests_share_a_connection() {
    let ours = Ours::new(":page=none:health=/healthz");
    let stream = net::connect(ours.forwarder.port(0));
    let health = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for _ in 0..3 {
        (&stream).write_all(health).expect("it is taken");
        assert_eq!(Response::read(&stream).body, b"ok\n");
    }
    // Pipelined: a hundred at once, answered in order, and a WebSocket behind them.
    let missing = b"GET /none.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut all = [&health[..], missing].concat().repeat(50);
    all.extend(request(&[]).as_bytes());
    all.extend(Frame::new(Opcode::Binary, b"early").encode(Some([9, 8, 7, 6])));
    (&stream).write_all(&all).expect("they are taken");
    for _ in 0..50 {
        assert_eq!(Response::read(&stream).status, 200);
        assert_eq!(Response::read(&stream).status, 426);
    }
    assert_eq!(Response::read(&stream).status, 101);
    let (echo, _) = Frame::read(&stream).expect("a frame").expect("no end");
    assert_eq!(echo.payload, b"early");
    // HTTP/1.0 has no Host and ends after an answer.
    assert!(ours.say(b"GET /healthz HTTP/1.0\r\n\r\n").ends_with("\r\n\r\nok\n"));
    assert_eq!(ours.lines().len(), 1, "one session: {:#?}", ours.lines());
}

#[test]
fn who_never_closes_holds_nothing() {
    let mut ours = Ours::new(":handshake-timeout=300ms");
    for (bytes, words) in [
        (&b""[..], "no HTTP request came within 0.3 s"),
        (b"GET / HTTP/1.1\r\nHos", "no HTTP request came within 0.3 s"),
        (b"\x16\x03\x01", "received TLS"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "not a single host"),
    ] {
        let stream = net::connect(ours.forwarder.port(0));
        (&stream).write_all(bytes).expect("it is taken");
        let line = ours.one_line();
        assert!(line.contains(words), "{line}");
        assert!(net::readable(&stream, Duration::ZERO), "it was closed from our side");
    }
}
