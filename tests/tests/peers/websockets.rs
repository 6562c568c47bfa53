//! `websockets` of Python, the strictest of the usual libraries: as a client of ours and as a destination.

use std::io::Write;

use tests::data::Pattern;
use tests::net::{self, Server};
use tests::{Forwarder, Peer, python};

fn client(port: u16, scene: &str, more: &[&str]) -> Peer {
    let port = port.to_string();
    python("websockets_client.py", &[&[port.as_str(), scene], more].concat())
}

/// The last line of a conversation that went well.
fn conversation(port: u16, scene: &str) -> String {
    let mut client = client(port, scene, &[]);
    assert!(client.wait_exit().success(), "{scene}\n{}", client.report());
    client.stdout().text().lines().last().unwrap_or_default().to_owned()
}

/// Starts a server of theirs. Returns it, and the port that it prints.
fn server(scene: &str) -> (Peer, u16) {
    let server = python("websockets_server.py", &[scene]);
    let line = server.wait_for_line("port ");
    let port = line.split(' ').nth(1).and_then(|port| port.parse().ok());
    (server, port.expect("a port"))
}

// === a client of ours ===

#[test]
fn every_size_and_form_comes_back() {
    for destination in ["echo", "process:cat"] {
        let forwarder = Forwarder::between("ws:0", destination);
        assert_eq!(conversation(forwarder.port(0), "echoes"), "closed 1000", "{destination}");
    }
}

#[test]
fn pings_are_answered_amid_traffic() {
    let forwarder = Forwarder::between("ws:0", "process:cat");
    assert_eq!(conversation(forwarder.port(0), "pings"), "closed 1000");
}

#[test]
fn a_code_of_an_application_is_answered_with_itself() {
    let forwarder = Forwarder::between("ws:0", "echo");
    assert_eq!(conversation(forwarder.port(0), "closes"), "closed 4321 'because'");
}

#[test]
fn subprotocols_are_chosen_as_they_are_offered() {
    let forwarder = Forwarder::between("ws:0:subprotocol=mqtt,mqttv3.1", "echo");
    let offers = ["mqttv3.1", "mqtt,mqttv3.1", "unknown,binary", "base64,mqtt"];
    let mut client = client(forwarder.port(0), "names", &offers);
    assert!(client.wait_exit().success(), "{}", client.report());
    let chosen = client.stdout().text();
    let chosen: Vec<_> = chosen.lines().map(|line| line.trim_start_matches("chosen ")).collect();
    assert_eq!(chosen, ["mqttv3.1", "mqtt", "binary", "base64"]);
}

#[test]
fn our_own_pings_drop_nobody_behind_a_stalled_destination() {
    let server = Server::bind_with_receive_buffer(4096);
    let forwarder = Forwarder::between("ws:0:ping=200ms:ping-timeout=200ms", &server.descriptor());
    let client = client(forwarder.port(0), "stalled", &[]);
    let far = server.accept();
    // It waits for half a second before it prints that: longer than both times together.
    client.wait_for_line("stalled");
    let all = net::read_exactly(&far, 64 * ((1 << 20) / 1000 * 1000));
    assert_eq!(all.len(), 64 * 1_048_000);
    (&far).write_all(b"after").expect("the forwarder takes it");
    client.wait_for_line("answer after");
}

// === a destination of ours ===

#[test]
fn it_is_a_destination() {
    let (_server, port) = server("echo");
    let forwarder = Forwarder::between("0", &format!("ws://127.0.0.1:{port}/"));
    let data = Pattern::new(9).take(3 << 20);
    let client = net::connect(forwarder.port(0));
    let writer = std::thread::spawn({
        let (to, data) = (client.try_clone().expect("a socket can be cloned"), data.clone());
        move || (&to).write_all(&data)
    });
    assert!(net::read_exactly(&client, data.len()) == data, "it came back changed");
    writer.join().expect("no panic").expect("the forwarder takes it");
}

#[test]
fn fragments_of_text_are_bytes_for_us() {
    let (_server, port) = server("texts");
    let forwarder = Forwarder::between("0", &format!("ws://127.0.0.1:{port}/"));
    let client = net::connect(forwarder.port(0));
    let text = "Grüße aus Köln, €5 🙂 ".repeat(100);
    (&client).write_all(text.as_bytes()).expect("the forwarder takes it");
    assert_eq!(net::read_exactly(&client, text.len()), text.as_bytes());
}

#[test]
fn it_sees_what_the_descriptor_asks_for() {
    let (_server, port) = server("tells");
    for (descriptor, told) in [
        (format!("ws://127.0.0.1:{port}/a/b?c=d"), "/a/b?c=d binary None"),
        (
            format!("{{ws://127.0.0.1:{port}/}}:origin={{http://example.com}}"),
            "/ binary http://example.com",
        ),
    ] {
        let output = tests::run(&["-e", "stdio", "-d", &descriptor], b"");
        assert_eq!(output.text(), told, "{}", output.stderr);
    }
}

#[test]
fn a_code_passes_from_a_websocket_to_another() {
    let (_server, port) = server("leaves");
    let forwarder = Forwarder::between("ws:0", &format!("ws://127.0.0.1:{port}/"));
    let mut client = client(forwarder.port(0), "is_closed", &[]);
    assert!(client.wait_exit().success(), "{}", client.report());
    assert_eq!(client.stdout().text(), "got 'goodbye'\nclosed 4001 'enough'\n");
}
