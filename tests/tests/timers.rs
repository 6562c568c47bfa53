//! Every time that a definition or an option sets, with the real command: the effect comes, and not before the time is
//! over. A time without a row fails the test.

#![expect(clippy::disallowed_types, reason = "the clock of a real process can't be paused")]

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use endpointforward::kind::{Role, ValueKind};
use socket2::{Domain, SockAddr, Socket, Type};
use tests::net::{self, Refusing, Server, SlowConnect};
use tests::ws::{Opcode, Request, WebSocket};
use tests::{DEADLINE, Forwarder, Signal, run};

/// A row: the kinds and parameters that it is about, and how they are seen.
struct Row {
    names: &'static [&'static str],
    seen: Seen,
}

enum Seen {
    /// Here: no effect is seen before this time, and then it is.
    After(Duration, fn() -> Duration),
    /// In this test, whose file is named from the root.
    In(&'static str, &'static str),
    /// Nowhere with the real command, for this reason.
    Unseen(&'static str),
}

use Seen::{After, In, Unseen};

const ROWS: &[Row] = &[
    // Options.
    Row { names: &["--connect-timeout"], seen: After(SHORT, connect_timeout) },
    Row { names: &["--idle-timeout"], seen: After(SHORT, idle_timeout) },
    Row { names: &["--linger"], seen: After(SHORT, linger) },
    Row { names: &["--grace"], seen: After(SHORT, grace) },
    // Connecting.
    Row {
        names: &["tcp timeout", "tcp4 timeout", "tcp6 timeout"],
        seen: After(SHORT, tcp_timeout),
    },
    Row { names: &["unix timeout", "unix-seqpacket timeout"], seen: After(SHORT, unix_timeout) },
    Row { names: &["fifo timeout"], seen: After(SHORT, fifo_timeout) },
    Row { names: &["fallback timeout", "balance timeout"], seen: After(SHORT, fallback_timeout) },
    Row { names: &["retry timeout"], seen: After(SHORT, retry_timeout) },
    Row { names: &["retry backoff"], seen: After(SHORT, retry_backoff) },
    Row { names: &["route timeout"], seen: After(SHORT, route_timeout) },
    Row {
        names: &["ssh timeout"],
        seen: In(SSH, "a_server_that_says_nothing_and_one_that_is_none"),
    },
    Row { names: &["balance down"], seen: In(SEVERAL, "one_that_is_down_is_left_out_for_a_while") },
    // Handshakes, at both sides.
    Row {
        names: &[
            "tls handshake-timeout",
            "ws handshake-timeout",
            "proxy handshake-timeout",
            "socks5 handshake-timeout",
            "http-connect handshake-timeout",
        ],
        seen: After(SHORT, handshakes_of_clients),
    },
    Row {
        names: &["socks5 timeout", "http-connect timeout", "socks5-udp timeout"],
        seen: After(SHORT, handshakes_of_servers),
    },
    // Sessions.
    Row { names: &["udp idle", "unix-dgram idle"], seen: After(SHORT, udp_idle) },
    Row { names: &["socks5 idle"], seen: In(ASSOCIATE, "silent_sessions_end") },
    Row { names: &["ws ping"], seen: After(SHORT, ping) },
    Row { names: &["ws pong-timeout"], seen: After(SHORT, pong_timeout) },
    Row { names: &["ws close-timeout"], seen: After(SHORT, close_timeout) },
    Row { names: &["framed timeout"], seen: After(SHORT, message_timeout) },
    Row { names: &TCP_USER, seen: After(SECOND, user_timeout) },
    Row { names: &TCP_INTERVAL, seen: In(CABLE, "an_idle_tcp_client_by_keepalive") },
    Row { names: &["ssh keepalive"], seen: Unseen("it is an option of ssh, ServerAliveInterval") },
    Row { names: &["udp timeout"], seen: Unseen("no name server here leaves a name unanswered") },
    Row {
        names: &["route cache"],
        seen: In(ROUTE, "a_program_is_asked_once_about_a_key_that_is_cached"),
    },
    Row {
        names: &["route negative"],
        seen: Unseen("the cache of refusals is tested in its crate"),
    },
    // Ends.
    Row { names: &["process grace"], seen: After(SHORT, process_grace) },
    Row { names: &["tee grace"], seen: In(FILES, "a_copy_that_stalls_delays_nobody") },
    Row { names: &["pty grace"], seen: After(SHORT, pty_grace) },
];

const TCP_USER: [&str; 6] = [
    "tcp user-timeout",
    "tcp4 user-timeout",
    "tcp6 user-timeout",
    "fd user-timeout",
    "inetd user-timeout",
    "systemd user-timeout",
];
const TCP_INTERVAL: [&str; 6] = [
    "tcp keepalive-interval",
    "tcp4 keepalive-interval",
    "tcp6 keepalive-interval",
    "fd keepalive-interval",
    "inetd keepalive-interval",
    "systemd keepalive-interval",
];
const SSH: &str = "tests/tests/peers/ssh_kind.rs";
const ROUTE: &str = "tests/tests/route/programs.rs";
const FILES: &str = "crates/endpoints/tests/files.rs";
const SEVERAL: &str = "crates/endpoints/tests/several.rs";
const ASSOCIATE: &str = "crates/endpoints/tests/associate/clients.rs";
const CABLE: &str = "tests/tests/cable.rs";

#[test]
fn every_time_has_its_effect_and_not_before() {
    // It is built before the clocks run.
    let _ = tests::binary::endpointforward();
    std::thread::scope(|scope| {
        for row in ROWS {
            if let After(time, see) = row.seen {
                scope.spawn(move || {
                    let took = see();
                    let names = row.names;
                    assert!(took >= time, "{names:?}: {took:?} instead of {time:?}");
                    assert!(took < DEADLINE, "{names:?}: {took:?}");
                });
            }
        }
    });
}

#[test]
fn every_time_has_a_row() {
    let rows: BTreeSet<_> =
        ROWS.iter().flat_map(|row| row.names).map(|it| (*it).to_owned()).collect();
    let registry = endpointforward::registry();
    let mut times = BTreeSet::new();
    for kind in registry.kinds() {
        for role in [Role::Listen, Role::Connect] {
            for param in registry.params(kind, role) {
                if matches!(param.value, ValueKind::Duration | ValueKind::Durations) {
                    times.insert(format!("{} {}", kind.name, param.name));
                }
            }
        }
    }
    let help = run(&["--help"], b"").text();
    for line in help.lines().filter(|line| line.contains("<TIME>")) {
        times.insert(line.split_whitespace().next().unwrap_or_default().to_owned());
    }
    let without: Vec<_> = times.difference(&rows).collect();
    assert!(without.is_empty(), "no row for {without:?}");
    let unknown: Vec<_> = rows.difference(&times).collect();
    assert!(unknown.is_empty(), "no definition has {unknown:?}");
    for row in ROWS {
        if let In(file, test) = row.seen {
            let text = std::fs::read_to_string(tests::root().join(file)).expect("it is there");
            assert!(text.contains(&format!("fn {test}(")), "{file} has no {test}");
        }
        if let Unseen(reason) = row.seen {
            println!("not seen here: {:?}: {reason}", row.names);
        }
    }
}

/// Returns the time until the log has `text`.
fn logs(forwarder: &Forwarder, began: Instant, text: &str) -> Duration {
    forwarder.wait_for_log(text);
    began.elapsed()
}

/// Runs a session of standard input, and returns the time until the end of it, which has `text`.
fn fails(destination: &str, options: &[&str], text: &str) -> Duration {
    let began = Instant::now();
    let output = run(&[&["-e", "stdio", "-d", destination], options].concat(), b"");
    assert!(output.stderr.contains(text), "{destination}: {}", output.stderr);
    assert!(!output.status.success(), "{destination}: {}", output.stderr);
    began.elapsed()
}

// === options ===

fn connect_timeout() -> Duration {
    let slow = SlowConnect::bind();
    let to = format!("tcp:127.0.0.1:{}", slow.port());
    fails(&to, &["--connect-timeout", "500ms"], "no answer within 500ms")
}

fn idle_timeout() -> Duration {
    let forwarder = Forwarder::start(&["-e", "0", "-d", "null", "--idle-timeout", "500ms"]);
    let began = Instant::now();
    let client = net::connect(forwarder.port(0));
    net::wait_end(&client);
    logs(&forwarder, began, "ended by us: idle")
}

fn linger() -> Duration {
    let server = Server::bind();
    let args = ["-e", "0", "-d", &server.descriptor(), "--linger", "500ms"];
    let forwarder = Forwarder::start(&args);
    let client = net::connect(forwarder.port(0));
    let far = server.accept();
    let began = Instant::now();
    net::half_close(&far);
    net::wait_end(&client);
    let took = logs(&forwarder, began, "for too long");
    net::wait_end(&far);
    took
}

fn grace() -> Duration {
    let mut forwarder = Forwarder::start(&["-e", "0", "-d", "echo", "--grace", "500ms"]);
    let client = net::connect(forwarder.port(0));
    (&client).write_all(b"x").expect("it is taken");
    net::read_exactly(&client, 1);
    let began = Instant::now();
    forwarder.signal(Signal::TERM);
    net::wait_end(&client);
    let took = began.elapsed();
    drop(client);
    assert!(forwarder.wait_exit().success(), "{}", forwarder.report());
    took
}

// === connecting ===

fn tcp_timeout() -> Duration {
    let slow = SlowConnect::bind();
    fails(&format!("tcp:127.0.0.1:{}:timeout=500ms", slow.port()), &[], "within 0.5 s")
}

fn unix_timeout() -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s");
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
    socket.bind(&SockAddr::unix(&path).expect("a short path")).expect("a new name");
    socket.listen(0).expect("it is bound");
    // The system lets in one more than the backlog.
    let _filler = UnixStream::connect(&path).expect("it listens");
    fails(&format!("unix:{}:timeout=500ms", path.display()), &[], "cannot connect")
}

fn fifo_timeout() -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("it starts");
    assert!(made.success());
    fails(&format!("fifo:{}:access=write:timeout=500ms", path.display()), &[], "cannot")
}

fn fallback_timeout() -> Duration {
    let (slow, second) = (SlowConnect::bind(), Server::bind());
    let first = format!("{{tcp:127.0.0.1:{}}}", slow.port());
    let to = format!("fallback:{first}:{{{}}}:timeout=500ms", second.descriptor());
    let forwarder = Forwarder::between("0", &to);
    let began = Instant::now();
    let _client = net::connect(forwarder.port(0));
    let _far = second.accept();
    began.elapsed()
}

/// It gives up when no other try is possible within the time.
fn retry_timeout() -> Duration {
    let refusing = Refusing::bind();
    let port = refusing.port();
    let to = format!("retry:{{tcp:127.0.0.1:{port}}}:timeout=700ms:backoff=100ms");
    fails(&to, &[], "cannot connect")
}

/// Two tries, and a pause between them.
fn retry_backoff() -> Duration {
    let refusing = Refusing::bind();
    let to = format!("retry:{{tcp:127.0.0.1:{}}}:backoff=500ms:tries=2", refusing.port());
    fails(&to, &[], "cannot connect")
}

fn route_timeout() -> Duration {
    let forwarder = Forwarder::between("0", "route:exec={sleep:60}:timeout=500ms");
    let began = Instant::now();
    let client = net::connect(forwarder.port(0));
    net::wait_end(&client);
    began.elapsed()
}

// === handshakes ===

/// A client that says nothing is left.
fn handshakes_of_clients() -> Duration {
    let times = [
        "tls:{tcp:0:interface=127.0.0.1}:cert=self-signed",
        "ws:0",
        "proxy:{tcp:0:interface=127.0.0.1}",
        "socks5:0",
        "http-connect:0",
    ]
    .map(|listen| {
        let listen = format!("{listen}:handshake-timeout=500ms");
        let forwarder = Forwarder::between(&listen, "target:allow=*");
        let began = Instant::now();
        let client = net::connect(forwarder.port(0));
        net::wait_end(&client);
        began.elapsed()
    });
    times.into_iter().min().unwrap_or_default()
}

/// A server that says nothing is left.
fn handshakes_of_servers() -> Duration {
    let times = [
        "tls:{tcp:127.0.0.1:PORT}:insecure=true:handshake-timeout=500ms",
        "ws:{tcp:127.0.0.1:PORT}:handshake-timeout=500ms",
        "socks5:{tcp:127.0.0.1:PORT}:host=h:port=1:timeout=500ms",
        "http-connect:{tcp:127.0.0.1:PORT}:host=h:port=1:timeout=500ms",
    ]
    .map(|to| {
        let server = Server::bind();
        fails(&to.replace("PORT", &server.port().to_string()), &[], "0.5 s")
    });
    times.into_iter().min().unwrap_or_default()
}

// === sessions ===

fn udp_idle() -> Duration {
    let forwarder = Forwarder::between("udp:0:interface=127.0.0.1:idle=500ms", "echo");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(DEADLINE)).expect("a socket has timeouts");
    let began = Instant::now();
    socket.send_to(b"x", forwarder.address(0)).expect("it is sent");
    socket.recv(&mut [0; 8]).expect("an echo");
    logs(&forwarder, began, "bytes sent")
}

fn ws_client(parameters: &str) -> (Forwarder, WebSocket) {
    let forwarder = Forwarder::between(&format!("ws:0:{parameters}"), "null");
    let stream = net::connect(forwarder.port(0));
    let ws = WebSocket::open(stream, &Request::new("/")).expect("it is accepted");
    (forwarder, ws)
}

fn ping() -> Duration {
    let began = Instant::now();
    let (_forwarder, mut ws) = ws_client("ping=500ms");
    let frame = ws.receive().expect("a frame");
    assert_eq!(frame.opcode, Opcode::Ping);
    began.elapsed()
}

/// With a destination of bytes, and one of messages.
fn pong_timeout() -> Duration {
    let times = ["process:cat", "echo"].map(|to| {
        let forwarder = Forwarder::between("ws:0:ping=100ms:pong-timeout=600ms", to);
        let mut ws = WebSocket::connect(forwarder.port(0), "/", &[]);
        assert_eq!(ws.receive().map(|frame| frame.opcode), Some(Opcode::Ping));
        let began = Instant::now();
        net::wait_end(&ws.stream);
        // The ping came a little before it was seen.
        began.elapsed() + SLACK
    });
    times.into_iter().min().unwrap_or_default()
}

/// The destination has ended, and the client doesn't answer the Close.
fn close_timeout() -> Duration {
    let forwarder = Forwarder::between("ws:0:close-timeout=600ms", "process:true");
    let stream = net::connect(forwarder.port(0));
    let mut ws = WebSocket::open(stream, &Request::new("/")).expect("it is accepted");
    assert!(ws.wait_close().is_some());
    let began = Instant::now();
    let mut rest = [0; 1];
    match ws.stream.read(&mut rest) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("no end: {other:?}"),
    }
    // The Close came a little before it was seen.
    began.elapsed() + SLACK
}

fn message_timeout() -> Duration {
    let server = Server::bind();
    let to = format!("framed:{{{}}}:by=lines:timeout=600ms:partial=send", server.descriptor());
    let forwarder = Forwarder::between("ws:0", &to);
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let began = Instant::now();
    let far = server.accept();
    (&far).write_all(b"no end").expect("the forwarder takes it");
    // The end of the message, behind whatever of it came before.
    let mut got = Vec::new();
    loop {
        let frame = client.receive().expect("a frame");
        got.extend(frame.payload);
        if frame.last {
            break;
        }
    }
    assert_eq!(got, b"no end");
    began.elapsed()
}

fn user_timeout() -> Duration {
    let server = Server::bind_with_receive_buffer(4096);
    let to = format!("{}:user-timeout=1", server.descriptor());
    let forwarder = Forwarder::between("0", &to);
    let client = net::connect(forwarder.port(0));
    let _far = server.accept();
    let began = Instant::now();
    net::push_until_stalled(&client, &[7; 65536], Duration::from_millis(200), 1 << 30);
    logs(&forwarder, began, "destination failed")
}

// === ends ===

/// SIGTERM after one grace period, SIGKILL after another one.
fn process_grace() -> Duration {
    let to = "process:sh:-c:{trap '' TERM; echo up; while :; do sleep 0.1; done}:grace=300ms";
    killed(to)
}

fn pty_grace() -> Duration {
    killed("pty:sh:-c:{trap '' HUP; echo up; while :; do sleep 0.1; done}:grace=500ms")
}

fn killed(to: &str) -> Duration {
    let forwarder = Forwarder::between("0", to);
    let client: TcpStream = net::connect(forwarder.port(0));
    assert_eq!(net::read_exactly(&client, 2), b"up");
    let began = Instant::now();
    net::reset(client);
    logs(&forwarder, began, "killed: it did not end within its grace period")
}

const SHORT: Duration = Duration::from_millis(500);
const SECOND: Duration = Duration::from_secs(1);
/// The time by which the beginning of a wait may have been missed.
const SLACK: Duration = Duration::from_millis(100);
