//! The start and the end of connections, through the real command over loopback sockets: faults where
//! forwarders of this field lose data, leak or hang, one test each.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use tests::data::Pattern;
use tests::net::{self, Ended, Refusing, Server, SlowConnect};
use tests::ws::{Frame, Opcode, Request, WebSocket};
use tests::{Forwarder, until};

const MIB: u64 = 1 << 20;
/// A frame of a reserved opcode, masked.
const RESERVED: [u8; 6] = [0x83, 0x80, 0, 0, 0, 0];
/// Long enough that an implementation that gives up on a late reader has done so.
const LATE: Duration = Duration::from_millis(1200);

fn ws_to(server: &Server) -> Forwarder {
    Forwarder::between("ws:0", &server.descriptor())
}

fn tcp_to(server: &Server) -> Forwarder {
    Forwarder::between("0", &server.descriptor())
}

/// Payload of the frames up to the Close, which is returned with them.
fn payload_until_close(ws: &mut WebSocket) -> (Vec<u8>, Option<Frame>) {
    let mut payload = Vec::new();
    while let Some(frame) = ws.receive() {
        match frame.opcode {
            Opcode::Close => return (payload, Some(frame)),
            Opcode::Ping | Opcode::Pong => {}
            _ => payload.extend(frame.payload),
        }
    }
    (payload, None)
}

// === a destination that is down ===

#[test]
fn refused_destination_is_a_502_and_is_named_in_the_log() {
    let refusing = Refusing::bind();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", refusing.port()));
    let refused = WebSocket::open(net::connect(forwarder.port(0)), &Request::new("/"));
    let response = refused.expect_err("no WebSocket without a destination");
    assert_eq!(response.status, 502);
    let line = forwarder.wait_for_log("connection refused");
    assert!(line.contains(&format!("tcp:127.0.0.1:{}", refusing.port())), "{line}");
}

#[test]
fn refused_destination_ends_a_tcp_client_at_once() {
    let refusing = Refusing::bind();
    let forwarder = Forwarder::between("0", &format!("tcp:127.0.0.1:{}", refusing.port()));
    let client = net::connect(forwarder.port(0));
    net::wait_end(&client);
    forwarder.wait_for_log("connection refused");
}

#[test]
fn unresolvable_destination_is_a_502_with_a_name_in_the_log() {
    let forwarder = Forwarder::between("ws:0", "tcp:no-such-host.invalid:80");
    let refused = WebSocket::open(net::connect(forwarder.port(0)), &Request::new("/"));
    assert_eq!(refused.expect_err("no WebSocket without a destination").status, 502);
    forwarder.wait_for_log("no-such-host.invalid");
}

// === before the destination is up ===

#[test]
fn early_bytes_are_kept_until_the_destination_is_up() {
    for endpoint in ["0", "ws:0"] {
        let slow = SlowConnect::bind();
        let forwarder = Forwarder::between(endpoint, &format!("tcp:127.0.0.1:{}", slow.port()));
        let client = thread::spawn({
            let port = forwarder.port(0);
            let ws = endpoint.starts_with("ws");
            move || {
                let stream = net::connect(port);
                if ws {
                    // The frame goes out with the handshake, before there is any answer.
                    let mut early = Request::new("/").encode();
                    early.extend(Frame::new(Opcode::Binary, b"early!").encode(Some([1, 2, 3, 4])));
                    (&stream).write_all(&early).expect("the forwarder takes it");
                } else {
                    (&stream).write_all(b"early!").expect("the forwarder takes it");
                }
                stream
            }
        });
        let client = client.join().expect("the client sends");
        let server = slow.release();
        let far = server.accept();
        assert_eq!(net::read_exactly(&far, 6), b"early!", "{endpoint}");
        drop(client);
    }
}

#[test]
fn half_closed_client_gets_its_reply() {
    // As with `printf x | nc`: the end comes right after the bytes, before any connect is done.
    let server = Server::bind();
    let forwarder = tcp_to(&server);
    let client = net::connect(forwarder.port(0));
    (&client).write_all(b"x").expect("the forwarder takes it");
    net::half_close(&client);
    let far = server.accept();
    assert_eq!(net::read_all(&far), b"x");
    (&far).write_all(b"reply").expect("the forwarder takes it");
    drop(far);
    assert_eq!(net::read_all(&client), b"reply");
}

#[test]
fn client_that_resets_while_dialling_leaves_nothing_open() {
    for endpoint in ["0", "ws:0"] {
        let slow = SlowConnect::bind();
        let forwarder = Forwarder::between(endpoint, &format!("tcp:127.0.0.1:{}", slow.port()));
        let idle = forwarder.fds();
        let client = net::connect(forwarder.port(0));
        if endpoint.starts_with("ws") {
            (&client).write_all(&Request::new("/").encode()).expect("the forwarder takes it");
        }
        until("the forwarder dials", || (forwarder.fds() >= idle + 2).then_some(()));
        net::reset(client);
        until("both sockets are closed", || (forwarder.fds() == idle).then_some(()));
    }
}

#[test]
fn websocket_client_that_closes_while_dialling_leaves_nothing_open() {
    let slow = SlowConnect::bind();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", slow.port()));
    let idle = forwarder.fds();
    let client = net::connect(forwarder.port(0));
    (&client).write_all(&Request::new("/").encode()).expect("the forwarder takes it");
    until("the forwarder dials", || (forwarder.fds() >= idle + 2).then_some(()));
    // A browser that closes a WebSocket that isn't open yet closes its connection.
    drop(client);
    until("both sockets are closed", || (forwarder.fds() == idle).then_some(()));
}

// === the server ends ===

#[test]
fn server_closes_after_8_mib_and_a_late_reader_gets_them_all() {
    let server = Server::bind();
    let forwarder = ws_to(&server);
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let far = server.accept();
    let writer = thread::spawn(move || Pattern::new(7).write_to(&far, 8 * MIB));
    be_late();
    let (payload, close) = payload_until_close(&mut client);
    assert_eq!(payload.len() as u64, 8 * MIB);
    Pattern::new(7).check(&payload).expect("the bytes are those that were sent");
    assert_eq!(close.expect("a Close comes before the end").close_reason().0, Some(1000));
    writer.join().expect("no panic").expect("the server could write");
}

#[test]
fn tcp_server_closes_after_8_mib_and_a_late_reader_gets_them_all() {
    let server = Server::bind();
    let forwarder = tcp_to(&server);
    let client = net::connect(forwarder.port(0));
    let far = server.accept();
    let writer = thread::spawn(move || Pattern::new(8).write_to(&far, 8 * MIB));
    be_late();
    assert_eq!(Pattern::new(8).read_from(&client, 9 * MIB).expect("the bytes are right"), 8 * MIB);
    writer.join().expect("no panic").expect("the server could write");
}

#[test]
fn server_half_closes_and_1_mib_still_goes_up() {
    for endpoint in ["0", "ws:0"] {
        let server = Server::bind();
        let forwarder = Forwarder::between(endpoint, &server.descriptor());
        if endpoint == "0" {
            let client = net::connect(forwarder.port(0));
            let far = server.accept();
            Pattern::new(1).write_to(&far, 64 << 10).expect("the forwarder takes it");
            net::half_close(&far);
            assert_eq!(Pattern::new(1).read_from(&client, MIB).expect("right"), 64 << 10);
            be_late();
            let writer = thread::spawn(move || Pattern::new(2).write_to(&client, MIB));
            assert_eq!(Pattern::new(2).read_from(&far, 2 * MIB).expect("right"), MIB);
            writer.join().expect("no panic").expect("the forwarder takes it");
        } else {
            let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
            let far = server.accept();
            Pattern::new(1).write_to(&far, 64 << 10).expect("the forwarder takes it");
            net::half_close(&far);
            let (payload, close) = payload_until_close(&mut client);
            assert_eq!(payload.len(), 64 << 10);
            assert!(close.is_some(), "the end of the server's data is a Close");
            // The client's remaining data comes before its own Close.
            let up = Pattern::new(2).take(1 << 20);
            for chunk in up.chunks(64 << 10) {
                client.send_binary(chunk);
            }
            client.send_close(1000, "");
            assert_eq!(Pattern::new(2).read_from(&far, 2 * MIB).expect("right"), MIB);
        }
    }
}

// === the client breaks the protocol ===

#[test]
fn who_broke_the_protocol_and_still_sends_reads_the_last_data_and_the_close() {
    let server = Server::bind();
    let forwarder = ws_to(&server);
    let mut ws = WebSocket::connect(forwarder.port(0), "/", &[]);
    let far = server.accept();
    (&far).write_all(b"last").expect("the forwarder takes it");
    assert!(net::readable(&ws.stream, tests::DEADLINE), "it has come, and lies unread");
    ws.send_raw(&RESERVED);
    assert!(net::read_all(&far).is_empty(), "the far side is told at once");
    drop(far);
    // One thread serves all: the work after these ends was done before another session had its turn.
    let mut other = WebSocket::connect(forwarder.port(0), "/", &[]);
    other.send_binary(b"x");
    assert_eq!(net::read_exactly(&server.accept(), 1), b"x");
    // An octet that comes to a closed socket is answered with a reset, and the next one fails.
    for _ in 0..100 {
        ws.send_raw(b"x");
    }
    assert_eq!(ws.message(), b"last");
    assert_eq!(ws.wait_close().and_then(|(code, _)| code), Some(1002));
    assert!(net::read_all(&ws.stream).is_empty(), "an orderly end");
    drop(ws);
    forwarder.wait_for_log("client failed, reading: WebSocket: reserved opcode 3");
}

#[test]
fn who_broke_the_protocol_and_never_ends_holds_up_no_end_of_ours() {
    let forwarder = Forwarder::between("ws:{tcp:0:interface=127.0.0.1}:close-timeout=1h", "echo");
    let mut ws = WebSocket::connect(forwarder.port(0), "/", &[]);
    ws.send_raw(&RESERVED);
    assert_eq!(ws.wait_close().and_then(|(code, _)| code), Some(1002));
    forwarder.signal(tests::Signal::TERM);
    forwarder.wait_for_log("stopping (SIGTERM)");
    forwarder.signal(tests::Signal::TERM);
    let mut forwarder = forwarder;
    assert!(forwarder.wait_exit().success(), "{}", forwarder.report());
    drop(ws);
}

// === the client ends ===

#[test]
fn client_sends_8_mib_and_closes_and_a_late_server_gets_them_all() {
    for close in [true, false] {
        let server = Server::bind();
        let forwarder = ws_to(&server);
        let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
        let far = server.accept();
        let writer = thread::spawn(move || {
            for chunk in Pattern::new(3).take(8 << 20).chunks(64 << 10) {
                client.send_binary(chunk);
            }
            if close {
                client.send_close(1000, "done");
                return client.wait_close().and_then(|(code, _)| code);
            }
            // The drop: no Close frame, only the end of the connection.
            net::half_close(&client.stream);
            None
        });
        be_late();
        assert_eq!(Pattern::new(3).read_from(&far, 9 * MIB).expect("right"), 8 * MIB, "{close}");
        drop(far);
        let replied = writer.join().expect("no panic");
        assert_eq!(replied, close.then_some(1000));
    }
}

#[test]
fn request_and_close_at_once_still_gets_the_answer() {
    let server = Server::bind();
    let forwarder = ws_to(&server);
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let far = server.accept();
    client.send_binary(b"req");
    client.send_close(1000, "");
    // The body of the Close never enters the stream: the request, then the end.
    assert_eq!(net::read_all(&far), b"req");
    // The answer takes a while, as answers do; an early reply to the Close would cut it off.
    assert!(net::is_silent(&client.stream, Duration::from_millis(300)));
    (&far).write_all(b"answer").expect("the forwarder takes it");
    drop(far);
    let (payload, close) = payload_until_close(&mut client);
    assert_eq!(payload, b"answer");
    assert_eq!(close.expect("our Close is answered").close_reason().0, Some(1000));
    assert!(client.receive().is_none(), "the server ends the connection after both Closes");
}

#[test]
fn half_close_reaches_the_far_side_and_late_replies_come_back() {
    // Wherever both sides know half-close.
    let folder = tempfile::tempdir().expect("a folder for sockets");
    let path = folder.path().join("s").display().to_string();
    let server = Server::bind();
    let unix = Forwarder::between(&format!("unix:{path}"), &server.descriptor());
    assert!(unix.listening()[0].starts_with("unix:"));
    let forwarder = Forwarder::between("0", &format!("unix:{path}"));
    for late in [0, 1] {
        let client = net::connect(forwarder.port(0));
        (&client).write_all(b"question").expect("the forwarder takes it");
        net::half_close(&client);
        let far = server.accept();
        assert_eq!(net::read_all(&far), b"question");
        if late == 1 {
            be_late();
        }
        (&far).write_all(b"answer").expect("the forwarder takes it");
        drop(far);
        assert_eq!(net::read_all(&client), b"answer");
    }
}

#[test]
fn program_answers_after_its_input_has_ended() {
    let forwarder = Forwarder::between("0", "process:sh:-c:{cat >/dev/null; echo all read}");
    let client = net::connect(forwarder.port(0));
    (&client).write_all(b"some input\n").expect("the forwarder takes it");
    net::half_close(&client);
    assert_eq!(net::read_all(&client), b"all read\n");
    forwarder.wait_no_children();
}

#[test]
fn exit_status_is_in_the_close_reason() {
    let forwarder = Forwarder::between("ws:0", "process:sh:-c:{echo bye; exit 3}");
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let (payload, close) = payload_until_close(&mut client);
    assert_eq!(payload, b"bye\n");
    let (_, reason) = close.expect("a Close comes before the end").close_reason();
    assert!(reason.contains("exit status 3"), "{reason:?}");
    // A client that doesn't answer our Close is not waited for beyond the close timeout.
    forwarder.wait_for_log("destination ended");
    forwarder.wait_no_children();
}

/// Takes longer than the end of a program's output waits for a program that may still read.
const CLOSED: &str = "exec >&-; sleep 1; exit 3";

#[test]
fn a_program_that_closes_its_output_first_still_says_how_it_ended() {
    for (destination, has_input) in [
        (format!("process:sh:-c:{{{CLOSED}}}"), false),
        (format!("process:sh:-c:{{exec <&-; {CLOSED}}}"), true),
        (format!("process:sh:-c:{{{CLOSED}}}"), true),
        (format!("pty:sh:-c:{{exec <&- 2>&-; {CLOSED}}}"), false),
    ] {
        let mut forwarder = Forwarder::spawn(&["-e", "stdio", "-d", &destination]);
        if !has_input {
            forwarder.close_stdin();
        }
        let log = forwarder.wait_for_log("exit status 3");
        assert_eq!(forwarder.wait_exit().code(), Some(76), "{destination}: {log}");
    }
}

#[test]
fn a_program_that_closes_both_ends_first_is_in_the_close_reason() {
    let program = format!("process:sh:-c:{{exec <&-; {CLOSED}}}");
    let forwarder = Forwarder::between("ws:0", &program);
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let (_, close) = payload_until_close(&mut client);
    let (_, reason) = close.expect("a Close comes before the end").close_reason();
    assert!(reason.contains("exit status 3"), "{reason:?}");
}

/// A client may wait for the end of a program's output before it sends more.
#[test]
fn a_program_that_reads_on_delays_no_end_of_its_output() {
    let far = "process:sh:-c:{printf ready; exec >&-; cat >&2; exit 4}:grace=100";
    let forwarder = Forwarder::between("0", far);
    let client = net::connect(forwarder.port(0));
    assert_eq!(net::read_all(&client), b"ready");
    (&client).write_all(b"more\n").expect("the forwarder takes it");
    forwarder.wait_for_log("more");
    net::half_close(&client);
    forwarder.wait_for_log("destination ended (exit status 4)");
}

#[test]
fn reset_of_one_side_ends_the_other_and_leaves_nothing() {
    let server = Server::bind();
    for endpoint in ["0", "ws:0"] {
        let forwarder = Forwarder::between(endpoint, &server.descriptor());
        let idle = forwarder.fds();
        let mut stream = if endpoint == "0" {
            net::connect(forwarder.port(0))
        } else {
            WebSocket::connect(forwarder.port(0), "/", &[]).stream
        };
        let far = server.accept();
        net::reset(stream);
        assert_eq!(net::wait_end(&far), Ended::Eof);
        drop(far);
        until("everything is closed", || (forwarder.fds() == idle).then_some(()));

        stream = if endpoint == "0" {
            net::connect(forwarder.port(0))
        } else {
            WebSocket::connect(forwarder.port(0), "/", &[]).stream
        };
        net::reset(server.accept());
        net::wait_end(&stream);
        drop(stream);
        until("everything is closed", || (forwarder.fds() == idle).then_some(()));
    }
}

#[test]
fn reset_of_a_client_that_never_read_ends_the_session_at_once() {
    // Both directions stand still: the program waits for a reader, and so doesn't read.
    for destination in ["process:cat", "echo"] {
        let forwarder = Forwarder::start(&["-e", "0", "-d", destination, "--linger", "off"]);
        let idle = forwarder.fds();
        let client = net::connect(forwarder.port(0));
        let data = Pattern::new(4).take(1 << 20);
        net::push_until_stalled(&client, &data, Duration::from_millis(500), 256 * MIB);
        net::reset(client);
        until(&format!("{destination} is given back"), || (forwarder.fds() == idle).then_some(()));
        forwarder.wait_no_children();
    }
}

#[test]
fn who_ended_a_session_is_always_said() {
    let server = Server::bind();
    let forwarder = tcp_to(&server);
    let client = net::connect(forwarder.port(0));
    let mut far = server.accept();
    (&client).write_all(b"12345").expect("the forwarder takes it");
    let mut five = [0; 5];
    far.read_exact(&mut five).expect("five bytes");
    drop(far);
    net::wait_end(&client);
    drop(client);
    let line = forwarder.wait_for_log("destination ended");
    assert!(line.contains("5 bytes sent"), "{line}");
}

/// The one place where a test lets time pass: to be late is what these tests are about.
#[expect(clippy::disallowed_methods, reason = "a peer that is late is the hardship")]
fn be_late() {
    thread::sleep(LATE);
}
