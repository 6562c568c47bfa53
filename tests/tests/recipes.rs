//! The recipes of docs/ for users of other programs, with the requests of those programs' clients.

use std::fs;
use std::io::{Read, Write};

use tests::Forwarder;
use tests::net::{self, Server};
use tests::ws::{Request, WebSocket};

fn open(forwarder: &Forwarder, path: &str) -> Result<WebSocket, u16> {
    let opened = WebSocket::open(net::connect(forwarder.port(0)), &Request::new(path));
    opened.map_err(|refused| refused.status)
}

/// Neon's driver: the address is in the query, and the first message may come before there is a connection.
#[test]
fn neons_driver_says_where_to_go_in_its_query() {
    let server = Server::bind();
    let port = server.port();
    let route = "target:address={${http.query.address}}:allow=127.0.0.1";
    let forwarder = Forwarder::between("ws:0", route);
    let mut client =
        open(&forwarder, &format!("/v1?address=127.0.0.1:{port}")).expect("it is open");
    // The request for TLS to a server of PostgreSQL.
    client.send_binary(b"\0\0\0\x08\x04\xd2\x16\x2f");
    let mut stream = server.accept();
    assert_eq!(net::read_exactly(&stream, 8), b"\0\0\0\x08\x04\xd2\x16\x2f");
    stream.write_all(b"N").expect("it is taken");
    assert_eq!(client.message(), b"N");
    let status = |query: &str| open(&forwarder, &format!("/v1{query}")).err();
    assert_eq!(status(&format!("?address=127.0.0.1:{}", net::free_port())), Some(502));
    for forbidden in ["127.0.0.2:80", "[::1]:80", "10.0.0.1:80", "127.0.0.1", "127.0.0.1:0", ":80"]
    {
        assert_eq!(status(&format!("?address={forbidden}")), Some(403), "{forbidden}");
    }
    assert_eq!(status(""), Some(404));
}

/// noVNC with a token for each machine: the page and the WebSocket are at one port.
#[test]
fn novnc_says_its_token_in_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (Server::bind(), Server::bind());
    let tokens = folder.path().join("tokens");
    let lines = format!("desk-1: 127.0.0.1:{}\ndesk-2: 127.0.0.1:{}\n", one.port(), other.port());
    fs::write(&tokens, lines).expect("it is written");
    fs::write(folder.path().join("vnc.html"), "<title>noVNC</title>").expect("so is it");
    let listen = format!("ws:0:page={}/", folder.path().display());
    let forwarder = Forwarder::between(&listen, &format!("route:file={}", tokens.display()));
    let mut page = net::connect(forwarder.port(0));
    let host = format!("127.0.0.1:{}", forwarder.port(0));
    let request = format!("GET /vnc.html HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    page.write_all(request.as_bytes()).expect("it is taken");
    let mut reply = String::new();
    page.read_to_string(&mut reply).expect("text");
    assert!(reply.ends_with("<title>noVNC</title>"), "{reply}");
    for (path, server) in [("/?token=desk-1", &one), ("/websockify?token=desk-2", &other)] {
        let mut client = open(&forwarder, path).unwrap_or_else(|status| panic!("{path}: {status}"));
        server.accept().write_all(b"RFB 003.008\n").expect("it is taken");
        assert_eq!(client.message(), b"RFB 003.008\n");
    }
    assert_eq!(open(&forwarder, "/?token=desk-3").err(), Some(404));
}

/// The command lines of `--help`, with ports, hosts and paths that a test may have; MQTT's is in `mqtt.rs`.
#[test]
fn the_examples_of_the_help_do_what_it_says() {
    let mut command = std::process::Command::new(tests::binary::endpointforward());
    let help = tests::run_program(command.arg("--help"), b"");
    let help = help.text();
    let lines = help.lines().filter_map(|line| line.trim().strip_prefix("endpointforward -e "));
    let [tcp, _mqtt, unix] = lines.collect::<Vec<_>>()[..] else {
        panic!("other examples: {help}")
    };
    let sides =
        |line: &str| line.split_once(" -d ").map(|(near, far)| (near.to_owned(), far.to_owned()));

    let server = Server::bind();
    let (near, far) = sides(tcp).expect("two endpoints");
    let far = far.replace("example.com:80", &format!("127.0.0.1:{}", server.port()));
    let forwarder = Forwarder::between(&near.replace("9000", "0"), &far);
    let mut client = net::connect(forwarder.port(0));
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("it is taken");
    let mut far = server.accept();
    assert_eq!(net::read_exactly(&far, 18), b"GET / HTTP/1.0\r\n\r\n");
    far.write_all(b"HTTP/1.0 200 OK\r\n\r\n").expect("it is taken");
    drop(far);
    assert_eq!(net::read_all(&client), b"HTTP/1.0 200 OK\r\n\r\n");

    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("sort.sock");
    let (near, far) = sides(unix).expect("two endpoints");
    let near = near.replace("/tmp/sort.sock", &socket.display().to_string());
    let _forwarder = Forwarder::between(&near, &far);
    let mut client = std::os::unix::net::UnixStream::connect(&socket).expect("it listens");
    client.write_all(b"b\na\n").expect("it is taken");
    client.shutdown(std::net::Shutdown::Write).expect("a socket");
    let mut sorted = String::new();
    client.read_to_string(&mut sorted).expect("text");
    assert_eq!(sorted, "a\nb\n");
}
