//! Records of the log as JSON: every end of a session, and every refusal, as fields.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use tests::net::{self, Refusing, Server};
use tests::ws::Request;
use tests::{Forwarder, run_program};

fn start(endpoint: &str, destination: &str, more: &[&str]) -> Forwarder {
    let args = [&["-e", endpoint, "-d", destination, "--log-format", "json"], more].concat();
    Forwarder::start(&args)
}

/// Waits for the record with this `event`.
fn record(forwarder: &Forwarder, event: &str) -> Value {
    let line = forwarder.wait_for_log(&format!("\"event\":\"{event}\""));
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Checks the record of a session's end.
fn expect_end(forwarder: &Forwarder, sent: u64, received: u64, reason: &str, by: &str, cut: bool) {
    let end = record(forwarder, "end");
    let moved = (&end["sent"], &end["received"]);
    assert_eq!(moved, (&sent.into(), &received.into()), "{end}");
    assert!(end["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{end}");
    assert_eq!((&end["reason"], &end["by"]), (&reason.into(), &by.into()), "{end}");
    assert_eq!(end["cut"], cut, "{end}");
    // The message is the cause, and then the numbers.
    let (cause, message) = (end["cause"].as_str(), end["message"].as_str());
    let (cause, message) = (cause.expect("words"), message.expect("words"));
    assert!(message.starts_with(cause) && message.contains(" bytes sent, "), "{end}");
    let span = &end["span"];
    assert!(span["id"].is_u64() && span["peer"].is_string(), "{end}");
    assert_eq!(span["listener"], *forwarder.listening()[0], "{end}");
    assert!(span["destination"].is_string(), "{end}");
}

/// Checks the record of a refusal. Returns its cause.
fn expect_refusal(refused: &Value, endpoint: &str, reason: &str) -> String {
    assert_eq!(
        (&refused["endpoint"], &refused["reason"]),
        (&endpoint.into(), &reason.into()),
        "{refused}"
    );
    let (cause, message) = (refused["cause"].as_str(), refused["message"].as_str());
    let (cause, message) = (cause.expect("words"), message.expect("words"));
    assert!(message.ends_with(cause), "the cause is whole: {refused}");
    cause.to_owned()
}

#[test]
fn a_client_that_leaves() {
    let forwarder = start("0", "echo", &[]);
    let client = net::connect(forwarder.port(0));
    (&client).write_all(b"hello").expect("it takes it");
    net::half_close(&client);
    assert_eq!(net::read_all(&client), b"hello");
    expect_end(&forwarder, 5, 5, "end_of_stream", "client", false);
}

#[test]
fn a_destination_that_leaves() {
    let server = Server::bind();
    let forwarder = start("0", &server.descriptor(), &[]);
    let client = net::connect(forwarder.port(0));
    let far = server.accept();
    (&far).write_all(b"bye").expect("it takes it");
    drop(far);
    assert_eq!(net::read_all(&client), b"bye");
    drop(client);
    expect_end(&forwarder, 0, 3, "end_of_stream", "destination", false);
}

#[test]
fn a_client_that_resets() {
    let server = Server::bind();
    let forwarder = start("0", &server.descriptor(), &[]);
    let client = net::connect(forwarder.port(0));
    let _far = server.accept();
    record(&forwarder, "open");
    net::reset(client);
    expect_end(&forwarder, 0, 0, "reset", "client", false);
}

#[test]
fn a_program_that_exits_has_its_status_in_the_cause() {
    let forwarder = start("0", "process:sh:-c:{exit 3}", &[]);
    let client = net::connect(forwarder.port(0));
    assert_eq!(net::read_all(&client), b"");
    expect_end(&forwarder, 0, 0, "exit", "destination", false);
    let cause = record(&forwarder, "end")["cause"].clone();
    assert!(cause.as_str().is_some_and(|cause| cause.contains("exit status 3")), "{cause}");
}

#[test]
fn an_idle_session() {
    let forwarder = start("0", "echo", &["--idle-timeout", "100ms"]);
    let client = net::connect(forwarder.port(0));
    assert_eq!(net::read_all(&client), b"");
    expect_end(&forwarder, 0, 0, "idle", "us", false);
}

#[test]
fn a_session_that_a_signal_ends() {
    let server = Server::bind();
    let forwarder = start("0", &server.descriptor(), &["--grace", "0"]);
    let client = net::connect(forwarder.port(0));
    let _far = server.accept();
    (&client).write_all(b"x").expect("it takes it");
    record(&forwarder, "open");
    forwarder.signal(Signal::TERM);
    let _ = net::wait_end(&client);
    let end = record(&forwarder, "end");
    assert_eq!((&end["reason"], &end["by"]), (&json!("stopping"), &json!("us")), "{end}");
    assert!(end["sent"].is_u64() && end["cut"].is_boolean() && end["cause"].is_string(), "{end}");
}

#[test]
fn data_that_is_cut() {
    // A pipe is full after 64 kB.
    let forwarder = start("0", "process:sleep:1000:grace=0", &["--grace", "0"]);
    let client = net::connect(forwarder.port(0));
    record(&forwarder, "open");
    net::push_until_stalled(&client, &[7; 65536], std::time::Duration::from_millis(300), 1 << 28);
    forwarder.signal(Signal::TERM);
    let end = record(&forwarder, "end");
    assert_eq!((&end["cut"], &end["by"]), (&json!(true), &json!("us")), "{end}");
    let cause = end["cause"].as_str().expect("words");
    assert!(!cause.contains("data was lost"), "that is the field `cut`: {cause}");
}

#[test]
fn a_client_that_a_gate_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let users = folder.path().join("users");
    let hash = "$2y$05$abcdefghijklmnopqrstuu5Lhl/FJ2Z1Yy0Jq1lQe9lm5cYLsC0yS";
    std::fs::write(&users, format!("ada:{hash}\n")).expect("it is written");
    let forwarder = start(&format!("ws:0:auth={{htpasswd:{}}}", users.display()), "echo", &[]);
    let request = Request::new("/").header("Authorization", "Basic YWRhOndyb25n");
    assert_eq!(request.send(&net::connect(forwarder.port(0))).status, 401);
    let refused = record(&forwarder, "refused");
    expect_refusal(&refused, &forwarder.listening()[0], "forbidden");
}

#[test]
fn a_client_over_the_limit() {
    let forwarder = start("ws:0", "echo", &["--max-sessions", "1"]);
    let first = tests::ws::WebSocket::connect(forwarder.port(0), "/", &[]);
    let status = Request::new("/").send(&net::connect(forwarder.port(0))).status;
    assert_eq!(status, 503);
    expect_refusal(&record(&forwarder, "refused"), &forwarder.listening()[0], "limit");
    drop(first);
}

#[test]
fn a_destination_that_is_down() {
    let down = Refusing::bind();
    let destination = format!("tcp:127.0.0.1:{}", down.port());
    let forwarder = start("0", &destination, &[]);
    let _ = net::wait_end(&net::connect(forwarder.port(0)));
    let refused = record(&forwarder, "unreachable");
    assert_eq!(expect_refusal(&refused, &destination, "unreachable"), "connection refused");
}

#[test]
fn a_user_who_may_not_connect() {
    // Only root can be another user.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let name = format!("@endpointforward-users-{}", std::process::id());
    let forwarder = start(&format!("unix:{name}:users=same"), "echo", &[]);
    let mut client = Command::new("socat");
    client.args(["-u", "OPEN:/dev/null", &format!("ABSTRACT-CONNECT:{}", &name[1..])]);
    client.uid(65534).stdin(Stdio::null());
    let _ = run_program(&mut client, b"");
    let refused = record(&forwarder, "refused");
    let cause = expect_refusal(&refused, &forwarder.listening()[0], "forbidden");
    assert!(cause.starts_with("a process of the user 65534: "), "{cause}");
    assert_eq!(refused["help"], "admit all users of this machine with `users=any`");
}

#[test]
fn what_a_name_contains_is_escaped_and_read_back() {
    // Quotation marks, a backslash, a bell, a colour, characters that turn a line around, one beyond 16 bits.
    let odd = "/no/\"q\"'\\\u{7}\u{1b}[31m\u{202e}\u{2066}\u{e0001}ü\u{9b}";
    let typed = odd.replace('\\', "\\\\");
    // A name in a message is a descriptor, in which what can't be printed is spelled out.
    let name = r#"{/no/"q"'\\u{7}\u{1b}[31m\u{202e}\u{2066}\u{e0001}ü\u{9b}}"#;
    for (destination, endpoint) in [
        (format!("process:{typed}"), format!("process:{name}")),
        (format!("file:{typed}"), format!("file:{name}")),
        (format!("unix:{typed}"), format!("unix:{name}")),
    ] {
        let forwarder = start("0", &destination, &[]);
        let _ = net::wait_end(&net::connect(forwarder.port(0)));
        let failed = record(&forwarder, "unreachable");
        assert_eq!(failed["endpoint"], *endpoint, "{failed}");
        assert_eq!(failed["span"]["destination"], *endpoint, "{failed}");
        if destination.starts_with("process") {
            assert_eq!(failed["help"], format!("there is no program {odd}"), "as it was: {failed}");
        }
        let log = String::from_utf8(forwarder.stderr().bytes()).expect("UTF-8");
        for line in log.lines() {
            let is_raw = |c: char| c.is_control() || "\u{202e}\u{2066}\u{e0001}".contains(c);
            assert!(!line.contains(is_raw), "{line:?}");
        }
    }
}
