//! Every descriptor that the ancestors' documents show, typed as it stands there, and the
//! ancestor's own client at the other end.

use std::io::Write;
use std::thread;

use tests::net::{self, Server};
use tests::ws::WebSocket;
use tests::{Forwarder, python, run};

/// The listening descriptors of the seed document; the port is moved to one that is free.
const LISTENING: &[&str] = &[
    r"autobahn:tcp\:9000:url=ws\://localhost\:9000",
    r"autobahn:tcp\:9000:url=ws\://localhost\:9000:autofrag=4096:debug=true",
    r"autobahn:tcp\:9000\:interface\=0.0.0.0:url=ws\://localhost\:9000:compress=true",
    r"autobahn:tcp\:9000:url=ws\://localhost\:9000:subprotocol=mqttv3.1",
    r"autobahn:tcp\:9000:url=ws\://localhost\:9000:compress=false:debug=true",
    r"ws:tcp\:9000:url=ws\://localhost\:9000:subprotocol=mqttv3.1",
];

/// The connecting ones, with the stray space of the original.
const CONNECTING: &[&str] = &[
    r"autobahn:tcp\:localhost\:9000:url=ws\:// localhost\:9000",
    r"autobahn:tcp\:localhost\:9000:url=ws\:// localhost\:9000:compress=false",
    r"autobahn:tcp\:localhost\:9000:url=ws\:// localhost\:9000:autofrag=4096:debug=true",
];

fn at(descriptor: &str, port: u16) -> String {
    descriptor.replace("9000", &port.to_string())
}

#[test]
fn every_listening_descriptor_forwards() {
    let server = Server::bind();
    for descriptor in LISTENING {
        let forwarder = Forwarder::start(&[
            "--endpoint",
            &at(descriptor, net::free_port()),
            "--dest_endpoint",
            &server.descriptor(),
        ]);
        let mut client = WebSocket::connect(forwarder.port(0), "/", &["binary"]);
        let far = server.accept();
        client.send_binary(b"question");
        assert_eq!(net::read_exactly(&far, 8), b"question", "{descriptor}");
        (&far).write_all(b"answer").expect("the forwarder takes it");
        assert_eq!(client.bytes(6), b"answer", "{descriptor}");
    }
}

#[test]
fn every_connecting_descriptor_forwards() {
    let server = Server::bind();
    let ws = Forwarder::between("autobahn:{tcp:0:interface=127.0.0.1}", &server.descriptor());
    for descriptor in CONNECTING {
        let forwarder = Forwarder::between("0", &at(descriptor, ws.port(0)));
        let client = net::connect(forwarder.port(0));
        (&client).write_all(b"question").expect("the forwarder takes it");
        let far = server.accept();
        assert_eq!(net::read_exactly(&far, 8), b"question", "{descriptor}");
        (&far).write_all(b"answer").expect("the forwarder takes it");
        assert_eq!(net::read_exactly(&client, 6), b"answer", "{descriptor}");
    }
}

#[test]
fn the_stray_space_is_taken_with_a_warning() {
    let explained = run(&["explain", "--connect", CONNECTING[0]], b"");
    assert_eq!(explained.code(), Some(0), "{explained:?}");
    let said = explained.text() + &explained.stderr;
    assert!(said.contains("warning"), "{said}");
}

#[test]
fn autobahns_own_client_talks_to_us_in_binary_and_base64() {
    let server = Server::bind();
    for (subprotocol, listed) in
        [("binary", None), ("base64", None), ("mqttv3.1", Some("mqttv3.1"))]
    {
        let listen = at(LISTENING[0], net::free_port())
            + &listed.map(|name| format!(":subprotocol={name}")).unwrap_or_default();
        let forwarder = Forwarder::start(&["-e", &listen, "-d", &server.descriptor()]);
        let mut client =
            python("autobahn_client.py", &[forwarder.port(0).to_string(), subprotocol.to_owned()]);
        let far = server.accept();
        let data = tests::data::Pattern::new(3).take(200_000);
        let writer = thread::spawn({
            let (far, data) = (far.try_clone().expect("a socket can be cloned"), data.clone());
            move || (&far).write_all(&data)
        });
        // The client echoes its input, then prints its subprotocol.
        assert_eq!(net::read_exactly(&far, data.len()), data, "{subprotocol}");
        writer.join().expect("no panic").expect("the forwarder takes it");
        drop(far);
        assert_eq!(client.wait_for_line("subprotocol"), format!("subprotocol {subprotocol}"));
        assert!(client.wait_exit().success(), "{}", client.report());
    }
}

#[test]
fn autobahns_wrapped_endpoint_talks_to_us() {
    // The same words, at both ends: Twisted connects to what we listen on.
    let server = Server::bind();
    let descriptor = at(LISTENING[0], net::free_port());
    let forwarder = Forwarder::start(&["-e", &descriptor, "-d", &server.descriptor()]);
    let connecting =
        at(r"autobahn:tcp\:localhost\:9000:url=ws\://localhost\:9000", forwarder.port(0));
    let mut client = python("twisted_client.py", &[connecting]);
    let far = server.accept();
    assert_eq!(net::read_exactly(&far, 5), b"hello");
    (&far).write_all(b"world").expect("the forwarder takes it");
    client.wait_for_line("got world");
    drop(far);
    client.wait_for_line("lost");
    assert!(client.wait_exit().success(), "{}", client.report());
}

#[test]
fn twisteds_forwarder_and_ours_chain() {
    // Autobahn's endpointforward in front of ours, as for its users when they move over one end
    // first.
    let server = Server::bind();
    let ours = Forwarder::between(&at(LISTENING[0], net::free_port()), &server.descriptor());
    let port = net::free_port();
    let destination = at(r"autobahn:tcp\:localhost\:9000:url=ws\://localhost\:9000", ours.port(0));
    let mut theirs =
        python("twistd_forward.py", &[format!("tcp:{port}:interface=127.0.0.1"), destination]);
    theirs.wait_for_port(port);
    // The probe for readiness was forwarded as well.
    drop(server.accept());
    let client = net::connect(port);
    let far = server.accept();
    // It drops what comes before its destination is up, so the far side speaks first.
    (&far).write_all(b"banner").expect("the forwarder takes it");
    assert_eq!(net::read_exactly(&client, 6), b"banner");
    (&client).write_all(b"login").expect("the forwarder takes it");
    assert_eq!(net::read_exactly(&far, 5), b"login");
}
