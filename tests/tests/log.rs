//! The log as its readers get it: a person at a terminal, and a program that reads records.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;
use tests::net::{self, Refusing};
use tests::ws::{Request, WebSocket};
use tests::{Capture, DEADLINE, Forwarder, binary};

/// A forwarder whose standard error is a terminal.
struct AtTerminal {
    child: Child,
    log: Capture,
    port: u16,
}

impl AtTerminal {
    fn start(columns: u16, args: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("its other end");
        unlockpt(&master).expect("its other end");
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).expect("a size");
        let path = ptsname(&master, Vec::new()).expect("its name");
        let path = path.to_str().expect("a name in ASCII");
        let terminal = OpenOptions::new().write(true).open(path).expect("its other end");
        let child = Command::new(binary::endpointforward())
            .args(args)
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(terminal)
            .spawn()
            .expect("it starts");
        let mut started = Self { child, log: Capture::of(File::from(master)), port: 0 };
        if !args.contains(&"stdio") {
            let port = started.log.wait(DEADLINE, |log| {
                let (_, at) = log.split_once("tcp:127.0.0.1:")?;
                let end = at.find(|c: char| !c.is_ascii_digit())?;
                at[..end].parse().ok()
            });
            started.port = port.unwrap_or_else(|| panic!("no port:\n{}", started.log.text()));
        }
        started
    }

    /// Waits for words in a record, folded or not. Returns the lines so far.
    fn wait_for(&self, words: &str) -> Vec<String> {
        let unfolded = |log: &str| log.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines = self.log.wait(DEADLINE, |log| {
            let lines = || log.lines().map(|line| line.trim_end().to_owned()).collect();
            (unfolded(log).contains(words) && log.ends_with('\n')).then(lines)
        });
        lines.unwrap_or_else(|| panic!("no `{words}` in the log:\n{}", self.log.text()))
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Sends a request for a WebSocket.
fn ask(port: u16, more: &str) {
    let host = format!("127.0.0.1:{port}");
    let host = if more.contains("Host:") { String::new() } else { format!("Host: {host}\r\n") };
    let request = format!(
        "GET / HTTP/1.1\r\n{host}Upgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    );
    let client = net::connect(port);
    (&client).write_all(request.as_bytes()).expect("it takes the request");
    assert!(net::readable(&client, DEADLINE), "an answer comes");
}

/// Every line fits, unless it is one word. The link of `auth=token` is printed past the log.
fn fit(lines: &[String], columns: usize) {
    for line in lines.iter().filter(|line| !line.starts_with("open http")) {
        let is_word = !line.trim_start().contains(' ');
        assert!(line.chars().count() <= columns || is_word, "{}: {line}", line.chars().count());
    }
}

const HTTP: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn records_fit_a_terminal_and_lose_nothing() {
    let (one, two) = (Refusing::bind(), Refusing::bind());
    let down = format!("tcp:127.0.0.1:{}", one.port());
    let (retry, fallback, balance) = (
        format!("retry:{{{down}}}:backoff=1h"),
        format!("fallback:{{{down}}}:{{tcp:127.0.0.1:{}}}", two.port()),
        format!("balance:{{{down}}}:{{tcp:127.0.0.1:{}}}", two.port()),
    );
    let names = "bad-name-".repeat(6);
    let resolve = format!("tcp:{names}.invalid:80");
    let open = |port| drop(net::connect(port));
    let say = |port, text: &str| {
        let client = net::connect(port);
        (&client).write_all(text.as_bytes()).expect("it takes it");
        let _ = net::readable(&client, DEADLINE);
    };
    type Cause<'a> = &'a dyn Fn(u16);
    let stay = |port| {
        let client = net::connect(port);
        let _ = net::readable(&client, DEADLINE);
    };
    let rows: &[(&str, &str, Cause<'_>, &str)] = &[
        (
            "ws:0",
            "echo",
            &|port| ask(port, "Origin: https://evil.example.com\r\n"),
            "add it to the listener: `origin={same,https://evil.example.com}`",
        ),
        (
            "ws:0",
            "echo",
            &|port| ask(port, "Host: app.example.com\r\n"),
            "if the name is yours, add it to the listener: `host=app.example.com`",
        ),
        (
            "ws:0:subprotocol=mqtt",
            "echo",
            &|port| ask(port, "Sec-WebSocket-Protocol: foo, bar\r\n"),
            "to accept it, add it to the listener: `subprotocol={mqtt,mqttv3.1,foo}`",
        ),
        ("ws:0:auth=token", "echo", &|port| ask(port, ""), "refused: open this page with the link"),
        ("0", &fallback, &stay, "connection refused; trying the next"),
        ("0", &balance, &stay, "connection refused; trying the next"),
        ("0", &resolve, &stay, "Name or service not known"),
        ("tls:0:cert=self-signed", "echo", &|port| say(port, HTTP), "clients have to use"),
        ("tls:0:cert=self-signed", "echo", &open, "endpointforward accepts it with `pin=sha256/"),
        (
            "ws:0",
            "echo",
            &|port| drop(WebSocket::connect(port, "/", &[])),
            "0 bytes sent, 0 received, 0.0 s reason=truncated id=1",
        ),
    ];
    for columns in [80, 120] {
        for (endpoint, destination, cause, words) in rows {
            let forwarder = AtTerminal::start(columns, &["-e", endpoint, "-d", destination]);
            cause(forwarder.port);
            fit(&forwarder.wait_for(words), columns.into());
        }
        let forwarder = AtTerminal::start(columns, &["-e", "0", "-d", &retry]);
        let _waiting = net::connect(forwarder.port);
        fit(&forwarder.wait_for("connection refused; trying again in"), columns.into());
    }
}

#[test]
fn standard_input_has_no_address() {
    let mut forwarder = Forwarder::spawn(&["-e", "stdio", "-d", "echo"]);
    forwarder.close_stdin();
    assert!(forwarder.wait_exit().success());
    assert!(forwarder.stderr().wait_closed(DEADLINE));
    let log = forwarder.log();
    assert!(log.contains("open id=1 destination=echo") && !log.contains("peer="), "{log}");
}

#[test]
fn a_refusal_has_its_cause_and_its_endpoint_in_json() {
    let forwarder = Forwarder::start(&["-e", "ws:0", "-d", "echo", "--log-format", "json"]);
    let request = Request::new("/").header("Origin", "https://evil.example.com");
    assert_eq!(request.send(&net::connect(forwarder.port(0))).status, 403);
    let refused = forwarder.wait_for_log("may not connect");
    let refused: Value = serde_json::from_str(&refused).expect("a line of JSON");
    assert_eq!(refused["endpoint"], *forwarder.listening()[0], "{refused}");
    let cause = refused["cause"].as_str().expect("words");
    assert!(cause.starts_with("pages of the origin `https://evil.example.com`"), "{cause}");
    drop(WebSocket::connect(forwarder.port(0), "/", &[]));
    let ended = forwarder.wait_for_log("\"seconds\"");
    let ended: Value = serde_json::from_str(&ended).expect("a line of JSON");
    assert!(ended["sent"].is_u64() && ended["received"].is_u64(), "{ended}");
    assert!(ended["seconds"].is_f64() && ended["cut"].is_boolean(), "{ended}");
    assert_eq!((&ended["reason"], &ended["by"]), (&"truncated".into(), &"client".into()));
    let log = String::from_utf8(forwarder.stderr().bytes()).expect("UTF-8");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("every line is JSON");
        let fields = line.as_object().expect("an object");
        let texts = fields.values().filter_map(Value::as_str);
        assert!(texts.clone().all(|text| !text.contains('\u{1b}')), "{line}");
    }
}
