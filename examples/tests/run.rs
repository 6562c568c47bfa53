//! Runs every example as its user would, over several kinds of endpoint.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

/// A program that is ended with its test.
struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Of its line `listening on …`, or another first line on standard error.
    first: String,
}

impl Program {
    /// Starts one that prints to standard error once it is ready.
    fn start(program: &str, args: &[&str]) -> Self {
        let mut child = command(program, args).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        log.read_line(&mut first).unwrap();
        // It has to be read on, or the program's next line would find no reader.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, first }
    }

    fn port(&self) -> u16 {
        let (_, at) = self.first.split_once("127.0.0.1:").unwrap();
        at.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    }

    fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn output(program: &str, args: &[&str]) -> String {
    let output = command(program, args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const CHAT: &str = env!("CARGO_BIN_EXE_chat");
const FORWARDER: &str = env!("CARGO_BIN_EXE_forwarder");
const JOIN: &str = env!("CARGO_BIN_EXE_join");
const HTTP: &str = env!("CARGO_BIN_EXE_http");
const KIND: &str = env!("CARGO_BIN_EXE_kind");
const OVER: &str = env!("CARGO_BIN_EXE_over");
const EMBED: &str = env!("CARGO_BIN_EXE_embed");
const COMMAND: &str = env!("CARGO_BIN_EXE_command");
const GATE: &str = env!("CARGO_BIN_EXE_gate");
const MQTT: &str = env!("CARGO_BIN_EXE_mqtt");
const LOOPBACK: &str = "tcp:0:interface=127.0.0.1";

#[test]
fn a_chat_over_websockets() {
    let server = Program::start(CHAT, &["serve", &format!("ws:{{{LOOPBACK}}}")]);
    let descriptor = format!("ws:{{tcp:127.0.0.1:{}}}", server.port());
    let mut guests: Vec<_> = (0..2)
        .map(|_| {
            let mut child = command(CHAT, &["join", &descriptor]).spawn().unwrap();
            let out = BufReader::new(child.stdout.take().unwrap());
            Program { child, out, first: String::new() }
        })
        .collect();
    // A guest that joins is not announced: the first one sends until the second one receives.
    let [first, second] = &mut *guests else { unreachable!("there are two") };
    let mut input = first.child.stdin.take().unwrap();
    let speaking = thread::spawn(move || {
        while writeln!(input, "hello").is_ok() {
            thread::park_timeout(std::time::Duration::from_millis(20));
        }
    });
    assert!(second.line().ends_with(": hello"));
    second.say("hi yourself");
    assert!(first.line().ends_with(": hi yourself"));
    drop(guests);
    speaking.join().unwrap();
}

#[test]
fn hyper_over_a_unix_socket_and_tcp() {
    let folder = tempfile::tempdir().unwrap();
    let unix = format!("unix:{}", folder.path().join("web").display());
    let _server = Program::start(HTTP, &["serve", &unix]);
    assert!(output(HTTP, &["get", &unix, "/hello"]).starts_with("/hello for unix:"));
    let server = Program::start(HTTP, &["serve", LOOPBACK]);
    let tcp = format!("tcp:127.0.0.1:{}", server.port());
    assert!(output(HTTP, &["get", &tcp, "/a/b"]).starts_with("/a/b for 127.0.0.1:"));
}

#[test]
fn the_forwarder_forwards() {
    let forwarder = Program::start(FORWARDER, &[LOOPBACK, "echo"]);
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, forwarder.port())).unwrap();
    client.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
}

#[test]
fn two_destinations_are_joined() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut join = command(JOIN, &["echo", &format!("tcp:127.0.0.1:{port}")]).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(b"hello").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "hello");
    assert!(join.wait().unwrap().success());
}

#[test]
fn a_mistake_is_shown_with_its_caret() {
    let ran = command(FORWARDER, &["tcp:90o0", "echo"]).stderr(Stdio::piped()).output().unwrap();
    assert!(!ran.status.success() && String::from_utf8_lossy(&ran.stderr).contains("90o0"));
}

#[test]
fn kinds_of_ones_own_are_like_any_other() {
    let forwarder =
        Program::start(KIND, &["-e", &format!("rot13:{{{LOOPBACK}}}"), "-d", "rot13:{echo}"]);
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, forwarder.port())).unwrap();
    client.write_all(b"Uryyb, 13!").unwrap();
    let mut answer = [0; 10];
    client.read_exact(&mut answer).unwrap();
    // Turned an even number of times on its way.
    assert_eq!(&answer, b"Uryyb, 13!");

    let clock = Program::start(KIND, &["-e", LOOPBACK, "-d", "rot13:{clock:tick=1ms:ticks=2}"]);
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, clock.port())).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut said = String::new();
    client.read_to_string(&mut said).unwrap();
    assert_eq!(said, "gvpx 1\ngvpx 2\n");
    assert!(output(KIND, &["help", "clock"]).contains("Ticks, and the end"));
    assert!(output(KIND, &["complete", "--", "-d", "clo"]).starts_with("clock:\t"));
}

#[test]
fn protocols_over_a_stream_of_ones_own() {
    assert_eq!(output(OVER, &[]), "hello\n");
}

#[test]
fn an_embedded_forwarder_is_metered_and_stops_with_its_program() {
    let mut child = command(EMBED, &["echo"]).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut program = Program { child, out, first: String::new() };
    program.first = program.line();
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, program.port())).unwrap();
    let near = format!("{} to echo", client.local_addr().unwrap());
    client.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    drop(client);
    let lines: Vec<_> = std::iter::repeat_with(|| program.line())
        .take_while(|line| !line.contains("client left"))
        .collect();
    assert!(lines.contains(&format!("{near}: 5 sent, 5 received")), "{lines:?}");
    drop(program.child.stdin.take());
    assert_eq!(program.line(), "1 session, 0 refused, 5 bytes sent, 5 received");
    assert!(program.child.wait().unwrap().success());
}

#[test]
fn a_command_with_a_framing_a_provider_and_a_gate() {
    let to = "framed:{echo}:by=stars";
    let listen = format!("ws:{{{LOOPBACK}}}");
    let program = Program::start(COMMAND, &["-e", &listen, "-d", to]);
    let ws = format!("ws:{{tcp:127.0.0.1:{}}}", program.port());
    let mut join = command(JOIN, &["stdio", &format!("framed:{{{ws}}}:by=lines")]).spawn().unwrap();
    drop(join.stdin.take());
    assert!(join.wait().unwrap().success());
    assert!(output(COMMAND, &["explain", "route:digit=1"]).contains("digit"));
    // The manual has them, too.
    for (kind, words) in
        [("framed", "Framing stars: ends with `*`."), ("route", "Provider digit: ")]
    {
        let help = output(COMMAND, &["help", kind]);
        assert!(help.contains(words), "{help}");
    }
    assert!(output(COMMAND, &["help", "route", "digit"]).contains("The digit."));
    let reference = output(COMMAND, &["reference"]);
    for words in ["| `stars` | ends with `*` | - |", "**Provider `digit`**: a port of this machine"]
    {
        assert!(reference.contains(words), "{reference}");
    }
    // The gate refuses a client without an address.
    let mut refused =
        command(COMMAND, &["-e", "stdio", "-d", "echo"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(refused.stdin.take());
    let refused = refused.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("only from this machine"), "{said}");
}

/// Sends a request for the page or the WebSocket, and returns the head of the reply.
fn ask(port: u16, headers: &str) -> String {
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    write!(client, "GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").unwrap();
    let lines = BufReader::new(client).lines().map(Result::unwrap);
    lines.take_while(|line| !line.is_empty()).map(|line| line + "\n").collect()
}

#[test]
fn a_gate_of_ones_own_asks_for_a_name_and_a_password() {
    let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    // ada:lovelace, and ada:other.
    let good = "Authorization: Basic YWRhOmxvdmVsYWNl\r\n";
    let bad = "Authorization: Basic YWRhOm90aGVy\r\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "hello").unwrap();
    let listen = format!("ws:{{{LOOPBACK}}}:page={{{}/}}", folder.path().display());
    let program = Program::start(GATE, &[&listen, "echo"]);
    for what in ["", upgrade] {
        for headers in [what.to_owned(), format!("{what}{bad}")] {
            let refused = ask(program.port(), &headers);
            assert!(refused.starts_with("HTTP/1.1 401 "), "{headers}{refused}");
            let refused = refused.to_lowercase();
            assert!(refused.contains("www-authenticate: basic realm=\"staff\""), "{refused}");
        }
    }
    assert!(ask(program.port(), good).starts_with("HTTP/1.1 200 "));
    assert!(ask(program.port(), &format!("{upgrade}{good}")).starts_with("HTTP/1.1 101 "));

    // An HTTP proxy asks in its own way.
    let program = Program::start(GATE, &[&format!("http-connect:{{{LOOPBACK}}}"), "echo"]);
    for (login, status) in [("", "407"), ("Proxy-Authorization: Basic YWRhOmxvdmVsYWNl\r\n", "200")]
    {
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, program.port())).unwrap();
        write!(client, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n{login}\r\n").unwrap();
        let mut head = BufReader::new(client).lines().map(Result::unwrap);
        let first = head.next().unwrap();
        assert!(first.starts_with(&format!("HTTP/1.1 {status} ")), "{login}{first}");
        if status == "407" {
            assert!(head.next().unwrap().starts_with("Proxy-Authenticate: Basic realm=\"staff\""));
        }
    }
}

#[test]
fn mqtt_through_a_websocket_and_straight() {
    let (broker, _mosquitto) = broker();
    let forwarder = Program::start(
        FORWARDER,
        &[&format!("ws:{{{LOOPBACK}}}:subprotocol=mqtt"), &format!("tcp:127.0.0.1:{broker}")],
    );
    let ws = format!("ws:{{tcp:127.0.0.1:{}}}:subprotocol=mqtt", forwarder.port());
    let mut subscriber = Program::start(MQTT, &["subscribe", &ws, "news", "1"]);
    assert_eq!(subscriber.first, "subscribed to news\n");
    output(MQTT, &["publish", &format!("tcp:127.0.0.1:{broker}"), "news", "hello"]);
    assert_eq!(subscriber.line(), "hello");
}

/// The port of a broker: mosquitto where it is installed, else one that knows what this test needs.
fn broker() -> (u16, Option<Ended>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    if Path::new(MOSQUITTO).exists() {
        drop(listener);
        let mut child = Command::new(MOSQUITTO)
            .args(["-p", &port.to_string()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "mosquitto listens");
            thread::yield_now();
        }
        return (port, Some(Ended(child)));
    }
    thread::spawn(move || {
        let (mut subscriber, _) = listener.accept().unwrap();
        greet(&mut subscriber);
        let subscribe = packet(&mut subscriber);
        subscriber.write_all(&[0x90, 3, subscribe[2], subscribe[3], 0]).unwrap();
        let (mut publisher, _) = listener.accept().unwrap();
        greet(&mut publisher);
        let publish = packet(&mut publisher);
        assert_eq!(publish[0] >> 4, 3);
        subscriber.write_all(&publish).unwrap();
        // Both send a DISCONNECT.
        packet(&mut publisher);
        packet(&mut subscriber);
    });
    (port, None)
}

/// Ends a program with its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// CONNECT and CONNACK.
fn greet(stream: &mut TcpStream) {
    assert_eq!(packet(stream)[0], 0x10);
    stream.write_all(&[0x20, 2, 0, 0]).unwrap();
}

/// One packet of fewer than 128 bytes.
fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut packet = vec![0; 2];
    stream.read_exact(&mut packet).unwrap();
    packet.resize(2 + usize::from(packet[1]), 0);
    stream.read_exact(&mut packet[2..]).unwrap();
    packet
}

const MOSQUITTO: &str = "/usr/sbin/mosquitto";
