//! Sockets for pages (web/socket), in Chromium, through our `wisp` listener.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tests::Forwarder;
use tests::browser::Browser;
use tests::net::{self, Server};

/// The script, as the listener of our page gives it away.
fn script() -> String {
    let forwarder = Forwarder::between("ws:0", "echo");
    let mut stream = net::connect(forwarder.port(0));
    let host = format!("127.0.0.1:{}", forwarder.port(0));
    let request =
        format!("GET /assets/socket.js HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is taken");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("text");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.to_lowercase().contains("content-type: text/javascript"), "{head}");
    body.to_owned()
}

#[test]
fn a_page_has_sockets() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("socket.js"), script()).expect("it is written");
    fs::write(folder.path().join("index.html"), "<!doctype html><title>t</title>")
        .expect("so is it");
    let echo = Forwarder::between("tcp:0:interface=127.0.0.1", "echo");
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let datagrams = udp.local_addr().expect("an address").port();
    thread::spawn(move || {
        let mut buf = [0; 65536];
        while let Ok((length, from)) = udp.recv_from(&mut buf) {
            // A client that has left needs no answer.
            let _ = udp.send_to(&buf[..length], from);
        }
    });
    let stalled = Server::bind_with_receive_buffer(4096);
    let silent = stalled.port();
    let page = folder.path().display();
    let listen = format!("wisp:{{ws:0:page={page}/}}");
    let forwarder = Forwarder::between(&listen, "target:allow=127.0.0.1");
    let browser = Browser::start();
    // A browser asks for an icon, and this folder has none.
    browser.forgive("404");
    let opened = browser.open(&format!("http://127.0.0.1:{}/", forwarder.port(0)));
    let script = tests::source::read("tests/browser/wisp.js");
    let (tcp, port, closed) = (echo.port(0), forwarder.port(0), net::free_port());
    let ports = json!({
        "wisp": port, "tcp": tcp, "udp": datagrams, "silent": silent, "closed": closed
    });
    let said = opened.evaluate(&format!("(() => {{ {script}\nreturn run({ports}); }})()"));
    let said: Value = said;
    assert_eq!(said["echoed"], json!(20), "{said}");
    assert_eq!(said["datagrams"], json!([0, 1, 1400, 20_000]), "{said}");
    assert_eq!(
        said["refused"],
        json!(["refused", "the destination refused the connection", 0x44]),
        "{said}"
    );
    assert_eq!(
        said["blocked"],
        json!(["blocked", "this destination is not allowed", 0x48]),
        "{said}"
    );
    assert_eq!(
        said["invalid"],
        json!(["invalid", "127.0.0.1:0 is no destination", null]),
        "{said}"
    );
    assert_eq!(said["aborted"], json!(["aborted", "it was given up", null]), "{said}");
    assert_eq!(said["unread"][0], json!("unread"), "{said}");
    // The socket took far less than was to be written before it waited for credit, and others went on meanwhile.
    let taken = said["taken"].as_u64().expect("a number");
    assert!((8192..16 << 20).contains(&taken), "{said}");
    assert_eq!(said["beside"], json!("while it waits"), "{said}");
    assert_eq!(said["single"], json!("alone"), "{said}");
    assert_eq!(said["over"][0], json!("closed"), "{said}");
    assert_eq!(said["cut"], json!("closed"), "{said}");
    assert_eq!(said["malformed"], json!("invalid"), "{said}");
    // Data that was written before `close` has arrived.
    let first = stalled.accept();
    first.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
    let last = net::read_all(&stalled.accept());
    assert_eq!(last, b"written before");
    drop(first);
}
