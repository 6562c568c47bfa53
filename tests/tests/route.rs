//! Destinations that are looked up (`route:`): websockify's token files, websocksy's peers.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use tests::ws::{Request, Response, WebSocket};
use tests::{Forwarder, net, until};

/// A server that says its name and closes.
fn named(name: &'static str) -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            // A client that has left needs no name.
            let _ = stream.write_all(name.as_bytes());
        }
    });
    port
}

fn open(port: u16, path: &str, subprotocol: Option<&str>) -> Result<WebSocket, Response> {
    let mut request = Request::new(path);
    if let Some(subprotocol) = subprotocol {
        request = request.header("Sec-WebSocket-Protocol", subprotocol);
    }
    WebSocket::open(net::connect(port), &request)
}

fn said(port: u16, path: &str) -> String {
    let mut socket = open(port, path, None).unwrap_or_else(|refused| panic!("{refused:?}"));
    let data = socket.message();
    String::from_utf8(data).expect("text")
}

fn status(port: u16, path: &str) -> u16 {
    open(port, path, None).map_or_else(|refused| refused.status, |_| 101)
}

#[test]
fn a_token_chooses_a_line_of_a_file_that_may_change() {
    let (one, other) = (named("one"), named("other"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens");
    fs::write(
        &file,
        format!("# hosts\na: 127.0.0.1:{one}\nnothing\nsh: process:cat\nbad: tcp:h:90o0\n"),
    )
    .expect("it is written");
    let route = format!("route:file={}", file.display());
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    assert_eq!(said(port, "/?token=a"), "one");
    forwarder.wait_for_log("line 3: the form is");
    forwarder.wait_for_log(&format!("routed to 127.0.0.1:{one}"));
    assert_eq!(status(port, "/?token=b"), 404);
    assert_eq!(status(port, "/"), 404);
    assert_eq!(status(port, "/?token=sh"), 403, "a program has to be allowed");
    assert_eq!(status(port, "/?token=bad"), 503);
    forwarder.wait_for_log("cannot plan the route");
    fs::write(&file, format!("b: tcp:127.0.0.1:{other}\n")).expect("it is written");
    until("the new lines count", || (status(port, "/?token=a") == 404).then_some(()));
    assert_eq!(said(port, "/?token=b"), "other");
    fs::remove_file(&file).expect("it is there");
    assert_eq!(said(port, "/?token=b"), "other", "what was read before stays");
    let log = forwarder.log();
    assert!(!log.contains("token=b"), "keys may be secrets: {log}");
}

#[test]
fn a_folder_of_files_and_a_default() {
    let (one, other) = (named("one"), named("other"));
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a"), format!("a: 127.0.0.1:{one}\n")).expect("it is written");
    let route = format!("route:file={}:default={{tcp:127.0.0.1:{other}}}", folder.path().display());
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    assert_eq!(said(port, "/?token=a"), "one");
    assert_eq!(said(port, "/?token=x"), "other");
    assert_eq!(said(port, "/"), "other");
    fs::write(folder.path().join("b"), format!("x: 127.0.0.1:{one}\n")).expect("it is written");
    assert_eq!(said(port, "/?token=x"), "one");
}

#[test]
fn files_of_websocksy_are_read_as_it_reads_them() {
    let (one, other) = (named("one\n"), named("other"));
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: String| {
        fs::write(Path::new(folder.path()).join(name), text).expect("it is written");
    };
    put("a_b.txt", format!("tcp://127.0.0.1:{one} lines newline\ntcp://127.0.0.1:{other} *\n"));
    put("default.txt", format!("tcp://127.0.0.1:{other}\n"));
    let route = format!(
        "route:file={}:format=websocksy:expression={{%endpoint%.txt,default.txt}}",
        folder.path().display()
    );
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    let mut socket = open(port, "/a/b/", Some("x, lines")).expect("there is a line");
    assert_eq!(socket.handshake.value("sec-websocket-protocol"), Some("lines"));
    assert_eq!(socket.message(), b"one\n");
    let socket = open(port, "/a/b", Some("x")).expect("there is a line for any");
    assert_eq!(socket.handshake.value("sec-websocket-protocol"), Some("x"));
    assert_eq!(said(port, "/../../etc/passwd"), "other");
    assert_eq!(said(port, "/else"), "other");
}
