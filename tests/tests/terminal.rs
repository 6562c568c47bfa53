//! The page's side of the wire, through the real command: telnet in between, half-close, the shell of
//! a user who types nothing but the command's name.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use tests::net::{self, Server};
use tests::ws::{Frame, Opcode, Request, WebSocket};
use tests::{DEADLINE, Forwarder, Peer, until};

const V1: &str = "endpointforward.v1";

/// A page that has connected.
struct Page {
    ws: WebSocket,
    /// Data to show that was not looked at.
    shown: Vec<u8>,
    /// Control messages that were not looked at.
    said: Vec<String>,
}

impl Page {
    fn connect(port: u16, path: &str) -> Self {
        let ws = WebSocket::connect(port, path, &[V1, "binary", "base64"]);
        Self::over(ws)
    }

    fn over(ws: WebSocket) -> Self {
        assert_eq!(ws.subprotocol(), Some(V1));
        Self { ws, shown: Vec::new(), said: Vec::new() }
    }

    /// The next frame; the Close, if it is that.
    fn step(&mut self) -> Option<Frame> {
        let frame = self.ws.receive().expect("no end without a Close");
        match frame.opcode {
            Opcode::Text => {
                let said = String::from_utf8(frame.payload).expect("text is UTF-8");
                // A program's title comes when it is known, and has a separate test.
                if !said.starts_with(r#"{"type":"title""#) {
                    self.said.push(said);
                }
            }
            Opcode::Close => return Some(frame),
            Opcode::Ping | Opcode::Pong => {}
            _ => self.shown.extend(frame.payload),
        }
        None
    }

    fn sees(&mut self, text: &str) {
        while !self.shown.windows(text.len()).any(|shown| shown == text.as_bytes()) {
            let shown = String::from_utf8_lossy(&self.shown).into_owned();
            assert!(
                self.step().is_none(),
                "closed before {text:?} came: {shown:?} {:?}",
                self.said
            );
        }
        self.shown.clear();
    }

    fn hears(&mut self, message: &str) {
        while self.said.first().is_none_or(|first| first != message) {
            assert!(self.said.is_empty(), "{:?} instead of {message}", self.said);
            assert!(self.step().is_none(), "closed before {message} came");
        }
        self.said.remove(0);
    }

    fn types(&mut self, text: &str) {
        self.ws.send(&Frame::new(Opcode::Binary, text.as_bytes()));
    }

    fn says(&mut self, message: &str) {
        self.ws.send(&Frame::new(Opcode::Text, message.as_bytes()));
    }

    /// Reads up to the Close, and answers it.
    fn is_closed(&mut self) -> (Option<u16>, String) {
        let close = loop {
            if let Some(close) = self.step() {
                break close;
            }
        };
        self.ws.send(&Frame::close(1000, ""));
        close.close_reason()
    }
}

fn hello(face: &str) -> String {
    format!(r#"{{"type":"hello","version":1,"face":"{face}","ack":true,"alive":true}}"#)
}

// === telnet ===

/// The bytes of a manhole of Twisted's: it turns its echo off for a password, and goes on only after an answer.
#[test]
fn a_telnet_server_is_a_terminal() {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0", &server.descriptor());
    let mut page = Page::connect(forwarder.port(0), "/?cols=100&rows=30");
    let far = server.accept();
    page.hears(&hello("telnet"));
    page.hears(r#"{"type":"echo","on":false}"#);
    let say = |bytes: &[u8]| (&far).write_all(bytes).expect("the forwarder takes it");
    say(b"Username: ");
    page.sees("Username: ");
    page.types("admin\r");
    assert_eq!(net::read_exactly(&far, 7), b"admin\r\n");
    say(b"\xff\xfb\x01Password: ");
    page.sees("Password: ");
    assert_eq!(net::read_exactly(&far, 3), b"\xff\xfd\x01", "WILL ECHO is answered with DO");
    page.hears(r#"{"type":"echo","on":true}"#);
    page.types("sécret\r");
    assert_eq!(net::read_exactly(&far, 9), "sécret\r\n".as_bytes());
    // WONT ECHO, cut in the middle.
    say(b"\xff");
    say(b"\xfc");
    say(b"\x01");
    assert_eq!(net::read_exactly(&far, 3), b"\xff\xfe\x01", "WONT ECHO is answered with DONT");
    page.hears(r#"{"type":"echo","on":false}"#);
    // DO NAWS: the size that the page came with, then the one that it has now.
    say(b"\xff\xfd\x1f");
    assert_eq!(net::read_exactly(&far, 12), b"\xff\xfb\x1f\xff\xfa\x1f\x00\x64\x00\x1e\xff\xf0");
    page.says(r#"{"type":"resize","cols":132,"rows":43}"#);
    assert_eq!(net::read_exactly(&far, 9), b"\xff\xfa\x1f\x00\x84\x00\x2b\xff\xf0");
    page.says(r#"{"type":"break"}"#);
    assert_eq!(net::read_exactly(&far, 2), b"\xff\xf3");
    say(b">>> \xff\xff 2\r\n");
    page.sees("2\r\n");
    // It hangs up, and there is nothing left to type at.
    drop(far);
    page.hears(r#"{"type":"eof"}"#);
    assert_eq!(page.is_closed().0, Some(1000));
    forwarder.wait_for_log("destination ended");
}

#[test]
fn who_speaks_plainly_gets_every_byte() {
    let every: Vec<u8> = (0..=255).collect();
    for (endpoint, names, binary) in [
        ("ws:0", &["binary"][..], true),
        ("ws:0", &[], true),
        ("ws:0:page=terminal", &[V1], true),
        ("ws:0:page=none", &[V1], true),
        ("ws:0", &[V1], false),
    ] {
        let server = Server::bind();
        let forwarder = Forwarder::between(endpoint, &server.descriptor());
        let mut ws = WebSocket::connect(forwarder.port(0), "/", names);
        let far = server.accept();
        ws.send(&Frame::new(Opcode::Binary, &every));
        if binary {
            assert_eq!(net::read_exactly(&far, 256), every, "{endpoint} {names:?}");
        } else {
            assert_ne!(net::read_exactly(&far, 256), every, "telnet says 255 twice");
        }
    }
}

// === two of us ===

/// A client that has ended gets the answer, which a plain WebSocket between the two would lose.
#[test]
fn two_of_us_keep_half_close() {
    let server = Server::bind();
    let inner = Forwarder::between("ws:0", &server.descriptor());
    let to = format!("ws://127.0.0.1:{}/", inner.port(0));
    let outer = Forwarder::between("0", &format!("{{{to}}}:subprotocol={V1}"));
    // More than the buffers in between, and every byte that telnet would change.
    let question: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let client = net::connect(outer.port(0));
    let far = server.accept();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (&client).write_all(&question).expect("the forwarder takes it");
            net::half_close(&client);
        });
        assert!(net::read_all(&far) == question);
    });
    assert!(net::is_silent(&client, Duration::from_millis(200)), "it lives on");
    (&far).write_all(b"the answer").expect("the forwarder takes it");
    drop(far);
    assert_eq!(net::read_all(&client), b"the answer");
    for forwarder in [&outer, &inner] {
        forwarder.wait_for_log("client left");
    }
}

#[test]
fn the_far_side_may_end_first() {
    let server = Server::bind();
    let inner = Forwarder::between("ws:0:page=none", &server.descriptor());
    let to = format!("ws://127.0.0.1:{}/", inner.port(0));
    let outer = Forwarder::between("0", &format!("{{{to}}}:subprotocol={V1}"));
    let client = net::connect(outer.port(0));
    let far = server.accept();
    (&far).write_all(b"first").expect("the forwarder takes it");
    net::half_close(&far);
    assert_eq!(net::read_all(&client), b"first");
    (&client).write_all(b"later").expect("the forwarder takes it");
    net::half_close(&client);
    assert_eq!(net::read_all(&far), b"later");
}

#[test]
fn an_exit_status_gets_through_two_of_us() {
    let inner = Forwarder::between("ws:0", "process:sh:-c:{read x; exit 7}");
    let to = format!("{{ws://127.0.0.1:{}/}}:subprotocol={V1}", inner.port(0));
    let outer = Forwarder::between("ws:0", &to);
    let mut page = Page::connect(outer.port(0), "/");
    page.hears(&hello("shell"));
    page.types("go\n");
    page.hears(r#"{"type":"exit","status":7}"#);
    page.hears(r#"{"type":"eof"}"#);
    assert_eq!(page.is_closed(), (Some(1000), "exit status 7".to_owned()));
}

// === a shell, and the demo ===

#[test]
fn a_shell_follows_the_window_and_says_how_it_ended() {
    let forwarder = Forwarder::between("ws:0", "pty:sh");
    let mut page = Page::connect(forwarder.port(0), "/?cols=100&rows=30");
    page.hears(&hello("shell"));
    page.types("stty size\r");
    page.sees("30 100");
    page.says(r#"{"type":"resize","cols":132,"rows":43}"#);
    page.types("while test \"$(stty size)\" != \"43 132\"; do :; done; echo re\"\"sized\r");
    page.sees("resized");
    page.types("exit 3\r");
    page.hears(r#"{"type":"exit","status":3}"#);
    page.hears(r#"{"type":"eof"}"#);
    assert_eq!(page.is_closed(), (Some(1000), "exit status 3".to_owned()));
    forwarder.wait_for_log("exit status 3");
    until("the shell is gone", || forwarder.children().is_empty().then_some(()));
}

/// The demo, the URL that it prints, and its port.
fn demo() -> (Forwarder, String, u16) {
    let forwarder = Forwarder::start_with_env(&[], &[("SHELL", "/bin/sh")]);
    let url = forwarder.stdout().wait(DEADLINE, |text| {
        let from = &text[text.find("http://127.0.0.1:")?..];
        Some(from[..from.find('\n')?].to_owned())
    });
    let url = url.unwrap_or_else(|| panic!("no URL:\n{}", forwarder.report()));
    let port =
        url["http://127.0.0.1:".len()..].split('/').next().and_then(|port| port.parse().ok());
    let port = port.expect("a port");
    (forwarder, url, port)
}

fn get(port: u16, path: &str, headers: &str) -> (u16, String) {
    ask("GET", port, path, headers)
}

fn post(port: u16, headers: &str) -> (u16, String) {
    ask("POST", port, "/", headers)
}

fn ask(method: &str, port: u16, path: &str, headers: &str) -> (u16, String) {
    let stream: TcpStream = net::connect(port);
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}Connection: close\r\n\r\n"
    );
    (&stream).write_all(request.as_bytes()).expect("it is taken");
    let answer = String::from_utf8_lossy(&net::read_all(&stream)).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), answer)
}

#[test]
fn the_command_alone_is_a_shell_for_who_has_the_link() {
    let (mut forwarder, url, port) = demo();
    let shown =
        forwarder.stdout().wait(DEADLINE, |text| text.contains("--help").then(|| text.to_owned()));
    let shown = shown.expect("where to read on");
    assert!(shown.contains("endpointforward -e ws:{tcp:"), "{shown}");
    assert!(shown.contains("auth=token") && shown.contains("-d pty:/bin/sh:-l"), "{shown}");
    let (_, token) = url.split_once("#token=").expect("a token in the fragment");
    // A second one finds the next port.
    let (_second, _, next) = demo();
    assert_ne!(next, port);

    let origin = format!("http://127.0.0.1:{port}");
    let host = format!("127.0.0.1:{port}");
    let ask = |bearer: &str, origin: &str| {
        post(port, &format!("Authorization: Bearer {bearer}\r\nOrigin: {origin}\r\n"))
    };
    assert_eq!(ask("guess", &origin).0, 401);
    assert_eq!(ask(token, "https://evil.example").0, 403);
    let (status, answer) = ask(token, &origin);
    assert_eq!(status, 200, "{answer}");
    assert!(!answer.contains("set-cookie"), "{answer}");
    let given = |answer: &str, name: &str| {
        let body = answer.rsplit("\r\n").next().unwrap_or_default();
        let given: serde_json::Value = serde_json::from_str(body).expect("JSON");
        given[name].as_str().expect(name).to_owned()
    };
    let (secret, ticket) = (given(&answer, "secret"), given(&answer, "ticket"));
    assert_eq!(ask(token, &origin).0, 401, "the link works once");
    let (status, page) = get(port, "/", "");
    assert!(
        status == 200 && page.contains("<!doctype html>") || page.contains("its page is missing")
    );

    let anonymous = |offer: &str| {
        Request::new("/").without("Host").header("Sec-WebSocket-Protocol", &format!("{V1}{offer}"))
    };
    let offer = format!(", endpointforward.ticket.{ticket}");
    let cookie = format!("endpointforward-{port}={secret}");
    for (request, why) in [
        (anonymous("").header("Host", &host).header("Origin", &origin), "no ticket"),
        (anonymous("").header("Host", &host).header("Cookie", &cookie), "a cookie"),
        (anonymous(&offer).header("Host", "evil.example"), "a name"),
        (anonymous(&format!("{offer}x")).header("Host", &host), "a wrong ticket"),
    ] {
        let refused = WebSocket::open(net::connect(port), &request);
        assert_eq!(refused.expect_err(why).status, 403, "{why}");
    }
    let mine = anonymous(&offer).header("Host", &host).header("Origin", &origin);
    let mut page = Page::over(WebSocket::open(net::connect(port), &mine).expect("it is let in"));
    page.hears(&hello("shell"));
    page.types("echo sh\"\"ell $((6 * 7))\r");
    page.sees("shell 42");
    page.types("exit\r");
    page.hears(r#"{"type":"exit","status":0}"#);
    page.hears(r#"{"type":"eof"}"#);
    assert_eq!(page.is_closed().0, Some(1000));

    // Neither the log nor the process list has a secret in it.
    let secrets = [token, &secret, &ticket];
    let arguments = std::fs::read(format!("/proc/{}/cmdline", forwarder.id())).expect("it runs");
    for secret in secrets {
        assert!(!forwarder.log().contains(secret), "{}", forwarder.log());
        assert!(!String::from_utf8_lossy(&arguments).contains(secret));
    }
    forwarder.signal(tests::Signal::TERM);
    assert!(forwarder.wait_exit().success());
}

/// A pty has 8 bits and no parity for good, and stands in for a device with a fixed format.
#[test]
fn a_setting_that_the_device_refuses_is_logged_once_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let end = |name| folder.path().join(name);
    let pty = |name| format!("PTY,raw,echo=0,link={}", end(name).display());
    let mut cable = Peer::start("socat", &[pty("ours"), pty("theirs")]);
    until("socat has made both ends", || {
        (!cable.runs() || end("ours").exists() && end("theirs").exists()).then_some(())
    });
    let forwarder = Forwarder::between("ws:0", &format!("serial:{}", end("ours").display()));
    let mut page = Page::connect(forwarder.port(0), "/");
    let is_kept =
        |said: &String| said.contains(r#""baud":19200"#) && said.contains(r#""parity":"N""#);
    for _ in 0..2 {
        page.said.clear();
        page.says(r#"{"type":"line","parity":"E","bits":7,"baud":19200}"#);
        while !page.said.iter().any(is_kept) {
            assert!(page.step().is_none(), "closed: {:?}", page.said);
        }
    }
    forwarder.wait_for_log("the device keeps parity=N, not E");
    forwarder.wait_for_log("the device keeps bytesize=8, not 7");
    assert_eq!(forwarder.log().matches("the device keeps").count(), 2, "{}", forwarder.log());
}
