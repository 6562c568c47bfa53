//! The command as an operator meets it: its start, its message when it can't start, its stop.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use tests::net::{self, Server};
use tests::ws::WebSocket;
use tests::{Forwarder, Signal, run, until};

#[test]
fn a_busy_port_is_one_message_and_status_69() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let output = run(&["-e", &port.to_string(), "-d", "echo"], b"");
    assert_eq!(output.code(), Some(69), "{output:?}");
    assert!(output.stderr.contains("address already in use"), "{}", output.stderr);
    assert!(output.stderr.contains(&port.to_string()), "{}", output.stderr);
    assert!(output.stderr.contains("help"), "{}", output.stderr);
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    assert!(!output.stderr.contains("listening on"), "{}", output.stderr);
}

#[test]
fn an_address_that_is_not_ours_is_status_69() {
    let output = run(&["-e", "tcp:0:interface=192.0.2.1", "-d", "echo"], b"");
    assert_eq!(output.code(), Some(69), "{output:?}");
    assert!(output.stderr.contains("192.0.2.1"), "{}", output.stderr);
}

#[test]
fn bad_descriptors_of_both_sides_are_reported_in_one_run() {
    let output = run(&["-e", "ws:{tcp:90o0}", "-e", "tpc:80", "-d", "tcp:localhost:8o80"], b"");
    assert_eq!(output.code(), Some(64), "{output:?}");
    for word in ["90o0", "did you mean `9000`", "`tpc` is not a kind", "tcp:localhost:8o80"] {
        assert!(output.stderr.contains(word), "no {word}:\n{}", output.stderr);
    }
}

#[test]
fn a_shell_on_a_public_address_is_refused_until_it_is_said_in_words() {
    let output = run(&["-e", "ws:{tcp:0:interface=0.0.0.0}", "-d", "process:sh"], b"");
    assert_eq!(output.code(), Some(64), "{output:?}");
    assert!(output.stderr.contains("auth=none"), "{}", output.stderr);
    let forwarder = Forwarder::between("ws:{tcp:0:interface=0.0.0.0}:auth=none", "process:cat");
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    client.send_binary(b"in words");
    assert_eq!(client.bytes(8), b"in words");
}

#[test]
fn stdout_carries_data_and_nothing_else() {
    let output = run(&["-e", "stdio", "-d", "echo", "-v"], b"data");
    assert_eq!((output.text().as_str(), output.code()), ("data", Some(0)), "{output:?}");
}

/// That the destination is connected doesn't say that the session has begun; a byte that crosses does.
fn is_open(near: &TcpStream, far: &TcpStream) {
    let mut near = near;
    near.write_all(b".").expect("the forwarder takes it");
    assert_eq!(net::read_exactly(far, 1), b".");
}

#[test]
fn it_drains_on_sigterm_and_ends_with_0() {
    let server = Server::bind();
    let mut forwarder = Forwarder::between("0", &server.descriptor());
    let port = forwarder.port(0);
    let client = net::connect(port);
    let far = server.accept();
    is_open(&client, &far);
    forwarder.signal(Signal::TERM);
    until("it accepts no more", || net::try_connect(port).is_err().then_some(()));
    // The session that is there goes on.
    (&client).write_all(b"still").expect("the forwarder takes it");
    assert_eq!(net::read_exactly(&far, 5), b"still");
    drop(client);
    assert_eq!(net::read_all(&far), b"");
    drop(far);
    assert_eq!(forwarder.wait_exit().code(), Some(0), "{}", forwarder.log());
}

#[test]
fn sessions_that_outlive_the_grace_are_ended_with_a_reason() {
    let server = Server::bind();
    let mut forwarder =
        Forwarder::start(&["-e", "ws:0", "-d", &server.descriptor(), "--grace", "200ms"]);
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let far = server.accept();
    forwarder.signal(Signal::INT);
    let (code, reason) = client.wait_close().expect("a Close comes before the end");
    assert!(matches!(code, Some(1001 | 1012)), "{code:?} {reason:?}");
    assert!(!reason.is_empty());
    client.send_close(1000, "");
    net::wait_end(&far);
    assert_eq!(forwarder.wait_exit().code(), Some(0), "{}", forwarder.log());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let server = Server::bind();
    let mut forwarder = Forwarder::start(&["-e", "0", "-d", &server.descriptor(), "--grace", "1h"]);
    let port = forwarder.port(0);
    let client = net::connect(port);
    let far = server.accept();
    is_open(&client, &far);
    forwarder.signal(Signal::TERM);
    until("it accepts no more", || net::try_connect(port).is_err().then_some(()));
    forwarder.signal(Signal::TERM);
    net::wait_end(&client);
    drop(client);
    forwarder.wait_exit_within(Duration::from_secs(15)).expect("it doesn't wait for the grace");
}

#[test]
fn once_serves_one_session_and_ends() {
    let mut forwarder = Forwarder::start(&["-e", "0", "-d", "echo", "--once"]);
    let client = net::connect(forwarder.port(0));
    (&client).write_all(b"one").expect("the forwarder takes it");
    net::half_close(&client);
    assert_eq!(net::read_all(&client), b"one");
    drop(client);
    assert_eq!(forwarder.wait_exit().code(), Some(0));
}

#[test]
fn one_session_too_many_is_refused_and_the_others_go_on() {
    let forwarder = Forwarder::start(&["-e", "ws:0", "-d", "echo", "--max-sessions", "1"]);
    let mut first = WebSocket::connect(forwarder.port(0), "/", &[]);
    let refused = WebSocket::open(net::connect(forwarder.port(0)), &tests::ws::Request::new("/"));
    assert_eq!(refused.expect_err("there is one place").status, 503);
    first.send_binary(b"mine");
    assert_eq!(first.bytes(4), b"mine");
}

#[test]
fn an_idle_session_is_ended_with_a_reason() {
    let forwarder = Forwarder::start(&["-e", "ws:0", "-d", "echo", "--idle-timeout", "300ms"]);
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    client.send_binary(b"busy");
    assert_eq!(client.bytes(4), b"busy");
    let (_, reason) = client.wait_close().expect("a Close comes before the end");
    assert!(reason.contains("idle"), "{reason}");
}

#[test]
fn programs_are_gone_when_it_is() {
    let mut forwarder =
        Forwarder::start(&["-e", "0", "-d", "process:sleep:600:grace=100ms", "--grace", "100ms"]);
    let clients: Vec<_> = (0..8).map(|_| net::connect(forwarder.port(0))).collect();
    let programs = until("all programs run", || {
        Some(forwarder.children()).filter(|children| children.len() == clients.len())
    });
    forwarder.signal(Signal::TERM);
    assert_eq!(forwarder.wait_exit().code(), Some(0), "{}", forwarder.log());
    for program in programs {
        assert!(!tests::procfs::runs(program), "program {program} is left");
    }
}

#[test]
fn a_client_that_says_nothing_delays_nobody() {
    let forwarder = Forwarder::between("ws:0", "echo");
    let silent: Vec<_> = (0..32).map(|_| net::connect(forwarder.port(0))).collect();
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    client.send_binary(b"served");
    assert_eq!(client.bytes(6), b"served");
    drop(silent);
}

#[test]
fn json_logs_are_json_and_name_both_ends() {
    let server = Server::bind();
    let forwarder =
        Forwarder::start(&["-e", "0", "-d", &server.descriptor(), "--log-format", "json"]);
    let client = net::connect(forwarder.port(0));
    let far = server.accept();
    let writer = thread::spawn(move || (&far).write_all(b"bye"));
    assert_eq!(net::read_exactly(&client, 3), b"bye");
    writer.join().expect("no panic").expect("written");
    drop(client);
    let line = forwarder.wait_for_log("\"seconds\"");
    let value: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!((&value["sent"], &value["received"]), (&0.into(), &3.into()), "{value}");
    assert!(value["seconds"].is_f64() && value["reason"].is_string(), "{value}");
    let text = value.to_string();
    assert!(text.contains(&server.descriptor()), "{text}");
    for line in forwarder.log().lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("every line is JSON");
    }
}
