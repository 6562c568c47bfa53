//! Every exit status that `--help` lists, provoked with the real command.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use endpointforward::manual;
use tests::net::{self, Refusing, Server};
use tests::ws::{Frame, Opcode, WebSocket};
use tests::{DEADLINE, Forwarder, Signal, binary, run, run_program, until_within};

/// A cause, the status that documents it, and how it is provoked: the command's status, and what it wrote.
struct Row {
    status: u8,
    cause: &'static str,
    provoke: fn() -> (ExitStatus, String),
}

const ROWS: &[Row] = &[
    Row { status: 0, cause: "a check", provoke: checked },
    Row { status: 0, cause: "the one session", provoke: one_session },
    Row { status: 0, cause: "a stop", provoke: || stopped(1) },
    Row { status: 0, cause: "two signals", provoke: || stopped(2) },
    Row { status: 64, cause: "an option", provoke: || plain(&["--no-such-option"]) },
    Row { status: 64, cause: "a descriptor", provoke: || plain(&["-e", "tcp:x", "-d", "echo"]) },
    Row { status: 69, cause: "a listener", provoke: taken_port },
    Row { status: 69, cause: "a destination", provoke: refused },
    Row { status: 74, cause: "a reset", provoke: reset },
    Row { status: 74, cause: "a full disk", provoke: full },
    Row { status: 75, cause: "--linger", provoke: linger },
    Row { status: 75, cause: "--idle-timeout", provoke: idle },
    Row { status: 75, cause: "a close timeout", provoke: close_timeout },
    Row { status: 75, cause: "a ping timeout", provoke: ping_timeout },
    Row { status: 75, cause: "--grace", provoke: || stopped_with_data(&["--grace", "500ms"], 1) },
    Row { status: 75, cause: "a second signal", provoke: || stopped_with_data(&[], 2) },
    Row { status: 76, cause: "a WebSocket that broke off", provoke: || ws_server(&[]) },
    Row {
        status: 76,
        cause: "close code 1011",
        provoke: || ws_server(&Frame::close(1011, "").encode(None)),
    },
    Row { status: 76, cause: "a program that fails", provoke: || program("exit 3") },
    Row { status: 76, cause: "a program that is killed", provoke: || program("kill -9 $$") },
    Row { status: 77, cause: "no permission", provoke: forbidden },
];

#[test]
fn every_documented_status_is_provoked() {
    let documented: Vec<_> = manual::exit_statuses().collect();
    for (status, about) in &documented {
        assert!(ROWS.iter().any(|row| row.status == *status), "no row for {status}: {about}");
    }
    let help = run(&["--help"], b"").text();
    thread::scope(|scope| {
        for row in ROWS {
            let (status, about) = documented
                .iter()
                .find(|(status, _)| *status == row.status)
                .unwrap_or_else(|| panic!("{} is documented nowhere", row.status));
            let start: String = about.chars().take(40).collect();
            assert!(help.contains(&format!("  {status:>2}  {start}")), "{help}");
            scope.spawn(move || {
                let (ended, said) = (row.provoke)();
                assert_eq!(ended.code(), Some(i32::from(row.status)), "{}: {said}", row.cause);
            });
        }
    });
}

/// What `--help` says of 75 names each timer.
#[test]
fn every_option_that_the_list_names_exists() {
    let help = run(&["--help"], b"").text();
    for (_, about) in manual::exit_statuses() {
        for option in about.split(|c: char| c != '-' && !c.is_alphanumeric()) {
            let is_option = option.starts_with("--");
            assert!(!is_option || help.contains(&format!("{option} ")), "{option}");
        }
    }
}

fn plain(args: &[&str]) -> (ExitStatus, String) {
    let output = run(args, b"");
    (output.status, output.stderr)
}

fn ended(mut forwarder: Forwarder) -> (ExitStatus, String) {
    (forwarder.wait_exit(), forwarder.report())
}

fn checked() -> (ExitStatus, String) {
    plain(&["--check", "-e", "0", "-d", "echo"])
}

fn one_session() -> (ExitStatus, String) {
    let forwarder = Forwarder::start(&["--once", "-e", "0", "-d", "echo"]);
    let client = net::connect(forwarder.port(0));
    (&client).write_all(b"x").expect("the forwarder takes it");
    net::half_close(&client);
    assert_eq!(net::read_all(&client), b"x");
    ended(forwarder)
}

/// With a session in which everything has been delivered.
fn stopped(signals: usize) -> (ExitStatus, String) {
    let grace = if signals == 1 { "100ms" } else { "1h" };
    let forwarder = Forwarder::start(&["--grace", grace, "-e", "0", "-d", "echo"]);
    let client = net::connect(forwarder.port(0));
    (&client).write_all(b"x").expect("the forwarder takes it");
    assert_eq!(net::read_exactly(&client, 1), b"x");
    signal(&forwarder, signals);
    ended(forwarder)
}

fn signal(forwarder: &Forwarder, signals: usize) {
    forwarder.signal(Signal::TERM);
    // Signals that wait are one.
    forwarder.wait_for_log("stopping (SIGTERM)");
    if signals > 1 {
        forwarder.signal(Signal::TERM);
        forwarder.wait_for_log("stopping now");
    }
}

fn taken_port() -> (ExitStatus, String) {
    let server = Server::bind();
    plain(&["-e", &format!("tcp:{}:interface=127.0.0.1", server.port()), "-d", "echo"])
}

fn refused() -> (ExitStatus, String) {
    let refusing = Refusing::bind();
    plain(&["-e", "stdio", "-d", &format!("tcp:127.0.0.1:{}", refusing.port())])
}

/// Standard input and a server, which standard input says nothing to.
fn stdio_to(server: &Server, options: &[&str]) -> (Forwarder, TcpStream) {
    let descriptor = server.descriptor();
    let forwarder = Forwarder::spawn(&[&["-e", "stdio", "-d", &descriptor], options].concat());
    (forwarder, server.accept())
}

fn reset() -> (ExitStatus, String) {
    let (forwarder, far) = stdio_to(&Server::bind(), &[]);
    (&far).write_all(b"open\n").expect("the forwarder takes it");
    // It has been connected then.
    assert!(forwarder.stdout().wait_for_line(DEADLINE, "open").is_some(), "{}", forwarder.log());
    net::reset(far);
    ended(forwarder)
}

fn full() -> (ExitStatus, String) {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let mut command = Command::new(binary::endpointforward());
    let output = command.arg("kinds").stdout(full).stderr(Stdio::piped()).output();
    let output = output.expect("it starts");
    (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn linger() -> (ExitStatus, String) {
    let (mut forwarder, _far) = stdio_to(&Server::bind(), &["--linger", "500ms"]);
    forwarder.close_stdin();
    ended(forwarder)
}

fn idle() -> (ExitStatus, String) {
    let (forwarder, _far) = stdio_to(&Server::bind(), &["--idle-timeout", "500ms"]);
    ended(forwarder)
}

/// Standard input and a WebSocket server.
fn stdio_to_ws(parameters: &str) -> (Forwarder, WebSocket) {
    let server = Server::bind();
    let url = format!("{{ws://127.0.0.1:{}/}}:{parameters}", server.port());
    let forwarder = Forwarder::spawn(&["-e", "stdio", "-d", &url, "--linger", "2"]);
    let far = WebSocket::accept(server.accept(), None);
    (forwarder, far)
}

/// The server never answers a Close, and sends on behind it: what comes is lost.
fn close_timeout() -> (ExitStatus, String) {
    let (mut forwarder, far) = stdio_to_ws("close-timeout=500ms");
    forwarder.close_stdin();
    let sender = thread::spawn(move || {
        let frame = Frame::new(Opcode::Binary, b"more").encode(None);
        while (&far.stream).write_all(&frame).is_ok() {
            until_within(Duration::from_millis(20), || None::<()>);
        }
    });
    let ended = ended(forwarder);
    sender.join().expect("no panic");
    ended
}

/// The server never answers a ping.
fn ping_timeout() -> (ExitStatus, String) {
    let (forwarder, _far) = stdio_to_ws("ping=500ms:pong-timeout=500ms");
    ended(forwarder)
}

/// The client reads nothing, and the server sends without an end.
fn stopped_with_data(options: &[&str], signals: usize) -> (ExitStatus, String) {
    let server = Server::bind();
    let descriptor = server.descriptor();
    let args = [&["-e", "0", "-d", &descriptor], options].concat();
    let forwarder = Forwarder::start(&args);
    let _client = net::connect(forwarder.port(0));
    let far = server.accept();
    net::push_until_stalled(&far, &[7; 65536], QUIET, 1 << 30);
    signal(&forwarder, signals);
    ended(forwarder)
}

/// A server that sends this after its first message, and ends.
fn ws_server(last: &[u8]) -> (ExitStatus, String) {
    let (forwarder, mut far) = stdio_to_ws("ping=0");
    far.send_raw(b"\x82\x04part");
    far.send_raw(last);
    far.stream.shutdown(Shutdown::Write).expect("it is open");
    ended(forwarder)
}

fn program(script: &str) -> (ExitStatus, String) {
    plain(&["-e", "stdio", "-d", &format!("process:sh:-c:{{cat; {script}}}")])
}

/// In a folder that nothing may be added to, without root's privilege to do it all the same.
fn forbidden() -> (ExitStatus, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let mode = std::fs::Permissions::from_mode(0o500);
    std::fs::set_permissions(folder.path(), mode).expect("it is ours");
    let path = folder.path().join("s").display().to_string();
    let ours = binary::endpointforward();
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.arg("--bounding-set=-all").arg(ours);
        command
    } else {
        Command::new(ours)
    };
    let output = run_program(command.args(["-e", &format!("unix:{path}"), "-d", "echo"]), b"");
    (output.status, output.stderr)
}

/// Nothing is taken for so long: every buffer is full.
const QUIET: Duration = Duration::from_millis(300);
