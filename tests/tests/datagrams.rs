//! Datagrams through the real command: counts and boundaries are equal, and programs at both ends don't notice.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tests::data::Pattern;
use tests::ws::WebSocket;
use tests::{DEADLINE, Forwarder, Peer, binary, net, run_program};

/// Sent each way, one after another: each is answered before the next.
const COUNT: usize = 10_000;

/// Lengths from 0 to 9000, most of them small, and now and then one of the largest.
fn lengths() -> impl Iterator<Item = usize> {
    let mut state = 1_u64;
    (0..COUNT).map(move |index| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let random = usize::try_from(state >> 40).expect("24 bits");
        match index % 1000 {
            0 => 0,
            1 => 65_507,
            n if n % 10 == 0 => random % 9001,
            _ => random % 1500,
        }
    })
}

/// A UDP server that sends everything back until it is silent for long, and counts.
fn echo() -> (u16, thread::JoinHandle<usize>) {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    server.set_read_timeout(Some(Duration::from_secs(2))).expect("a limit");
    let port = server.local_addr().expect("it has an address").port();
    let serving = thread::spawn(move || {
        let mut buf = vec![0; 1 << 16];
        let mut count = 0;
        while let Ok((len, from)) = server.recv_from(&mut buf) {
            server.send_to(&buf[..len], from).expect("it goes back");
            count += 1;
        }
        count
    });
    (port, serving)
}

fn udp_client(port: u16) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    client.connect(("127.0.0.1", port)).expect("loopback");
    client.set_read_timeout(Some(DEADLINE)).expect("a limit");
    client
}

#[test]
fn as_many_as_are_sent_come_over_udp_and_udp() {
    let (port, serving) = echo();
    let listen = "udp:0:interface=127.0.0.1";
    let forwarder = Forwarder::between(listen, &format!("udp:127.0.0.1:{port}"));
    let client = udp_client(forwarder.port(0));
    let data = Pattern::new(1).take(1 << 17);
    let mut buf = vec![0; 1 << 16];
    for (index, len) in lengths().enumerate() {
        let sent = &data[index % 1000..][..len];
        client.send(sent).expect("it is sent");
        let got = client.recv(&mut buf).expect("it comes back");
        assert!(buf[..got] == *sent, "datagram {index} of {len} bytes came back with {got}");
    }
    assert_eq!(serving.join().expect("no panic"), COUNT);
}

#[test]
fn as_many_as_are_sent_come_over_a_websocket_and_udp() {
    let (port, serving) = echo();
    let forwarder = Forwarder::between("ws:0", &format!("udp:127.0.0.1:{port}"));
    let mut client = WebSocket::connect(forwarder.port(0), "/", &["binary"]);
    let data = Pattern::new(2).take(1 << 17);
    for (index, len) in lengths().enumerate() {
        let sent = &data[index % 1000..][..len];
        client.send_binary(sent);
        let frame = client.receive().expect("it comes back");
        assert!(frame.last && frame.payload == sent, "message {index} of {len} bytes");
    }
    assert_eq!(serving.join().expect("no panic"), COUNT);
}

#[test]
fn as_many_as_are_sent_come_over_a_unix_socket_and_a_websocket() {
    let folder = tempfile::tempdir().expect("a folder for sockets");
    let ours = folder.path().join("near");
    let inner = Forwarder::between("ws:0", "echo");
    let listen = format!("unix-dgram:{}", ours.display());
    let to = format!("ws://127.0.0.1:{}/", inner.port(0));
    let _outer = Forwarder::between(&listen, &to);
    let client = UnixDatagram::bind(folder.path().join("client")).expect("a path");
    client.set_read_timeout(Some(DEADLINE)).expect("a limit");
    client.connect(&ours).expect("it listens");
    let data = Pattern::new(3).take(1 << 17);
    let mut buf = vec![0; 1 << 16];
    for (index, len) in lengths().enumerate() {
        let sent = &data[index % 1000..][..len];
        client.send(sent).expect("it is sent");
        let got = client.recv(&mut buf).expect("it comes back");
        assert!(buf[..got] == *sent, "datagram {index} of {len} bytes came back with {got}");
    }
}

/// Datagrams that can't be taken are lost, but never without a line in the log.
#[test]
fn losses_are_said() {
    let server = net::Server::bind();
    let to = format!("framed:{{{}}}:by=length", server.descriptor());
    let forwarder = Forwarder::between("udp:0:interface=127.0.0.1", &to);
    let client = udp_client(forwarder.port(0));
    client.send(b"first").expect("it is sent");
    let far = server.accept();
    // Nothing reads there: the connection's buffers fill, then the session's queue.
    let data = vec![7; 60_000];
    let said = tests::until("a loss is logged", || {
        for _ in 0..50 {
            client.send(&data).expect("it is sent");
        }
        let log = forwarder.stderr().text();
        log.contains("lost a datagram").then_some(log)
    });
    assert!(said.contains("they arrive faster than the other side reads them"), "{said}");
    drop(far);
    tests::until("the losses are counted", || {
        let log = forwarder.stderr().text();
        log.contains("datagrams were lost").then_some(())
    });
}

fn program(name: &str) -> Command {
    let file = binary::program(name);
    Command::new(file.unwrap_or_else(|| panic!("no `{name}`: run `cargo xtask setup`")))
}

/// dig, at the end of a chain: UDP, a WebSocket, and UDP again to a name server.
#[test]
fn a_name_server_is_asked_through_a_websocket() {
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
    let inner = Forwarder::between("ws:0", &format!("udp:127.0.0.1:{port}"));
    let outer = Forwarder::between(
        "udp:0:interface=127.0.0.1",
        &format!("ws://127.0.0.1:{}/", inner.port(0)),
    );
    let dig = |name: &str, sort: &str| {
        let mut dig = program("dig");
        dig.args([
            "@127.0.0.1",
            "-p",
            &outer.port(0).to_string(),
            "+short",
            "+tries=1",
            "+time=10",
        ]);
        dig.args([name, sort]);
        let output = run_program(&mut dig, b"");
        assert!(output.status.success(), "{}\n{}", output.text(), output.stderr);
        output.text()
    };
    assert_eq!(dig("host.test", "A").trim(), "192.0.2.33");
    assert_eq!(dig("long.test", "TXT").trim(), format!("\"{}\"", "x".repeat(200)));
    assert_eq!(dig("host.test", "A").trim(), "192.0.2.33");
}

/// socat at either end, as its users have it.
#[test]
fn socat_sends_and_answers_datagrams() {
    let port = net::free_port();
    let listen = format!("UDP-RECVFROM:{port},bind=127.0.0.1,fork");
    let _server = Peer::start("socat", &[&listen, "SYSTEM:tr a-z A-Z"]);
    let forwarder =
        Forwarder::between("udp:0:interface=127.0.0.1", &format!("udp:127.0.0.1:{port}"));
    let address = format!("UDP:127.0.0.1:{}", forwarder.port(0));
    // Until theirs listens, what is sent is refused, and the next one tries again.
    let answer = tests::until("socat answers", || {
        let output = run_program(program("socat").args(["-t", "1", "-", &address]), b"shout");
        (!output.stdout.is_empty()).then_some(output.stdout)
    });
    assert_eq!(answer, b"SHOUT");
}

/// A GPS receiver's sentences, from a serial line to a WebSocket client.
#[test]
fn sentences_of_a_serial_line_are_messages() {
    let folder = tempfile::tempdir().expect("a folder for terminals");
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    let pair = |path: &std::path::Path| format!("PTY,link={},rawer", path.display());
    let cable = Peer::start("socat", &[pair(&ours), pair(&theirs)]);
    tests::until("both ends are there", || (ours.exists() && theirs.exists()).then_some(()));
    let device = format!("serial:{}:4800:framing=lines", ours.display());
    let forwarder = Forwarder::between("ws:0", &device);
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let sentences =
        ["$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47", "$GPRMC,,V*00"];
    std::fs::write(&theirs, format!("{}\r\n{}\r\n", sentences[0], sentences[1]))
        .expect("it is sent");
    for sentence in sentences {
        assert_eq!(client.message(), sentence.as_bytes());
    }
    client.send_text("$PMTK101*32");
    let mut line = vec![0; 64];
    let read =
        std::io::Read::read(&mut std::fs::File::open(&theirs).expect("it is there"), &mut line);
    assert_eq!(&line[..read.expect("a line")], b"$PMTK101*32\n");
    drop(cable);
}
