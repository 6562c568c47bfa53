//! The small tools that are on every machine: socat, nc, curl.

use std::io::Write;

use tests::data::Pattern;
use tests::{Forwarder, Peer, net};

use crate::{program, succeeds, succeeds_with};

const MIB: usize = 1 << 20;

/// Sends `data` through socat to `address` and returns what came back. `-t`: how long it waits for the answer
/// once its input has ended; long, since an end of ours must end it.
fn socat(address: &str, data: &[u8]) -> Vec<u8> {
    succeeds_with(program("socat").args(["-t", "20", "-", address]), data).stdout
}

#[test]
fn socat_gets_all_back_over_tcp_and_unix() {
    let folder = tempfile::tempdir().expect("a folder for a socket");
    let data = Pattern::new(31).take(3 * MIB);
    let socket = folder.path().join("ours");
    let by_unix = Forwarder::between(&format!("unix:{}", socket.display()), "process:cat");
    assert!(socat(&format!("UNIX-CONNECT:{}", socket.display()), &data) == data);
    drop(by_unix);
    let by_tcp = Forwarder::between("0", "process:cat");
    assert!(socat(&format!("TCP:127.0.0.1:{}", by_tcp.port(0)), &data) == data);
}

#[test]
fn socat_serves_over_tcp_and_unix() {
    let folder = tempfile::tempdir().expect("a folder for a socket");
    let socket = folder.path().join("theirs");
    let mut server = Peer::start(
        "socat",
        &[&format!("UNIX-LISTEN:{},fork", socket.display()), "SYSTEM:tr a-z A-Z"],
    );
    tests::until("socat listens", || (!server.runs() || socket.exists()).then_some(()));
    let outer = Forwarder::between("ws:0", &format!("unix:{}", socket.display()));
    let port = net::free_port();
    let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr");
    let mut middle =
        Peer::start("socat", &["-t", "20", &listen, &format!("TCP:127.0.0.1:{}", outer.port(0))]);
    middle.wait_for_port(port);
    // Ours as a client: through socat, to our listener, to socat.
    let through = format!("ws://127.0.0.1:{port}/");
    let data = b"shout ".repeat(MIB / 6);
    let output = tests::run(&["-e", "stdio", "-d", &through], &data);
    assert!(output.stdout == data.to_ascii_uppercase(), "{} bytes came", output.stdout.len());
}

#[test]
fn socat_on_an_abstract_socket_is_reached() {
    let name = format!("endpointforward-test-{}", std::process::id());
    let mut server =
        Peer::start("socat", &["-d", "-d", &format!("ABSTRACT-LISTEN:{name}"), "EXEC:cat"]);
    server.wait_for_line("listening");
    let output = tests::run(&["-e", "stdio", "-d", &format!("unix:@{name}")], b"x");
    assert_eq!(output.text(), "x", "{}", output.stderr);
    server.wait_exit();
}

#[test]
fn nc_that_ends_its_input_at_once_gets_the_late_answer() {
    // Half a second after the end of the input: nothing but the half-close keeps the way open.
    let slow = Forwarder::between("0", "process:sh:-c:{cat; sleep 0.5; echo late}");
    let bridge = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", slow.port(0)));
    let near = Forwarder::between("0", &format!("ws://127.0.0.1:{}/", bridge.port(0)));
    let direct = slow.port(0).to_string();
    let got = succeeds_with(program("nc.openbsd").args(["-N", "127.0.0.1", &direct]), b"x");
    assert_eq!(got.text(), "xlate\n");
    // Over a WebSocket, which has no half-close, what is there at once must arrive.
    let got = succeeds_with(
        program("nc.openbsd").args(["-w", "5", "127.0.0.1", &near.port(0).to_string()]),
        b"x",
    );
    assert!(got.text().starts_with('x'), "{got:?}");
}

#[test]
fn nc_serves() {
    let port = net::free_port().to_string();
    let server = Peer::start("nc.openbsd", &["-v", "-l", "127.0.0.1", &port]);
    server.wait_for_line("Listening");
    let forwarder = Forwarder::between("0", &format!("tcp:127.0.0.1:{port}"));
    let client = net::connect(forwarder.port(0));
    (&client).write_all(b"a line\n").expect("the forwarder takes it");
    server.wait_for_line("a line");
}

// === curl ===

fn curl(url: &str, args: &[&str]) -> String {
    succeeds(program("curl").args(["--silent", "--max-time", "20"]).args(args).arg(url)).text()
}

#[test]
fn curl_is_told_what_may_be_asked_here() {
    let forwarder = Forwarder::between("ws:0:path=/here", "echo");
    let url = format!("http://127.0.0.1:{}/here", forwarder.port(0));
    let answer = curl(&url, &["--include", "--request", "PUT", "--data", "x"]);
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("\nallow: get, head, post\r"), "{answer}");
    // How a page asks whether it may connect.
    let answer = curl(&url, &["--include", "--data", "x"]);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let answer = curl(&url, &["--include", "--request", "POST"]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let elsewhere = format!("http://127.0.0.1:{}/", forwarder.port(0));
    let statuses = curl(&elsewhere, &["--output", "/dev/null", "--write-out", "%{http_code}"]);
    assert_eq!(statuses, "404");
}

#[test]
fn curl_upgrades() {
    let forwarder = Forwarder::between("ws:0", "process:cat");
    let url = format!("http://127.0.0.1:{}/", forwarder.port(0));
    let mut client = program("curl");
    // It knows nothing of WebSockets and waits for a body; a second of that is enough.
    client.args(["--silent", "--include", "--max-time", "1", "--http1.1", &url]);
    for header in [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ] {
        client.args(["--header", header]);
    }
    let answer = tests::run_program(&mut client, b"").text();
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{answer}");
    forwarder.wait_no_children();
}
