//! No client pays for a neighbour: silent clients, pages of the machine's browser, a process that was stopped, and no
//! memory.

#![expect(clippy::disallowed_types, reason = "the clock of a real process can't be paused")]

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, prlimit, setrlimit};
use socket2::{Domain, Socket, Type};
use tests::ws::{Request, Response, WebSocket};
use tests::{DEADLINE, Forwarder, net, until};

/// A connection from this address of loopback.
fn connect_from(address: [u8; 4], port: u16) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((address, 0)).into()).expect("loopback is a whole /8");
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    socket.connect_timeout(&to.into(), DEADLINE).expect("it accepts");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).expect("a limit");
    stream
}

/// How long a client of `echo` waits for what it sent.
fn echo_time(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    stream.write_all(b"x").expect("it takes it");
    stream.read_exact(&mut [0]).expect("the echo");
    began.elapsed()
}

#[test]
fn silent_clients_delay_no_other_listener_and_no_other_network() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .expect("the soft limit is ours");
    let flooded = "ws:{tcp:0:interface=127.0.0.1:backlog=4096}";
    let forwarder = Forwarder::start(&["-e", flooded, "-e", "0", "-d", "echo"]);
    let mut crowd: Vec<_> =
        (0..1100).map(|_| connect_from([127, 0, 0, 1], forwarder.port(0))).collect();
    forwarder.wait_for_log("has reached its limit of connections without a session");
    let waited = echo_time(&mut net::connect(forwarder.port(1)));
    assert!(waited < MOMENT, "another listener's client waited {waited:?}");
    let began = Instant::now();
    let other = connect_from([127, 1, 0, 1], forwarder.port(0));
    WebSocket::open(other, &Request::new("/")).expect("another network's client gets in");
    let waited = began.elapsed();
    assert!(waited < MOMENT, "another network's client waited {waited:?}");
    // The oldest of the crowd made room for the youngest.
    assert_eq!(crowd[0].read(&mut [0]).expect("an end"), 0);
    let youngest = crowd.pop().expect("the last one");
    WebSocket::open(youngest, &Request::new("/")).expect("it has lost nothing");
}

#[test]
fn ten_thousand_half_open_handshakes_delay_no_other_network() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .expect("the soft limit is ours");
    let forwarder =
        Forwarder::between("ws:{tcp:0:interface=127.0.0.1:backlog=4096}:rate=1000/s", "echo");
    let port = forwarder.port(0);
    // Without its last line.
    let mut half = Request::new("/").encode();
    half.truncate(half.len() - 2);
    let others = |third: u8| {
        let began = Instant::now();
        let other = connect_from([127, 1, third, 1], port);
        WebSocket::open(other, &Request::new("/")).expect("another network's client gets in");
        began.elapsed()
    };
    // Only what the forwarder may hold is kept: it has closed the others itself, the oldest first.
    let mut crowd = VecDeque::new();
    for count in 1..=10_000_u32 {
        let stream = net::connect(port);
        (&stream).write_all(&half).expect("it is taken");
        crowd.push_back(stream);
        if crowd.len() > 2048 {
            crowd.pop_front();
        }
        if count % 1000 == 0 {
            let waited = others(u8::try_from(count / 1000).expect("a byte"));
            assert!(waited < MOMENT, "while they come, another network's client waited {waited:?}");
        }
    }
    // A client that the system doesn't run for a while proves nothing about the others.
    let mut waits: Vec<_> = (100..110).map(others).collect();
    waits.sort_unstable();
    assert!(waits[5] < Duration::from_millis(100), "{waits:?}");
    forwarder.wait_for_log("has reached its limit of connections without a session");
    // The youngest of the crowd goes on.
    let youngest = crowd.pop_back().expect("the last one");
    (&youngest).write_all(b"\r\n").expect("it is taken");
    assert_eq!(Response::read(&youngest).status, 101);
}

#[test]
fn a_page_runs_nothing_in_a_shell() {
    let folder = tempfile::tempdir().expect("a folder");
    let proof = folder.path().join("proof");
    let forwarder = Forwarder::between("0", "process:sh");
    let command = format!("\necho pwned > {}\n", proof.display());
    let request = |method: &str| {
        let length = command.len();
        format!(
            "{method} /x HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\n\
             Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{command}"
        )
    };
    let answer_to = |mut stream: TcpStream, bytes: &[u8]| {
        stream.write_all(bytes).expect("it is taken");
        String::from_utf8(net::read_all(&stream)).expect("text")
    };
    let answer = answer_to(net::connect(forwarder.port(0)), request("POST").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let line = forwarder.wait_for_log("WARN");
    assert!(line.contains("an HTTP request") && line.contains("web-pages=allow"), "{line}");
    // A browser may connect ahead, and ask when the shell is there.
    let ahead = net::connect(forwarder.port(0));
    until("the shell of the silent client", || (!forwarder.children().is_empty()).then_some(()));
    let answer = answer_to(ahead, request("POST").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    forwarder.wait_no_children();
    assert!(!proof.exists());
    // Those who type, and those who end at once, are served.
    let mut client = net::connect(forwarder.port(0));
    client.write_all(b"echo hello\n").expect("it is taken");
    net::half_close(&client);
    assert_eq!(net::read_all(&client), b"hello\n");
    // Switched off, it is as it was. Where libwww-perl is installed, `POST` and `GET` are programs, and the shell would
    // run them.
    let forwarder = Forwarder::between("tcp:0:interface=127.0.0.1:web-pages=allow", "process:sh");
    let mut client = net::connect(forwarder.port(0));
    client.write_all(request("PUT").as_bytes()).expect("it is taken");
    until("the command", || proof.exists().then_some(()));
}

#[test]
fn a_socket_in_front_of_a_program_is_its_owners() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s");
    for (more, destination, expected) in [
        ("", "process:cat", 0o600),
        ("", "pty:cat", 0o600),
        (":mode=660", "process:cat", 0o660),
        ("", "echo", 0o666),
        ("", "tcp:127.0.0.1:9", 0o666),
    ] {
        let listener = format!("unix:{}{more}", path.display());
        let _forwarder = Forwarder::between(&listener, destination);
        let mode = fs::metadata(&path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode, expected, "{listener} {destination}");
    }
}

#[test]
fn a_handshake_that_came_while_we_were_stopped_is_not_late() {
    let forwarder = Forwarder::between("ws:0:handshake-timeout=1", "echo");
    let fds = forwarder.fds();
    let stream = net::connect(forwarder.port(0));
    until("the forwarder has the connection", || (forwarder.fds() > fds).then_some(()));
    forwarder.signal(Signal::STOP);
    (&stream).write_all(&Request::new("/").encode()).expect("it lies in the socket");
    // Longer than the handshake may take.
    assert!(net::is_silent(&stream, Duration::from_millis(1500)));
    forwarder.signal(Signal::CONT);
    let response = Response::read(&stream);
    assert_eq!(response.status, 101, "{}", forwarder.log());
}

#[test]
fn without_memory_a_compressed_connection_is_refused() {
    let forwarder = Forwarder::between("ws:0:compression=on", "echo");
    drop(WebSocket::connect(forwarder.port(0), "/", &[]));
    forwarder.wait_for_log("client left");
    let status = fs::read_to_string(format!("/proc/{}/status", forwarder.id())).expect("a process");
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("its size");
    let kib: u64 = size.trim().trim_end_matches(" kB").trim().parse().expect("a number");
    let pid = Pid::from_raw(i32::try_from(forwarder.id()).expect("a pid"));
    let limit = Some(kib * 1024 + 64 * 1024);
    prlimit(pid, Resource::As, Rlimit { current: limit, maximum: None }).expect("it is ours");
    let asks = |request: Request| request.send(&net::connect(forwarder.port(0)));
    let compressed = Request::new("/").header("Sec-WebSocket-Extensions", "permessage-deflate");
    let response = asks(compressed);
    assert_eq!(response.status, 503, "{}", forwarder.log());
    assert_eq!(asks(Request::new("/")).status, 101, "others are served");
    assert!(!forwarder.log().contains("panicked"), "{}", forwarder.log());
}

/// A handshake takes 10 s to time out: less than this waited for none.
const MOMENT: Duration = Duration::from_secs(2);
