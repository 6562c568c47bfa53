//! `wisp:{ws:…}`: many streams in one WebSocket, against raw packets and the client of npm's `wisp-js`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::thread;

use tests::data::Pattern;
use tests::net::{self, Server};
use tests::ws::WebSocket;
use tests::{Forwarder, node};

const LISTEN: &str = "wisp:{ws:0}";
const LOOPBACK: &str = "target:allow=loopback";

/// A client of version 1, after the greeting.
fn open(forwarder: &Forwarder) -> WebSocket {
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    assert_eq!(client.message(), b"\x03\0\0\0\0\x40\0\0\0");
    client
}

fn packet(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    [&[kind][..], &stream.to_le_bytes(), payload].concat()
}

fn connect(client: &mut WebSocket, stream: u32, network: u8, port: u16) {
    connect_to(client, stream, network, "127.0.0.1", port);
}

fn connect_to(client: &mut WebSocket, stream: u32, network: u8, host: &str, port: u16) {
    let payload = [&[network][..], &port.to_le_bytes(), host.as_bytes()].concat();
    client.send_binary(&packet(1, stream, &payload));
}

fn send(client: &mut WebSocket, stream: u32, data: &[u8]) {
    client.send_binary(&packet(2, stream, data));
}

/// The next packet that isn't a CONTINUE.
fn heard(client: &mut WebSocket) -> (u8, u32, Vec<u8>) {
    loop {
        let message = client.message();
        let (head, payload) = message.split_at(5);
        if head[0] != 3 {
            let stream = u32::from_le_bytes(head[1..].try_into().expect("4 bytes"));
            return (head[0], stream, payload.to_vec());
        }
    }
}

const TCP: u8 = 1;
const UDP: u8 = 2;

#[test]
fn streams_come_and_go_by_themselves() {
    let server = Server::bind();
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let mut client = open(&forwarder);
    let mut streams = Vec::new();
    for number in [7, 8, 9] {
        connect(&mut client, number, TCP, server.port());
        // Before any message could tell that it is connected.
        send(&mut client, number, format!("early {number}").as_bytes());
        let stream = server.accept();
        assert_eq!(net::read_exactly(&stream, 7), format!("early {number}").as_bytes());
        streams.push(stream);
    }
    for (stream, number) in streams.iter_mut().zip([7, 8, 9]) {
        stream.write_all(format!("for {number}").as_bytes()).expect("it is taken");
        assert_eq!(heard(&mut client), (2, number, format!("for {number}").into_bytes()));
    }
    // By the client: data that was sent before is delivered.
    send(&mut client, 8, b"last words");
    client.send_binary(&packet(4, 8, &[2]));
    assert_eq!(net::read_all(&streams.remove(1)), b"last words");
    // By the destination: its last words come before the end.
    let mut last = streams.remove(0);
    last.write_all(b"bye").expect("it is taken");
    drop(last);
    assert_eq!(heard(&mut client), (2, 7, b"bye".to_vec()));
    assert_eq!(heard(&mut client), (4, 7, vec![2]));
    // The number may be used again, and late data for the old one is dropped.
    send(&mut client, 7, b"too late");
    connect(&mut client, 7, TCP, server.port());
    send(&mut client, 7, b"anew");
    let anew = server.accept();
    assert_eq!(net::read_exactly(&anew, 4), b"anew");
    // The end of the WebSocket is the end of all.
    client.send_close(1000, "");
    assert_eq!(client.wait_close().expect("a Close").0, Some(1000));
    assert_eq!(net::read_all(&anew), b"");
    assert_eq!(net::read_all(&streams.remove(0)), b"");
}

#[test]
fn a_refusal_says_why() {
    let listen = "wisp:{ws:0}:sockets=1";
    let forwarder = Forwarder::between(listen, "target:allow={127.0.0.1,localhost}");
    let mut client = open(&forwarder);
    connect(&mut client, 1, TCP, net::free_port());
    assert_eq!(heard(&mut client), (4, 1, vec![0x44]));
    for host in ["127.0.0.2", "0.0.0.0", "::1", "10.0.0.1", "a b"] {
        connect_to(&mut client, 2, TCP, host, 80);
        assert_eq!(heard(&mut client), (4, 2, vec![0x48]), "{host}");
    }
    connect_to(&mut client, 3, TCP, "no-such-name.invalid", 80);
    assert_eq!(heard(&mut client), (4, 3, vec![0x42]));
    connect(&mut client, 4, TCP, 0);
    assert_eq!(heard(&mut client), (4, 4, vec![0x41]));
    connect(&mut client, 5, 3, 80);
    assert_eq!(heard(&mut client), (4, 5, vec![0x41]));
    let server = Server::bind();
    connect(&mut client, 6, TCP, server.port());
    let _stream = server.accept();
    connect(&mut client, 7, TCP, server.port());
    assert_eq!(heard(&mut client), (4, 7, vec![0x49]));
}

#[test]
fn datagrams_keep_their_boundaries() {
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = server.local_addr().expect("an address").port();
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let mut client = open(&forwarder);
    connect(&mut client, 1, UDP, port);
    let mut buf = [0; 65536];
    for length in [0, 1, 1500, 65_507] {
        let data = Pattern::new(length as u64).take(length);
        send(&mut client, 1, &data);
        let (got, from) = server.recv_from(&mut buf).expect("a datagram");
        assert_eq!(&buf[..got], data);
        server.send_to(&data, from).expect("it is sent");
        assert_eq!(heard(&mut client), (2, 1, data));
    }
    client.send_binary(&packet(4, 1, &[2]));
    // A connection alone doesn't take datagrams.
    let forwarder = Forwarder::between(LISTEN, "tcp:${target.host}:${target.port}:allow=loopback");
    let mut client = open(&forwarder);
    connect(&mut client, 1, UDP, port);
    assert_eq!(heard(&mut client), (4, 1, vec![0x48]));
    forwarder.wait_for_log("the client requests datagrams, but this destination is a connection");
}

#[test]
fn a_stream_that_is_not_taken_stalls_no_other_one() {
    let stalled = Server::bind_with_receive_buffer(4096);
    let server = Server::bind();
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let mut client = open(&forwarder);
    connect(&mut client, 1, TCP, stalled.port());
    connect(&mut client, 2, TCP, server.port());
    let (silent, mut stream) = (stalled.accept(), server.accept());
    let before = forwarder.rss_kib();
    // As long as there is credit, which ends where nothing is taken.
    let (mut credit, mut sent, mut ticks) = (64, 0_u64, 0);
    let mut pattern = Pattern::new(5);
    while ticks < 20 {
        while credit > 0 {
            send(&mut client, 1, &pattern.take(8192));
            (credit, sent) = (credit - 1, sent + 8192);
        }
        // The other one goes on both ways.
        send(&mut client, 2, b"tick");
        assert_eq!(net::read_exactly(&stream, 4), b"tick");
        stream.write_all(b"tock").expect("it is taken");
        loop {
            let message = client.message();
            match (message[0], message[1]) {
                (3, 1) => credit = u32::from_le_bytes(message[5..].try_into().expect("4 bytes")),
                (3, 2) => {}
                _ => break assert_eq!(message, packet(2, 2, b"tock")),
            }
        }
        ticks += 1;
    }
    assert!(sent < 20 << 20, "{sent} bytes were taken: there is no backpressure");
    let grown = forwarder.rss_kib().saturating_sub(before);
    assert!(grown < 3 * 1024, "{grown} KiB more for a destination that takes nothing");
    let reader = thread::spawn(move || Pattern::new(5).read_from(&silent, sent).map(|_| silent));
    let silent = reader.join().expect("no panic").expect("right");
    // Once it takes, credit comes.
    loop {
        let message = client.message();
        if (message[0], message[1]) == (3, 1) {
            break;
        }
    }
    drop(silent);
}

#[test]
fn a_client_that_breaks_the_protocol_is_told() {
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let server = Server::bind();
    for (message, words) in [
        (&b"\x02\0"[..], "a packet of Wisp has 5 bytes at least"),
        (b"\x09\0\0\0\0", "Wisp has no packets of the kind 9"),
        (b"\x05\0\0\0\0\x02\0", "INFO is for the beginning of Wisp 2"),
    ] {
        let mut client = open(&forwarder);
        connect(&mut client, 1, TCP, server.port());
        let mut stream = server.accept();
        client.send_binary(message);
        let (code, reason) = client.wait_close().expect("a Close");
        assert_eq!((code, &*reason), (Some(1002), words));
        // And what was open is over.
        assert_eq!(stream.read(&mut [0]).expect("an end"), 0);
    }
    let mut client = open(&forwarder);
    client.send_text("hello");
    let (code, reason) = client.wait_close().expect("a Close");
    assert_eq!((code, &*reason), (Some(1002), "Wisp has binary messages alone"));
}

#[test]
fn version_2_begins_with_what_both_can_do() {
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let mut client = WebSocket::connect(forwarder.port(0), "/", &["wisp-v2"]);
    assert_eq!(client.subprotocol(), Some("wisp-v2"));
    assert_eq!(client.message(), b"\x05\0\0\0\0\x02\0\x01\0\0\0\0\x05\0\0\0\0");
    client.send_binary(b"\x05\0\0\0\0\x02\0\x01\0\0\0\0\x99\x02\0\0\0hi");
    assert_eq!(client.message(), b"\x03\0\0\0\0\x40\0\0\0");
    let server = Server::bind();
    connect(&mut client, 1, TCP, server.port());
    drop(server.accept());
    assert_eq!(heard(&mut client), (4, 1, vec![2]));
    let mut client = WebSocket::connect(forwarder.port(0), "/", &["wisp-v2"]);
    connect(&mut client, 1, TCP, server.port());
    let (code, reason) = client.wait_close().expect("a Close");
    assert_eq!((code, &*reason), (Some(1002), "a client of Wisp 2 begins with INFO"));
}

/// A hundred streams at once, of TCP and of UDP, with both versions of the handshake.
#[test]
fn the_client_of_npm() {
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let echoes = udp.local_addr().expect("an address").port().to_string();
    thread::spawn(move || {
        let mut buf = [0; 65536];
        while let Ok((length, from)) = udp.recv_from(&mut buf) {
            // A client that has left needs no answer.
            let _ = udp.send_to(&buf[..length], from);
        }
    });
    let echo = Forwarder::between("tcp:0:interface=127.0.0.1", "echo");
    let forwarder = Forwarder::between(LISTEN, LOOPBACK);
    let (port, tcp) = (forwarder.port(0).to_string(), echo.port(0).to_string());
    for version in ["1", "2"] {
        let mut client = node("wisp.mjs", &[&*port, &*tcp, &*echoes, version]);
        assert!(client.wait_exit().success(), "{}", client.report());
        client.wait_for_line(&format!("version {version}: 100 streams echoed"));
    }
}
