//! Limits of listeners: the answer to clients over them, and that others are not affected.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;

use socket2::{Domain, Socket, Type};
use tests::ws::{Request, Response, WebSocket};
use tests::{DEADLINE, Forwarder, binary, net, until};

/// A connection from this address of loopback; the first three bytes are its network.
fn connect_from(address: [u8; 4], port: u16) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((address, 0)).into()).expect("loopback is a whole /8");
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    socket.connect_timeout(&to.into(), DEADLINE).expect("it accepts");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).expect("a limit");
    stream
}

fn open_from(address: [u8; 4], port: u16) -> Result<WebSocket, Response> {
    WebSocket::open(connect_from(address, port), &Request::new("/"))
}

fn body(response: &Response) -> &str {
    std::str::from_utf8(&response.body).expect("text").trim_end()
}

/// Waits until the next client is let in.
fn wait_in<T>(client: impl FnMut() -> Option<T>) -> T {
    until("a place that was given back", client)
}

const ONE: [u8; 4] = [127, 0, 0, 1];
const NEIGHBOUR: [u8; 4] = [127, 0, 0, 2];
const OTHER: [u8; 4] = [127, 0, 1, 1];

#[test]
fn one_session_too_many_is_503_and_a_place_is_given_back() {
    let forwarder = Forwarder::start(&[
        "-e",
        "ws:{tcp:0:interface=127.0.0.1}:max-sessions=1",
        "-e",
        "ws:0",
        "-d",
        "echo",
    ]);
    let first = open_from(ONE, forwarder.port(0)).expect("there is room");
    for _ in 0..3 {
        let refused = open_from(OTHER, forwarder.port(0)).expect_err("it is the second");
        assert_eq!((refused.status, body(&refused)), (503, "there are too many sessions"));
    }
    let line = forwarder.wait_for_log("refused: there are too many sessions");
    assert!(line.contains("WARN"), "{line}");
    let warnings = forwarder.log().lines().filter(|line| line.contains("too many")).count();
    assert_eq!(warnings, 1, "once a minute a cause: {}", forwarder.log());
    open_from(ONE, forwarder.port(1)).expect("the other listener has no limit");
    drop(first);
    wait_in(|| open_from(ONE, forwarder.port(0)).ok());
}

#[test]
fn handshakes_over_the_rate_are_429_for_one_network() {
    let forwarder = Forwarder::between("ws:{tcp:0:interface=127.0.0.1}:rate=2/m", "echo");
    let port = forwarder.port(0);
    for address in [ONE, NEIGHBOUR] {
        open_from(address, port).expect("it is within the rate");
    }
    let refused = open_from(ONE, port).expect_err("it is the third");
    let words = "too many sessions were requested from this network in a short time";
    assert_eq!((refused.status, body(&refused)), (429, words));
    let wait: u64 = refused.head.value("retry-after").expect("a time").parse().expect("seconds");
    assert!((1..=30).contains(&wait), "{wait}");
    open_from(OTHER, port).expect("another network is not affected");
    // Its page is no session.
    let page = net::connect(port);
    (&page).write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it is sent");
    assert_eq!(Response::read(&page).status, 200);
}

#[test]
fn plain_connections_over_a_limit_are_closed() {
    for (limit, words) in [
        ("max-per-network=1", "there are too many sessions from this network"),
        ("rate=1/h", "too many sessions were requested from this network in a short time"),
    ] {
        let listen = format!("tcp:0:interface=127.0.0.1:{limit}");
        let forwarder = Forwarder::between(&listen, "echo");
        let port = forwarder.port(0);
        let echoes = |mut stream: TcpStream| {
            stream.write_all(b"x").is_ok() && matches!(stream.read(&mut [0]), Ok(1))
        };
        let first = connect_from(ONE, port);
        assert!(echoes(first.try_clone().expect("the same")));
        assert!(!echoes(connect_from(NEIGHBOUR, port)), "{limit}");
        assert!(forwarder.wait_for_log(words).contains("WARN"));
        assert!(echoes(connect_from(OTHER, port)), "{limit}");
        drop(first);
        if limit.starts_with("max") {
            wait_in(|| echoes(connect_from(NEIGHBOUR, port)).then_some(()));
        }
    }
}

#[test]
fn the_endpoint_beneath_has_limits_of_its_own() {
    let listen = "ws:{tcp:0:interface=127.0.0.1:max-sessions=1}";
    let forwarder = Forwarder::between(listen, "echo");
    let port = forwarder.port(0);
    let is_closed = |mut stream: TcpStream| stream.read(&mut [0]).unwrap_or(0) == 0;
    // Before any handshake: a connection is enough.
    let silent = connect_from(ONE, port);
    assert!(is_closed(connect_from(OTHER, port)));
    let line = forwarder.wait_for_log("there are too many sessions");
    assert!(line.contains("WARN") && line.contains("cannot accept tcp:127.0.0.1"), "{line}");
    drop(silent);
    let asks = || {
        let stream = connect_from(ONE, port);
        let _ = (&stream).write_all(&Request::new("/").encode());
        let begins = (&stream).read(&mut [0]).is_ok_and(|read| read == 1);
        begins.then_some(stream)
    };
    let open = wait_in(asks);
    assert!(is_closed(connect_from(OTHER, port)), "the session holds it");
    drop(open);
    wait_in(asks);
}

#[test]
fn a_user_has_two_sessions() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens");
    fs::write(&file, "0123456789abcdefgh:ada\nhgfedcba9876543210:bob\n").expect("it is written");
    let listen = format!("ws:0:auth={{bearer:file={}}}:max-per-user=2", file.display());
    let forwarder = Forwarder::between(&listen, "echo");
    let port = forwarder.port(0);
    let open = |token: &str| {
        let request = Request::new("/").header("Authorization", &format!("Bearer {token}"));
        WebSocket::open(net::connect(port), &request)
    };
    let mut sessions: Vec<_> =
        (0..2).map(|_| open("0123456789abcdefgh").expect("she has two")).collect();
    let refused = open("0123456789abcdefgh").expect_err("it is her third");
    assert_eq!((refused.status, body(&refused)), (503, "this user has too many sessions"));
    open("hgfedcba9876543210").expect("he has one");
    assert_eq!(open("wrong").expect_err("it is nobody's").status, 401);
    drop(sessions.pop());
    wait_in(|| open("0123456789abcdefgh").ok());
}

#[test]
fn a_proxys_clients_are_counted_by_their_own_networks() {
    let listen = "ws:0:trusted=loopback:rate=1/h";
    let forwarder = Forwarder::between(listen, "echo");
    let port = forwarder.port(0);
    let through = |port, client: &str| {
        let request = Request::new("/").header("X-Forwarded-For", client);
        WebSocket::open(net::connect(port), &request).map_or_else(|it| it.status, |_| 101)
    };
    for (client, status) in [
        ("192.0.2.1", 101),
        ("192.0.2.7", 429),
        ("198.51.100.1", 101),
        ("2001:db8::1", 101),
        ("2001:db8::2", 429),
        ("2001:db8:0:1::1", 101),
    ] {
        assert_eq!(through(port, client), status, "{client}");
    }
    // A peer that isn't trusted counts by its own address, whatever its headers contain.
    let forwarder = Forwarder::between("ws:0:rate=1/h", "echo");
    let port = forwarder.port(0);
    assert_eq!((through(port, "192.0.2.1"), through(port, "198.51.100.1")), (101, 429));
}

#[test]
fn proxies_say_it_in_their_own_terms() {
    for (limit, status, code) in
        [("max-sessions=1", "503 Service Unavailable", 1), ("rate=1/h", "429 Too Many Requests", 1)]
    {
        let forwarder = Forwarder::start(&[
            "-e",
            &format!("http-connect:{{tcp:0:interface=127.0.0.1}}:{limit}"),
            "-e",
            &format!("socks5:{{tcp:0:interface=127.0.0.1}}:{limit}"),
            "-d",
            "echo",
        ]);
        let connect = |port| {
            let stream = net::connect(port);
            (&stream)
                .write_all(b"CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n")
                .expect("it is sent");
            stream
        };
        let mut first = connect(forwarder.port(0));
        let mut begin = [0; 12];
        first.read_exact(&mut begin).expect("an answer");
        assert_eq!(&begin, b"HTTP/1.1 200");
        let answer = net::read_all(&connect(forwarder.port(0)));
        let answer = String::from_utf8(answer).expect("text");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
        assert_eq!(answer.contains("\r\nRetry-After: "), limit.starts_with("rate"), "{answer}");
        let socks = || {
            let mut stream = net::connect(forwarder.port(1));
            let request = b"\x05\x01\x00\x05\x01\x00\x03\x09a.example\x00\x50";
            stream.write_all(request).expect("it is sent");
            let mut answer = [0; 4];
            stream.read_exact(&mut answer).expect("an answer");
            (stream, answer[3])
        };
        let (_first, reply) = socks();
        assert_eq!(reply, 0);
        assert_eq!(socks().1, code, "{limit}");
    }
}

#[test]
fn mistakes_are_shown_where_they_are() {
    for (listen, words) in [
        ("tcp:9000:rate=10", "`10` is not a rate"),
        ("tcp:9000:rate=0/s", "`0/s` is not a rate"),
        ("tcp:9000:rate=10/d", "a number from 1 to 1000000 and a unit: `10/s`, `30/m` or `100/h`"),
        ("tcp:9000:burst=5", "`burst` is part of a `rate`"),
        ("tcp:9000:max-sessions=0", "`max-sessions` must be a number from 1 to 1000000"),
        ("tcp:9000:max-per-network=many", "`max-per-network` must be a number"),
        ("tcp:9000:max-session=5", "did you mean `max-sessions`?"),
    ] {
        let output = Command::new(binary::endpointforward())
            .args(["-e", listen, "-d", "echo", "--check"])
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{listen}: {said}");
        assert!(said.contains(words), "{listen}: {said}");
    }
    let output = Command::new(binary::endpointforward())
        .args(["-e", "tcp:9000:max-per-user=2", "-d", "echo", "--check"])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let words = "`max-per-user` has no effect: without `auth`, clients have no name";
    assert!(output.status.success() && said.contains(words), "{said}");
}
