//! The log as its readers get it: a person at a terminal, and a program that reads records.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;
use tests::net::{self, Refusing};
use tests::ws::{Request, WebSocket};
use tests::{Capture, DEADLINE, Forwarder, binary, run_program};

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
            let unfolded = normal(&unfolded(log), std::path::Path::new("/nowhere"));
            (unfolded.contains(words) && log.ends_with('\n')).then(lines)
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

/// A forwarder, what a client does to it, and words of the record that has to come of that.
struct Row<'a> {
    name: &'static str,
    endpoint: &'a str,
    destination: &'a str,
    act: Box<dyn Fn(u16) + 'a>,
    words: &'a str,
}

fn row<'a>(
    name: &'static str,
    endpoint: &'a str,
    destination: &'a str,
    act: impl Fn(u16) + 'a,
    words: &'a str,
) -> Row<'a> {
    Row { name, endpoint, destination, act: Box::new(act), words }
}

#[test]
fn records_fit_a_terminal_and_read_well() {
    let (one, two) = (Refusing::bind(), Refusing::bind());
    let down = format!("tcp:127.0.0.1:{}", one.port());
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    for (name, text) in [("users", "ada:{SHA}wrong\n"), ("routes", "desk: tcp:127.0.0.1:9\n")] {
        std::fs::write(folder.path().join(name), text).expect("it is written");
    }
    certificates(folder.path());
    let server = Forwarder::between("tls:0:cert=self-signed", "echo");
    let (retry, fallback, balance) = (
        format!("retry:{{{down}}}:backoff=1h"),
        format!("fallback:{{{down}}}:{{tcp:127.0.0.1:{}}}", two.port()),
        format!("balance:{{{down}}}:{{tcp:127.0.0.1:{}}}", two.port()),
    );
    let resolve = format!("tcp:{}.invalid:80", "bad-name-".repeat(6));
    let pinned = format!("tls:{{tcp:127.0.0.1:{}}}:pin=sha256/{}=", server.port(0), "A".repeat(43));
    let untrusted = format!("tls:{{tcp:127.0.0.1:{}}}", server.port(0));
    let users = format!("ws:0:auth={{htpasswd:{}}}", at("users"));
    let routes = format!("route:file={}", at("routes"));
    let verified =
        format!("tls:0:cert=self-signed:verify-client=required:ca={}", at("authority.pem"));
    let socks_users = format!("socks5:0:auth={{htpasswd:{}}}", at("users"));
    let open = |port| drop(net::connect(port));
    let say_bytes = |port, bytes: &[u8]| {
        let client = net::connect(port);
        (&client).write_all(bytes).expect("it takes it");
        let _ = net::readable(&client, DEADLINE);
    };
    let say = |port, text: &str| say_bytes(port, text.as_bytes());
    let stay = |port| {
        let client = net::connect(port);
        let _ = net::readable(&client, DEADLINE);
    };
    let basic = "Authorization: Basic YWRhOndyb25n\r\n";
    let certified = |port: u16| {
        let mut client = Command::new("openssl");
        client.args([
            "s_client",
            "-connect",
            &format!("127.0.0.1:{port}"),
            "-cert",
            &at("other.pem"),
        ]);
        client.args(["-key", &at("other.key")]);
        let _ = run_program(&mut client, b"");
    };
    let rows = [
        row(
            "origin",
            "ws:0",
            "echo",
            |port| ask(port, "Origin: https://evil.example.com\r\n"),
            "may not connect",
        ),
        row(
            "host",
            "ws:0",
            "echo",
            |port| ask(port, "Host: app.example.com\r\n"),
            "app.example.com",
        ),
        row(
            "subprotocol",
            "ws:0:subprotocol=mqtt",
            "echo",
            |port| ask(port, "Sec-WebSocket-Protocol: foo, bar\r\n"),
            "foo",
        ),
        row("no link", "ws:0:auth=token", "echo", |port| ask(port, ""), "with the link"),
        row("wrong password", &users, "echo", |port| ask(port, basic), "refused"),
        row("no route", "ws:0", &routes, |port| ask(port, ""), "route"),
        row("certificate of another authority", &verified, "echo", certified, "refused"),
        row(
            "no certificate",
            &verified,
            "echo",
            |port| {
                let mut client = Command::new("openssl");
                client.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]);
                let _ = run_program(&mut client, b"");
            },
            "refused",
        ),
        row("pin mismatch", "0", &pinned, stay, "cannot connect"),
        row("unknown authority", "0", &untrusted, stay, "cannot connect"),
        row(
            "bad PROXY header",
            "proxy:0:trusted=loopback",
            "echo",
            |port| say(port, HTTP),
            "refused",
        ),
        row(
            "socks without a password",
            &socks_users,
            "target:allow=*",
            |port| say_bytes(port, b"\x05\x01\0"),
            "refused",
        ),
        row(
            "socks to what is not allowed",
            "socks5:0",
            "target:allow=192.0.2.0/24",
            |port| {
                let client = net::connect(port);
                (&client).write_all(b"\x05\x01\0").expect("it takes it");
                assert_eq!(net::read_exactly(&client, 2), b"\x05\0");
                (&client).write_all(b"\x05\x01\0\x01\x7f\0\0\x01\0\x09").expect("it takes it");
                let _ = net::readable(&client, DEADLINE);
            },
            "allow",
        ),
        row("not socks", "socks5:0", "target:allow=*", |port| say(port, HTTP), "refused"),
        row(
            "dead, fallback",
            "0",
            &fallback,
            stay,
            "cannot connect tcp:127.0.0.1:PORT: connection refused id",
        ),
        row(
            "dead, balance",
            "0",
            &balance,
            stay,
            "cannot connect tcp:127.0.0.1:PORT: connection refused id",
        ),
        row("unknown name", "0", &resolve, stay, "not known"),
        row(
            "plain to TLS",
            "tls:0:cert=self-signed",
            "echo",
            |port| say(port, HTTP),
            "clients have to use",
        ),
        row("fingerprint", "tls:0:cert=self-signed", "echo", open, "pin=sha256/"),
        row(
            "broken off",
            "ws:0",
            "echo",
            |port| drop(WebSocket::connect(port, "/", &[])),
            "reason=truncated",
        ),
        row("retry", "0", &retry, |port| std::mem::forget(net::connect(port)), "trying again in"),
    ];
    let mut all = String::new();
    for columns in [80, 120] {
        for row in &rows {
            let forwarder =
                AtTerminal::start(columns, &["-e", row.endpoint, "-d", row.destination]);
            (row.act)(forwarder.port);
            let lines = forwarder.wait_for(row.words);
            fit(&lines, columns.into());
            let lines: String =
                lines.iter().map(|line| format!("{}\n", normal(line, folder.path()))).collect();
            all.push_str(&format!("=== {}, {columns} columns\n{lines}", row.name));
        }
    }
    insta::assert_snapshot!(all);
}

/// Makes an authority, and a certificate that it hasn't signed.
fn certificates(folder: &std::path::Path) {
    for name in ["authority", "other"] {
        let mut make = Command::new("openssl");
        make.args(["req", "-x509", "-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt"]);
        make.args(["ec_paramgen_curve:prime256v1", "-subj", "/CN=alice", "-keyout"]);
        make.args([format!("{name}.key"), "-out".to_owned(), format!("{name}.pem")]);
        let made = make.current_dir(folder).output().expect("openssl runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// A line without what differs from run to run: time, ports, fingerprints, links, the folder.
fn normal(line: &str, folder: &std::path::Path) -> String {
    let line = line.replace(&folder.display().to_string(), "FOLDER");
    let line = match line.as_bytes().get(..24) {
        Some(time) if time[4] == b'-' && time[23] == b'Z' => format!("TIME{}", &line[24..]),
        _ => line,
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_+/".contains(c);
    let mut shown = String::new();
    let mut rest = &*line;
    while let Some(at) = rest.find(is_word) {
        let length = rest[at..].find(|c| !is_word(c)).unwrap_or(rest.len() - at);
        let word = &rest[at..at + length];
        shown.push_str(&rest[..at]);
        shown.push_str(match word.len() {
            5 if word.bytes().all(|byte| byte.is_ascii_digit()) => "PORT",
            // Of a URL.
            6 if word.strip_suffix('/').is_some_and(|port| port.parse::<u16>().is_ok()) => "PORT/",
            64 if word.bytes().all(|byte| byte.is_ascii_hexdigit()) => "FINGERPRINT",
            // The tests' own pin is all of one letter.
            43 => "TOKEN",
            50 if word.starts_with("sha256/") && !word.ends_with("AAA") => "sha256/DIGEST",
            _ => word,
        });
        rest = &rest[at + length..];
    }
    shown + rest
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
