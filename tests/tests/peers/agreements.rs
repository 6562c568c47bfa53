//! Agreements of WebSocket ends, with every library that is a peer of ours: subprotocols that carry bytes as
//! they are and in base64, with compression and without it.
//!
//! A tap in between sees that it isn't only agreed on, but done.

use std::io::Write as _;
use std::thread;

use tests::data::Pattern;
use tests::net::{self, Server};
use tests::{Forwarder, Peer, Tap, Traffic, node, python};

/// Sizes from 65535 on, which every library compresses, whatever its threshold.
const LARGE: usize = 3;

const COMPRESSION: &[&str] = &["off", "on"];

#[derive(Clone, Copy, Debug)]
struct Agreement {
    /// Or `none`.
    subprotocol: &'static str,
    /// `on` or `off`.
    compression: &'static str,
}

impl Agreement {
    fn every(subprotocols: &[&'static str]) -> Vec<Self> {
        let with = |compression| {
            subprotocols.iter().map(move |&subprotocol| Self { subprotocol, compression })
        };
        COMPRESSION.iter().copied().flat_map(with).collect()
    }

    /// Our side of it. Every subprotocol is one that a listener knows by itself.
    fn listening(self) -> String {
        format!("ws:0{}", self.switch())
    }

    fn connecting(self, port: u16) -> String {
        let offered = if self.subprotocol == "none" { "" } else { self.subprotocol };
        format!("{{ws://127.0.0.1:{port}/}}:subprotocol={offered}{}", self.switch())
    }

    fn switch(self) -> &'static str {
        if self.compression == "on" { ":compression=on" } else { "" }
    }

    /// Checks the traffic of a conversation in which both sides sent compressible messages, and `large` of them
    /// so large that they are compressed if that is agreed on.
    fn check(self, seen: &Traffic, large: usize) {
        let subprotocol = if seen.subprotocol().is_empty() { "none" } else { seen.subprotocol() };
        assert_eq!(subprotocol, self.subprotocol, "{self:?}: {seen:#?}");
        let agreed = seen.extensions().starts_with("permessage-deflate");
        assert_eq!(agreed, self.compression == "on", "{self:?}: {seen:#?}");
        for direction in [seen.there, seen.back] {
            let fits =
                if agreed { direction.compressed >= large } else { direction.compressed == 0 };
            assert!(fits && direction.messages > 0, "{self:?}: {seen:#?}");
        }
    }
}

// === clients of ours ===

/// A script that prints what it has agreed on, and fails unless all comes back.
fn converses(start: impl Fn(&str, Agreement) -> Peer) {
    for agreement in Agreement::every(&["none", "binary", "base64"]) {
        let forwarder = Forwarder::between(&agreement.listening(), "echo");
        let tap = Tap::before(forwarder.port(0));
        let mut client = start(&tap.port().to_string(), agreement);
        assert!(client.wait_exit().success(), "{agreement:?}\n{}", client.report());
        let extension = if agreement.compression == "on" { "permessage-deflate" } else { "none" };
        let said =
            format!("subprotocol {}\nextensions {extension}\nclosed 1000\n", agreement.subprotocol);
        assert_eq!(client.stdout().text(), said, "{agreement:?}");
        agreement.check(&tap.websocket(), LARGE);
    }
}

#[test]
fn websockets_of_python() {
    converses(|port, Agreement { subprotocol, compression }| {
        python("websockets_client.py", &[port, "agrees", subprotocol, compression])
    });
}

#[test]
fn ws_of_node() {
    converses(|port, Agreement { subprotocol, compression }| {
        node("client.mjs", &[port, subprotocol, compression])
    });
}

/// Letters from `a` to `p`: half the size when they are compressed.
fn compressible(size: usize) -> Vec<u8> {
    Pattern::new(5).take(size).into_iter().map(|byte| b'a' + byte % 16).collect()
}

/// Writes from a thread, since the echo has to be read meanwhile. Returns `true` if it is the same.
fn echoed(stream: &std::net::TcpStream, data: &[u8]) -> bool {
    thread::scope(|scope| {
        let writer = scope.spawn(|| { stream }.write_all(data));
        let same = net::read_exactly(stream, data.len()) == data;
        writer.join().expect("no panic").expect("the forwarder takes it");
        same
    })
}

#[test]
fn autobahns_wrapping_client() {
    let data = compressible(200_000);
    for agreement in Agreement::every(&["binary", "base64"]) {
        let server = Server::bind();
        let forwarder = Forwarder::between(&agreement.listening(), &server.descriptor());
        let tap = Tap::before(forwarder.port(0));
        let port = tap.port().to_string();
        let mut client =
            python("autobahn_client.py", &[&port, agreement.subprotocol, agreement.compression]);
        let far = server.accept();
        assert!(echoed(&far, &data), "{agreement:?}: it came back changed");
        drop(far);
        client.wait_for_line(&format!("subprotocol {}", agreement.subprotocol));
        assert!(client.wait_exit().success(), "{}", client.report());
        agreement.check(&tap.websocket(), 1);
    }
}

/// The words of the ancestor, read by the ancestor. It knows the switch by this name alone.
#[test]
fn autobahns_endpoint_of_a_string() {
    for &compression in COMPRESSION {
        let server = Server::bind();
        let agreement = Agreement { subprotocol: "binary", compression };
        let forwarder = Forwarder::between(&agreement.listening(), &server.descriptor());
        let tap = Tap::before(forwarder.port(0));
        let switch = if compression == "on" { "true" } else { "false" };
        let descriptor = format!(
            r"autobahn:tcp\:127.0.0.1\:{0}:url=ws\://127.0.0.1\:{0}:compression={switch}",
            tap.port()
        );
        let mut client = python("twisted_client.py", &[descriptor]);
        let far = server.accept();
        assert_eq!(net::read_exactly(&far, 5), b"hello");
        // Long enough for us to compress it.
        { &far }.write_all("world ".repeat(100).as_bytes()).expect("the forwarder takes it");
        client.wait_for_line("got world world");
        drop(far);
        client.wait_for_line("lost");
        assert!(client.wait_exit().success(), "{}", client.report());
        agreement.check(&tap.websocket(), 1);
    }
}

// === destinations of ours ===

/// Checks a server that prints its port, and echoes everything.
fn serves(subprotocols: &[&'static str], start: impl Fn(Agreement) -> Peer) {
    let data = compressible(1 << 20);
    for agreement in Agreement::every(subprotocols) {
        let server = start(agreement);
        let line = server.wait_for_line("port ");
        let port = line.split(' ').nth(1).and_then(|port| port.parse().ok());
        let tap = Tap::before(port.expect("it says its port"));
        let forwarder = Forwarder::between("0", &agreement.connecting(tap.port()));
        let client = net::connect(forwarder.port(0));
        assert!(echoed(&client, &data), "{agreement:?}: it came back changed");
        agreement.check(&tap.websocket(), 1);
    }
}

#[test]
fn websockets_of_python_as_a_server() {
    serves(&["none", "binary", "base64"], |Agreement { subprotocol, compression }| {
        python("websockets_server.py", &["echo", subprotocol, compression])
    });
}

#[test]
fn ws_of_node_as_a_server() {
    serves(&["none", "binary", "base64"], |Agreement { subprotocol, compression }| {
        node("server.mjs", &[subprotocol, compression])
    });
}

#[test]
fn autobahns_server() {
    serves(&["none", "binary", "base64"], |Agreement { subprotocol, compression }| {
        python("autobahn_server.py", &[subprotocol, compression])
    });
}
