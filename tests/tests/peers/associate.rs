//! Datagrams through SOCKS 5: dig and `PySocks` as clients, dante and ourselves as proxies, dnsmasq at the end.

use tests::{Forwarder, Peer, net, venv};

use crate::through::dante;
use crate::{program, succeeds};

/// A name server that knows `host.test`, and its port.
fn name_server() -> (Peer, u16) {
    let port = net::free_port();
    let mut dnsmasq = Peer::start(
        "dnsmasq",
        &[
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--bind-interfaces",
            "--listen-address=127.0.0.1",
            "--user=root",
            "--log-facility=-",
            "--address=/host.test/192.0.2.33",
            &format!("--txt-record=long.test,{}", "x".repeat(200)),
            &format!("--port={port}"),
            "--pid-file",
        ],
    );
    dnsmasq.wait_for_port(port);
    (dnsmasq, port)
}

/// Checks that dig, which knows no SOCKS, gets answers from a forwarder that sends everything through this proxy.
fn dig_goes_through(proxy: &str, name_server: &str) {
    let through = format!("udp:{name_server}:via={{{proxy}}}");
    let ours = Forwarder::between("udp:0:interface=127.0.0.1", &through);
    let dig = |name: &str, sort: &str| {
        let mut dig = program("dig");
        let port = ours.port(0).to_string();
        dig.args(["@127.0.0.1", "-p", &port, "+short", "+tries=2", "+time=10", name, sort]);
        succeeds(&mut dig).text()
    };
    assert_eq!(dig("host.test", "A").trim(), "192.0.2.33", "{}", ours.log());
    assert_eq!(dig("long.test", "TXT").trim(), format!("\"{}\"", "x".repeat(200)));
    assert_eq!(dig("host.test", "A").trim(), "192.0.2.33");
}

#[test]
fn dig_goes_through_a_proxy_of_ours() {
    let (_server, port) = name_server();
    let socks = Forwarder::between("socks5:0", &format!("target:allow={{loopback:{port}}}"));
    for host in ["127.0.0.1", "localhost"] {
        let proxy = format!("socks5://127.0.0.1:{}", socks.port(0));
        dig_goes_through(&proxy, &format!("{host}:{port}"));
    }
    // Datagrams alone.
    let destination = format!("udp:${{target.host}}:${{target.port}}:allow={{loopback:{port}}}");
    let socks = Forwarder::between("socks5:0", &destination);
    dig_goes_through(
        &format!("socks5://127.0.0.1:{}", socks.port(0)),
        &format!("127.0.0.1:{port}"),
    );
}

#[test]
fn dig_goes_through_dante() {
    let (_server, port) = name_server();
    let (_dante, _folder, socks) = dante();
    dig_goes_through(&format!("socks5://127.0.0.1:{socks}"), &format!("127.0.0.1:{port}"));
}

/// `PySocks`, which takes the place of a program's sockets.
#[test]
fn pysocks_sends_to_several_targets_with_a_password() {
    let (_server, port) = name_server();
    let folder = tempfile::tempdir().expect("a folder for users");
    let file = folder.path().join("users");
    // SHA-1 of `secret`, as `htpasswd -s` has it.
    std::fs::write(&file, "ada:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n").expect("it can be written");
    let auth = format!("socks5:0:auth={{htpasswd:{}}}", file.display());
    let socks = Forwarder::between(&auth, &format!("target:allow={{loopback:{port}}}"));
    let echoes = [(); 2].map(|()| Forwarder::between("udp:0:interface=127.0.0.1", "echo"));
    let open = Forwarder::between("socks5:0", "target:allow=loopback");
    let mut python = std::process::Command::new(venv("python"));
    python.arg(tests::root().join("tests/peers/socks_udp.py"));
    python.args([open.port(0).to_string(), "-".to_owned(), "-".to_owned()]);
    python.args(echoes.iter().map(|echo| echo.port(0).to_string()));
    let output = succeeds(&mut python);
    assert_eq!(output.text(), "ok 0\nok 1\nok 9000\nok 65000\n".repeat(2), "{}", open.log());
    let ask = |password: &str| {
        let mut python = std::process::Command::new(venv("python"));
        python.arg(tests::root().join("tests/peers/socks_udp.py"));
        python.args([&socks.port(0).to_string(), "ada", password]);
        tests::run_program(&mut python, b"")
    };
    let right = ask("secret");
    assert!(right.status.success(), "{}", right.stderr);
    let wrong = ask("guess");
    assert!(wrong.stderr.contains("SOCKS5 authentication failed"), "{}", wrong.stderr);
}

#[test]
fn a_destination_of_connections_alone_has_no_datagrams() {
    let destination = "tcp:${target.host}:${target.port}:allow=loopback";
    let socks = Forwarder::between("socks5:0", destination);
    let through = format!("udp:127.0.0.1:9:via={{socks5://127.0.0.1:{}}}", socks.port(0));
    let output = tests::run(&["-e", "stdio", "-d", &through], b"datagram");
    assert!(!output.status.success());
    assert!(
        output.stderr.contains("the proxy refuses: it doesn't support the command"),
        "{}",
        output.stderr
    );
    let words = socks.wait_for_log("and the destination takes none");
    assert!(words.contains("the client asks for datagrams (UDP ASSOCIATE)"), "{words}");
}
