//! Memory and independence under stalls, through the real command: the data in flight is bounded by
//! the kernel's socket buffers, whichever side stalls.

use std::io::Write;
use std::thread;
use std::time::Duration;

use tests::Forwarder;
use tests::data::Pattern;
use tests::net::{self, Server};
use tests::ws::{Request, WebSocket};

const MIB: u64 = 1 << 20;
/// Nothing moves for this long: the stall is complete.
const QUIET: Duration = Duration::from_millis(700);
/// The growth of the forwarder's memory that a stalled session may cause.
const GROWTH_KIB: u64 = 1024;
/// More than the kernel's buffers of both hops take by far, and what a forwarder without
/// backpressure would swallow.
const PUSHED: u64 = 300 * MIB;

fn frame_of(payload: &[u8]) -> Vec<u8> {
    tests::ws::Frame::new(tests::ws::Opcode::Binary, payload).encode(Some([9, 8, 7, 6]))
}

/// Warms allocator and thread-local buffers up, so that what is measured is the stall.
fn warm(forwarder: &Forwarder, server: &Server) {
    for _ in 0..4 {
        let client = net::connect(forwarder.port(0));
        let mut far = server.accept();
        let writer = thread::spawn({
            let client = client.try_clone().expect("a socket can be cloned");
            move || Pattern::new(1).write_to(client, 4 * MIB)
        });
        Pattern::new(1).read_from(&mut far, 4 * MIB).expect("right");
        writer.join().expect("no panic").expect("written");
    }
}

fn warm_ws(forwarder: &Forwarder, server: &Server) {
    for _ in 0..4 {
        let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
        let far = server.accept();
        client.send_binary(&Pattern::new(1).take(1 << 20));
        Pattern::new(1).read_from(&far, MIB).expect("right");
        let writer = thread::spawn(move || Pattern::new(2).write_to(&far, MIB));
        let _ = client.bytes(1 << 20);
        writer.join().expect("no panic").expect("written");
    }
}

fn assert_flat(forwarder: &Forwarder, before: u64, pushed: u64) {
    let after = forwarder.rss_kib();
    assert!(pushed < PUSHED, "all {pushed} bytes were taken: there is no backpressure");
    assert!(
        after < before + GROWTH_KIB,
        "{before} KiB became {after} KiB with {pushed} bytes pushed"
    );
}

#[test]
fn tcp_destination_that_does_not_read() {
    let server = Server::bind();
    let forwarder = Forwarder::between("0", &server.descriptor());
    warm(&forwarder, &server);
    let before = forwarder.rss_kib();
    let client = net::connect(forwarder.port(0));
    let far = server.accept();
    let data = Pattern::new(5).take(1 << 20);
    let pushed = net::push_until_stalled(&client, &data, QUIET, PUSHED);
    assert_flat(&forwarder, before, pushed);
    drop(far);
}

#[test]
fn tcp_client_that_does_not_read() {
    let server = Server::bind();
    let forwarder = Forwarder::between("0", &server.descriptor());
    warm(&forwarder, &server);
    let before = forwarder.rss_kib();
    let client = net::connect(forwarder.port(0));
    let far = server.accept();
    let pushed = net::push_until_stalled(&far, &Pattern::new(5).take(1 << 20), QUIET, PUSHED);
    assert_flat(&forwarder, before, pushed);
    drop(client);
}

#[test]
fn websocket_destination_that_does_not_read() {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0", &server.descriptor());
    warm_ws(&forwarder, &server);
    let before = forwarder.rss_kib();
    let client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let far = server.accept();
    let frame = frame_of(&Pattern::new(5).take(64 << 10));
    let pushed = net::push_until_stalled(&client.stream, &frame, QUIET, PUSHED);
    assert_flat(&forwarder, before, pushed);
    drop(far);
}

#[test]
fn websocket_client_that_does_not_read() {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0", &server.descriptor());
    warm_ws(&forwarder, &server);
    let before = forwarder.rss_kib();
    let client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let far = server.accept();
    let pushed = net::push_until_stalled(&far, &Pattern::new(5).take(1 << 20), QUIET, PUSHED);
    assert_flat(&forwarder, before, pushed);
    drop(client);
}

/// A message of one byte in each read, among pings: data that waits must not keep what was read with it.
#[test]
fn websocket_client_of_small_messages_that_does_not_read() {
    let forwarder = Forwarder::between("ws:0", "echo");
    let ping = tests::ws::Frame::new(tests::ws::Opcode::Ping, &[7; 125]).encode(Some([0; 4]));
    let read = [frame_of(b"x"), ping.repeat(240)].concat();
    let warm = WebSocket::connect(forwarder.port(0), "/", &[]);
    net::push_until_stalled(&warm.stream, &read, QUIET, 2 * MIB);
    drop(warm);
    let before = forwarder.rss_kib();
    let client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let pushed = net::push_until_stalled(&client.stream, &read, QUIET, PUSHED);
    assert_flat(&forwarder, before, pushed);
}

/// Data that inflates to a thousand times its size, in front of a destination that does not read.
#[test]
fn compressed_websocket_destination_that_does_not_read() {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0:compression={max-ratio=0}", &server.descriptor());
    warm_ws(&forwarder, &server);
    let before = forwarder.rss_kib();
    let offer = Request::new("/").header("Sec-WebSocket-Extensions", "permessage-deflate");
    let client = WebSocket::open(net::connect(forwarder.port(0)), &offer).expect("accepted");
    let far = server.accept();
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    let mut payload = Vec::with_capacity(4096);
    let zeros = vec![0; 1 << 20];
    deflate.compress_vec(&zeros, &mut payload, flate2::FlushCompress::Sync).expect("it fits");
    payload.truncate(payload.len() - 4);
    let mut frame = frame_of(&payload);
    frame[0] |= 0x40;
    let pushed = net::push_until_stalled(&client.stream, &frame.repeat(200), QUIET, PUSHED);
    assert_flat(&forwarder, before, pushed);
    drop(far);
}

#[test]
fn one_frame_of_256_mib_passes_in_constant_memory() {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0", &server.descriptor());
    warm_ws(&forwarder, &server);
    let before = forwarder.rss_kib();
    let client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let far = server.accept();
    let size = 256 * MIB;
    let writer = thread::spawn(move || {
        // A masked frame with a mask of zeros: its payload is the pattern as it stands.
        let mut head = vec![0x82, 0x80 | 127];
        head.extend(size.to_be_bytes());
        head.extend([0; 4]);
        (&client.stream).write_all(&head)?;
        Pattern::new(6).write_to(&client.stream, size)?;
        Ok::<_, std::io::Error>(client)
    });
    assert_eq!(Pattern::new(6).read_from(&far, size).expect("right"), size);
    let after = forwarder.rss_kib();
    assert!(after < before + GROWTH_KIB, "{before} KiB became {after} KiB");
    writer.join().expect("no panic").expect("written");
}

#[test]
fn what_was_held_back_arrives_whole_once_the_reader_reads() {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0", &server.descriptor());
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let far = server.accept();
    let total = 48 * MIB;
    let writer = thread::spawn(move || Pattern::new(4).write_to(&far, total));
    assert!(!writer.is_finished());
    let mut pattern = Pattern::new(4);
    while pattern.position() < total {
        pattern.check(&client.message()).expect("the bytes are right");
    }
    writer.join().expect("no panic").expect("written");
}

#[test]
fn a_reader_that_stalls_does_not_stop_what_it_sends() {
    let server = Server::bind();
    for endpoint in ["0", "ws:0"] {
        let forwarder = Forwarder::between(endpoint, &server.descriptor());
        if endpoint == "0" {
            let client = net::connect(forwarder.port(0));
            let far = server.accept();
            net::push_until_stalled(&far, &Pattern::new(5).take(1 << 20), QUIET, PUSHED);
            (&client).write_all(b"still here").expect("the forwarder takes it");
            assert_eq!(net::read_exactly(&far, 10), b"still here");
        } else {
            let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
            let far = server.accept();
            net::push_until_stalled(&far, &Pattern::new(5).take(1 << 20), QUIET, PUSHED);
            client.send_binary(b"still here");
            assert_eq!(net::read_exactly(&far, 10), b"still here");
        }
    }
}

#[test]
fn one_stalled_session_leaves_the_others_alone() {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0", &server.descriptor());
    let mut other = WebSocket::connect(forwarder.port(0), "/", &[]);
    let other_far = server.accept();
    let stalled = WebSocket::connect(forwarder.port(0), "/", &[]);
    let stalled_far = server.accept();
    let data = Pattern::new(5).take(1 << 20);
    net::push_until_stalled(&stalled_far, &data, QUIET, PUSHED);
    net::push_until_stalled(&stalled.stream, &frame_of(&data[..65536]), QUIET, PUSHED);
    other.send_binary(b"an old one");
    assert_eq!(net::read_exactly(&other_far, 10), b"an old one");
    let mut new = WebSocket::connect(forwarder.port(0), "/", &[]);
    let new_far = server.accept();
    new.send_binary(b"a new one");
    assert_eq!(net::read_exactly(&new_far, 9), b"a new one");
}

#[test]
fn full_duplex_at_full_speed_does_not_deadlock() {
    for endpoint in ["0", "ws:0"] {
        for destination in ["echo", "process:cat"] {
            let forwarder = Forwarder::between(endpoint, destination);
            let total = 64 * MIB;
            if endpoint == "0" {
                let client = net::connect(forwarder.port(0));
                let writer = thread::spawn({
                    let client = client.try_clone().expect("a socket can be cloned");
                    move || Pattern::new(9).write_to(client, total)
                });
                let got = Pattern::new(9).read_from(&client, total).expect("right");
                assert_eq!(got, total, "{destination}");
                writer.join().expect("no panic").expect("written");
            } else {
                let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
                let sending = client.stream.try_clone().expect("a socket can be cloned");
                let writer = thread::spawn(move || {
                    let mut pattern = Pattern::new(9);
                    for _ in 0..total / (64 << 10) {
                        (&sending).write_all(&frame_of(&pattern.take(64 << 10)))?;
                    }
                    Ok::<_, std::io::Error>(())
                });
                let mut pattern = Pattern::new(9);
                while pattern.position() < total {
                    pattern.check(&client.message()).expect("the bytes are right");
                }
                writer.join().expect("no panic").expect("written");
            }
        }
    }
}

#[test]
fn closed_sessions_give_everything_back() {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0", &server.descriptor());
    let fds = forwarder.fds();
    warm_ws(&forwarder, &server);
    // The runtime's own come with the first connection; the warm-up's connections go.
    let fds = tests::until("the first sessions are closed", || {
        Some(forwarder.fds()).filter(|now| now.abs_diff(fds) <= 1)
    });
    let mut sessions = Vec::new();
    for _ in 0..200 {
        let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
        let far = server.accept();
        client.send_binary(&[1; 4096]);
        net::read_exactly(&far, 4096);
        sessions.push((client, far));
    }
    let open = forwarder.fds();
    assert_eq!(open, fds + 400);
    drop(sessions);
    tests::until("all sockets are closed", || (forwarder.fds() == fds).then_some(()));
}

#[test]
fn a_file_that_nobody_reads_is_not_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    // A sparse one: far more than may be in memory.
    let large = std::fs::File::create(folder.path().join("large.bin")).expect("a file");
    large.set_len(PUSHED).expect("a file can be long");
    let listen = format!("ws:0:page={{{}}}", folder.path().display());
    let forwarder = Forwarder::between(&listen, "echo");
    let ask = || {
        let client = net::connect(forwarder.port(0));
        (&client)
            .write_all(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .expect("it is taken");
        assert_eq!(net::read_exactly(&client, 15), b"HTTP/1.1 200 OK");
        client
    };
    let warmed = ask();
    for _ in 0..32 {
        net::read_exactly(&warmed, 1 << 20);
    }
    let before = forwarder.rss_kib();
    let clients: Vec<_> = (0..16).map(|_| ask()).collect();
    let silent = net::connect(forwarder.port(0));
    assert!(net::is_silent(&silent, QUIET), "whoever asks for nothing gets nothing");
    let grown = forwarder.rss_kib().saturating_sub(before);
    // A piece of the file in each of three buffers, and a connection.
    assert!(grown < 16 * 128 + GROWTH_KIB, "{grown} KiB for {} readers", clients.len());
}
