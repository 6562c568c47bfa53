//! websocat, netcat for WebSocket: without compression, which it doesn't know, whether we would have it or not.

use std::io::Write as _;
use std::process::Command;

use tests::data::Pattern;
use tests::net::{self, Server};
use tests::{Forwarder, Process, Tap};

/// Where `cargo xtask interop` puts it.
fn websocat() -> Command {
    let file = tests::root().join("target/peers/websocat/bin/websocat");
    assert!(file.is_file(), "no websocat: `cargo xtask interop` installs it");
    Command::new(file)
}

const MIB: usize = 1 << 20;

#[test]
#[ignore = "needs websocat: cargo xtask interop"]
fn it_is_a_client() {
    for (listen, protocol) in
        [("ws:0", None), ("ws:0", Some("binary")), ("ws:0:compression=on", Some("binary"))]
    {
        let server = Server::bind();
        let forwarder = Forwarder::between(listen, &server.descriptor());
        let tap = Tap::before(forwarder.port(0));
        let mut command = websocat();
        command.args(["--binary", &format!("ws://127.0.0.1:{}/", tap.port())]);
        command.args(protocol.map(|name| format!("--protocol={name}")));
        let mut client = Process::spawn("websocat", &mut command);
        let far = server.accept();
        let data = Pattern::new(8).take(MIB);
        client.send(&data);
        assert!(net::read_exactly(&far, MIB) == data, "{listen}: it came changed");
        { &far }.write_all(&data).expect("the forwarder takes it");
        // It stays as long as its own input is open.
        tests::until("all has come", || (client.stdout().bytes().len() >= MIB).then_some(()));
        assert!(client.stdout().bytes() == data, "{listen}: it came back changed");
        let seen = tap.websocket();
        assert_eq!((seen.subprotocol(), seen.extensions()), (protocol.unwrap_or_default(), ""));
        assert_eq!((seen.there.compressed, seen.back.compressed), (0, 0));
    }
}

#[test]
#[ignore = "needs websocat: cargo xtask interop"]
fn it_is_a_destination() {
    for more in ["", ":compression=on"] {
        let port = net::free_port();
        let mut command = websocat();
        command.args(["--binary", "--exit-on-eof", &format!("ws-l:127.0.0.1:{port}"), "mirror:"]);
        let server = Process::spawn("websocat", &mut command);
        tests::until("websocat listens", || net::try_connect(port).ok());
        let tap = Tap::before(port);
        let forwarder =
            Forwarder::between("0", &format!("{{ws://127.0.0.1:{}/}}{more}", tap.port()));
        let client = net::connect(forwarder.port(0));
        let data = Pattern::new(9).take(MIB);
        let writer = std::thread::spawn({
            let (to, data) = (client.try_clone().expect("a socket can be cloned"), data.clone());
            move || (&to).write_all(&data)
        });
        assert!(
            net::read_exactly(&client, MIB) == data,
            "it came back changed\n{}",
            server.report()
        );
        writer.join().expect("no panic").expect("the forwarder takes it");
        let seen = tap.websocket();
        assert_eq!(seen.extensions(), "");
        assert_eq!((seen.there.compressed, seen.back.compressed), (0, 0));
    }
}

#[test]
#[ignore = "needs websocat: cargo xtask interop"]
fn its_authorization_header_lets_it_in_and_nothing_else_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("tokens"), "0123456789abcdefgh:robot\n").expect("it is written");
    let made = tests::run(&["passwd", &at("users"), "ada"], b"engine\nengine\n");
    assert_eq!(made.code(), Some(0), "{}", made.stderr);
    let auth = format!("{{{{htpasswd:{}}},{{bearer:file={}}}}}", at("users"), at("tokens"));
    let forwarder = Forwarder::between(&format!("ws:0:auth={auth}"), "echo");
    let url = format!("ws://127.0.0.1:{}/", forwarder.port(0));
    for (header, is_let_in) in [
        (None, false),
        (Some("Authorization: Bearer 0123456789abcdefgh"), true),
        (Some("Authorization: Bearer 0123456789abcdefg"), false),
        (Some("Authorization: Basic YWRhOmVuZ2luZQ=="), true),
        (Some("Authorization: Basic YWRhOndyb25n"), false),
        (Some("Proxy-Authorization: Bearer 0123456789abcdefgh"), false),
        (Some("Cookie: token=0123456789abcdefgh"), false),
    ] {
        let mut command = websocat();
        command.args(["--binary", &url]);
        if let Some(header) = header {
            command.args(["--header", header]);
        }
        let mut client = Process::spawn("websocat", &mut command);
        client.send(b"hello");
        if is_let_in {
            tests::until("it comes back", || (client.stdout().bytes() == b"hello").then_some(()));
        } else {
            let status = client.wait_exit();
            assert!(!status.success() && client.stdout().bytes().is_empty(), "{header:?}");
            let said = client.stderr().wait_for_line(tests::DEADLINE, "401 Unauthorized");
            assert!(said.is_some(), "{header:?}: {}", client.report());
        }
    }
}
