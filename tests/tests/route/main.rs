//! Destinations that are looked up (`route:`): websockify's token files, websocksy's peers.

mod files;
mod programs;
mod servers;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use tests::ws::{Request, Response, WebSocket};
use tests::{Forwarder, net, until};

/// Starts a server that sends its name and closes. Returns its port.
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
