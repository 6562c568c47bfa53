//! `ws2s:{ws:…}`: sockets that pages have by JSON, against what the client of ws2s sends and expects.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tests::data::Pattern;
use tests::net::{self, Server};
use tests::ws::{Frame, Opcode, WebSocket};
use tests::{Forwarder, Peer, binary};

const LISTEN: &str = "ws2s:{ws:0}";
const LOOPBACK: &str = "tcp:${target.host}:${target.port}:allow=loopback";

fn open(forwarder: &Forwarder) -> WebSocket {
    WebSocket::connect(forwarder.port(0), "/", &[])
}

fn connect(client: &mut WebSocket, port: u16) {
    say(client, &json!({"command": "connect", "host": "127.0.0.1", "port": port}));
}

fn say(client: &mut WebSocket, command: &Value) {
    client.send_text(&command.to_string());
}

/// The next response, as it is spelled.
fn said(client: &mut WebSocket) -> String {
    String::from_utf8(client.message()).expect("text")
}

fn done(client: &mut WebSocket, command: &str) {
    let expected = format!(r#"{{"success": true, "code": 0, "message": "{command} done"}}"#);
    assert_eq!(said(client), expected);
}

/// Returns the received data, up to `length` bytes.
fn received(client: &mut WebSocket, length: usize) -> Vec<u8> {
    let mut got = Vec::new();
    while got.len() < length {
        let response: Value = serde_json::from_str(&said(client)).expect("JSON");
        assert_eq!((&response["code"], &response["message"]), (&json!(-1), &json!("recv data")));
        got.extend(base64(response["data"].as_str().expect("text")));
    }
    got
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |byte| DIGITS.iter().position(|digit| *digit == byte).expect("base64") as u32;
    let digits: Vec<_> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits = (0..4).fold(0, |bits, at| bits << 6 | four.get(at).copied().unwrap_or(0));
        bits.to_be_bytes()[1..].iter().copied().take(four.len() - 1).collect::<Vec<_>>()
    });
    bytes.collect()
}

#[test]
fn the_example_of_its_readme() {
    let server = Server::bind();
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let mut client = open(&forwarder);
    // Both at once, before anything is answered.
    connect(&mut client, server.port());
    say(&mut client, &json!({"command": "send", "data": "GET / HTTP/1.1\r\nX: ä\r\n\r\n"}));
    let mut stream = server.accept();
    done(&mut client, "connect");
    done(&mut client, "send");
    assert_eq!(net::read_exactly(&stream, 25), "GET / HTTP/1.1\r\nX: ä\r\n\r\n".as_bytes());
    stream.write_all(b"$2\r\nOK\r\n").expect("it is taken");
    let ok = r#"{"success": true, "code": -1, "message": "recv data", "data": "JDINCk9LDQo="}"#;
    assert_eq!(said(&mut client), ok);
    say(&mut client, &json!({"command": "sendb", "data": "AAH/"}));
    done(&mut client, "sendb");
    assert_eq!(net::read_exactly(&stream, 3), [0, 1, 255]);
    say(&mut client, &json!({"command": "ping"}));
    done(&mut client, "ping");
    // The end of the destination leaves the WebSocket, and another socket may follow.
    drop(stream);
    let closed = r#"{"success": false, "code": 5, "message": "connection closed by peer"}"#;
    assert_eq!(said(&mut client), closed);
    say(&mut client, &json!({"command": "send", "data": "x"}));
    let illegal = r#"{"success": false, "code": 3, "message": "illegal socket status, please connect again. socketId: 1"}"#;
    assert_eq!(said(&mut client), illegal);
    connect(&mut client, server.port());
    let mut second = server.accept();
    done(&mut client, "connect");
    // And one that replaces it.
    connect(&mut client, server.port());
    let third = server.accept();
    done(&mut client, "connect");
    assert_eq!(second.read(&mut [0]).expect("an end"), 0);
    say(&mut client, &json!({"command": "sendb", "data": "YnllIQ=="}));
    say(&mut client, &json!({"command": "close"}));
    done(&mut client, "sendb");
    done(&mut client, "close");
    assert_eq!(net::read_all(&third), b"bye!");
    say(&mut client, &json!({"command": "close"}));
    done(&mut client, "close");
}

#[test]
fn what_goes_wrong_has_the_codes_of_ws2s() {
    let forwarder = Forwarder::between(LISTEN, "tcp:${target.host}:${target.port}:allow=127.0.0.1");
    let mut client = open(&forwarder);
    let port = net::free_port();
    connect(&mut client, port);
    let refused = r#"{"success": false, "code": 2, "message": "connection refused"}"#;
    assert_eq!(said(&mut client), refused);
    // Whatever stands for an address that wasn't named.
    for host in
        ["0.0.0.0", "127.0.0.2", "::1", "[::1]", "::ffff:127.0.0.2", "10.0.0.1", "169.254.169.254"]
    {
        say(&mut client, &json!({"command": "connect", "host": host, "port": port}));
        let words = format!(
            "ws2s refuse to connect target host: {host}, cause that's a dangerous operation"
        );
        let forbidden = format!(r#"{{"success": false, "code": 4, "message": "{words}"}}"#);
        assert_eq!(said(&mut client), forbidden);
    }
    let ssh = json!({"command": "connect", "host": "h", "port": 1, "ssh_host": "s"});
    say(&mut client, &ssh);
    let tunnel = said(&mut client);
    assert!(tunnel.contains(r#""code": 6, "message": "Failed To Open SSH Tunnel. socketId: "#));
    client.send_text("nonsense");
    let mistake = said(&mut client);
    assert!(mistake.contains(r#""code": 1, "message": "JSONDecodeError("#), "{mistake}");
    say(&mut client, &json!({"host": "h"}));
    let mistake = said(&mut client);
    assert!(mistake.contains(r#""code": 1, "message": "KeyError('command')""#), "{mistake}");
    say(&mut client, &json!({"command": "close"}));
    done(&mut client, "close");
    client.send_text(&"x".repeat((4 << 20) + 1));
    let (code, reason) = client.wait_close().expect("a Close");
    let words = "a command has more than 4194304 bytes, which is the limit";
    assert_eq!((code, &*reason), (Some(1009), words));
}

#[test]
fn a_client_connects_again_whatever_its_destinations_before_still_do() {
    let server = Server::bind();
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let mut client = open(&forwarder);
    // None of them answers the end with its own.
    let mut held = Vec::new();
    for _ in 0..60 {
        connect(&mut client, server.port());
        held.push(server.accept());
        done(&mut client, "connect");
        say(&mut client, &json!({"command": "close"}));
        done(&mut client, "close");
    }
}

#[test]
fn the_end_of_a_websocket_ends_its_socket_and_no_other_one() {
    let server = Server::bind();
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let mut sockets: Vec<(WebSocket, TcpStream)> = Vec::new();
    for _ in 0..3 {
        let mut client = open(&forwarder);
        connect(&mut client, server.port());
        let stream = server.accept();
        done(&mut client, "connect");
        sockets.push((client, stream));
    }
    let (mut closing, its) = sockets.pop().expect("a third");
    say(&mut closing, &json!({"command": "send", "data": "last words"}));
    closing.send_close(1000, "");
    assert_eq!(net::read_all(&its), b"last words");
    let (lost, its) = sockets.pop().expect("a second");
    drop(lost);
    let mut its = its;
    // An end or a reset.
    let read = its.read(&mut [0]);
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    let (mut client, mut stream) = sockets.pop().expect("a first");
    stream.write_all(b"still here").expect("it is taken");
    assert_eq!(received(&mut client, 10), b"still here");
}

#[test]
fn a_destination_that_takes_nothing_stalls_its_own_websocket_alone() {
    let server = Server::bind_with_receive_buffer(4096);
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let mut stalled = open(&forwarder);
    connect(&mut stalled, server.port());
    let silent = server.accept();
    done(&mut stalled, "connect");
    let mut other = open(&forwarder);
    connect(&mut other, server.port());
    let mut stream = server.accept();
    done(&mut other, "connect");
    let before = forwarder.rss_kib();
    let data = "x".repeat(100_000);
    let command = json!({"command": "send", "data": data}).to_string();
    let sending = thread::spawn(move || {
        for _ in 0..200 {
            stalled.send_text(&command);
        }
        for _ in 0..200 {
            done(&mut stalled, "send");
        }
    });
    for _ in 0..20 {
        stream.write_all(b"tick").expect("it is taken");
        assert_eq!(received(&mut other, 4), b"tick");
    }
    assert!(!sending.is_finished(), "20 MB wait somewhere");
    // One share of 1 MiB, a command and what the allocator keeps of both; the rest waits in the sockets of the system.
    let grown = forwarder.rss_kib() - before;
    assert!(grown < 6 * 1024, "{grown} KiB more for a destination that takes nothing");
    let taken = net::read_exactly(&silent, 200 * 100_000);
    assert!(taken.iter().all(|byte| *byte == b'x'));
    sending.join().expect("all was taken");
}

/// An answer repeats the name of a command, which may be as long as a message.
#[test]
fn answers_that_nobody_reads_stop_the_reading() {
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let mut client = open(&forwarder);
    say(&mut client, &json!({"command": "ping"}));
    done(&mut client, "ping");
    let before = forwarder.rss_kib();
    // Each byte of it is written as three.
    let name = "\u{e9}".repeat(500_000);
    let command = json!({"command": name}).to_string();
    client.stream.set_write_timeout(Some(Duration::from_secs(1))).expect("it has one");
    let frame = Frame::new(Opcode::Text, command.as_bytes());
    let sent = (0..60).take_while(|_| client.try_send(&frame).is_ok()).count();
    let grown = forwarder.rss_kib().saturating_sub(before);
    assert!(sent < 30, "{sent} commands were read whose answers are not");
    assert!(grown < 32 * 1024, "{grown} KiB more for answers that nobody reads");
}

#[test]
fn five_hundred_at_once_and_no_byte_crosses() {
    let server = Server::bind();
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let port = server.port();
    let echo = thread::spawn(move || {
        let mut streams = Vec::new();
        for _ in 0..SOCKETS {
            streams.push(server.accept());
        }
        // All are open now.
        for stream in &streams {
            stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
        }
        for stream in &mut streams {
            let mut data = vec![0; LENGTH];
            stream.read_exact(&mut data).expect("as much as was sent");
            stream.write_all(&data).expect("it is taken");
        }
    });
    let mut clients = Vec::new();
    for seed in 0..SOCKETS {
        let mut client = open(&forwarder);
        connect(&mut client, port);
        let data: String =
            Pattern::new(seed).take(LENGTH).iter().map(|byte| char::from(byte & 0x7f)).collect();
        say(&mut client, &json!({"command": "send", "data": data}));
        clients.push((client, data));
    }
    for (client, data) in &mut clients {
        done(client, "connect");
        done(client, "send");
        assert!(received(client, LENGTH) == data.as_bytes(), "bytes have crossed");
    }
    echo.join().expect("the echo");
}

const SOCKETS: u64 = 500;
const LENGTH: usize = 2000;

/// The requests of the Redis client of ws2s.js, against a real server.
#[test]
fn its_redis_client_against_a_redis() {
    let port = net::free_port().to_string();
    assert!(binary::program("redis-server").is_some(), "run `cargo xtask setup`");
    let options = ["--port", &port, "--save", "", "--appendonly", "no", "--requirepass", "secret"];
    let mut redis = Peer::start("redis-server", &options);
    redis.wait_for_port(port.parse().expect("a port"));
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let mut client = open(&forwarder);
    connect(&mut client, port.parse().expect("a port"));
    done(&mut client, "connect");
    let nested = "*2\r\n$4\r\nkeys\r\n$1\r\n*\r\n";
    for (sent, answer) in [
        ("*2\r\n$4\r\nauth\r\n$6\r\nsecret\r\n", "+OK\r\n"),
        ("*3\r\n$3\r\nset\r\n$1\r\na\r\n$6\r\nb c\u{e4}d\r\n", "+OK\r\n"),
        ("ping\r\n", "+PONG\r\n"),
        ("*2\r\n$3\r\nget\r\n$1\r\na\r\n", "$6\r\nb c\u{e4}d\r\n"),
        (nested, "*1\r\n$1\r\na\r\n"),
        ("*2\r\n$4\r\nincr\r\n$1\r\nn\r\n", ":1\r\n"),
        ("*2\r\n$3\r\nget\r\n$4\r\nnone\r\n", "$-1\r\n"),
    ] {
        say(&mut client, &json!({"command": "send", "data": sent}));
        done(&mut client, "send");
        assert_eq!(received(&mut client, answer.len()), answer.as_bytes(), "{sent}");
    }
}
