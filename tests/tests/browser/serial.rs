//! A serial line: two ptys that socat ties together. A pty keeps the settings that a line would have, and takes
//! no time to send.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use tests::browser::{Browser, Look};
use tests::{Forwarder, Peer, run_program, until};

use crate::url;

pub(crate) struct Line {
    folder: TempDir,
    cable: Peer,
}

pub(crate) fn line() -> Line {
    let folder = tempfile::tempdir().expect("a folder for names");
    let end = |name| format!("PTY,raw,echo=0,link={}", folder.path().join(name).display());
    let mut cable = Peer::start("socat", &[end("ours"), end("theirs")]);
    let there = |name| folder.path().join(name).exists();
    until("socat has made both ends", || {
        (!cable.runs() || there("ours") && there("theirs")).then_some(())
    });
    Line { folder, cable }
}

impl Line {
    /// Returns the path of the forwarded device.
    fn device(&self) -> PathBuf {
        self.folder.path().join("ours")
    }

    pub(crate) fn descriptor(&self) -> String {
        format!("serial:{}:baud=115200", self.device().display())
    }

    /// Opens the other end of the cable.
    pub(crate) fn far_end(&self) -> File {
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("a flag");
        OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(nonblocking)
            .open(self.folder.path().join("theirs"))
            .expect("socat made it")
    }

    fn settings(&self) -> String {
        run_program(Command::new("stty").arg("-aF").arg(self.device()), b"").text()
    }
}

/// Reads until `text` is what has come.
fn expect(mut from: &File, text: &str) {
    let mut got: Vec<u8> = Vec::new();
    until(&format!("{text:?} at the far end"), || {
        let mut chunk = [0; 256];
        if let Ok(count) = from.read(&mut chunk) {
            got.extend(&chunk[..count]);
        }
        (got == text.as_bytes()).then_some(())
    });
}

#[test]
fn a_serial_line_in_the_page() {
    let line = line();
    let forwarder = Forwarder::between("ws:0", &line.descriptor());
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_state("connected");
    let mut far = line.far_end();
    far.write_all(b"boot v1.0\r\n> ").expect("the cable takes it");
    page.wait_text("boot v1.0\n>");
    // Not echoed by the page: the device does that.
    page.type_text("help\n");
    expect(&far, "help\r");
    far.write_all(b"help\r\nno help here\r\n").expect("the cable takes it");
    let shown = page.wait_text("no help here");
    assert_eq!(shown.matches("> help").count(), 1, "{shown}");

    page.wait_visible("#serial-tools");
    page.select("#baud", "9600");
    until("the line has the speed", || line.settings().contains("speed 9600 baud").then_some(()));
    // A pty has no breaks; that mustn't end anything.
    page.click("#break");
    page.type_text("x");
    expect(&far, "x");
}

#[test]
fn the_speed_is_shown_from_the_start() {
    let line = line();
    let forwarder = Forwarder::between("ws:0", &line.descriptor());
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_visible("#serial-tools");
    until("the page knows", || {
        (page.evaluate("document.getElementById('baud').value") == "115200").then_some(())
    });
}

#[test]
fn a_line_that_is_taken_is_busy_until_it_is_given_back() {
    let line = line();
    let forwarder = Forwarder::between("ws:0", &line.descriptor());
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    let first = browser.open(&url(&forwarder));
    first.wait_state("connected");
    let second = browser.open(&url(&forwarder));
    second.wait_state("waiting");
    forwarder.wait_for_log("is in use");
    first.close();
    // It tries again by itself.
    second.wait_state("connected");
}

#[test]
fn a_line_that_vanishes_is_told() {
    let line = line();
    let forwarder = Forwarder::between("ws:0", &line.descriptor());
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    let page = browser.open(&url(&forwarder));
    page.wait_state("connected");
    drop(line.cable);
    until("the page knows", || {
        let state = page.evaluate("document.documentElement.dataset.state");
        (state != "connected").then_some(())
    });
}

#[test]
fn what_is_chosen_for_a_line_survives_a_reload() {
    let line = line();
    let far = line.far_end();
    let forwarder = Forwarder::between("ws:0", &line.descriptor());
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_visible("#serial-tools");
    page.select("#baud", "9600");
    page.click("#open-line");
    page.select("#stop", "2");
    page.select("[name=serialEnter]", "crlf");
    page.click("[name=serialTimestamps]");
    page.press("Escape");
    until("the line has it", || {
        let settings = line.settings();
        (settings.contains("speed 9600 baud") && settings.contains(" cstopb")).then_some(())
    });
    page.type_text("a\n");
    expect(&far, "a\r\n");
    (&far).write_all(b"one\ntwo\n").expect("the cable takes it");
    let shown = page.wait_text("two");
    let stamped: Vec<_> = shown.lines().filter(|line| line.get(2..3) == Some(":")).collect();
    assert!(stamped.len() == 2 && stamped[1].ends_with(" two"), "no staircase: {shown}");

    for _ in 0..10 {
        assert_eq!(page.go(&url(&forwarder)), 200);
        page.wait_state("connected");
    }
    until("the line has it again", || line.settings().contains("speed 9600 baud").then_some(()));
    page.type_text("b\n");
    expect(&far, "b\r\n");
    assert_eq!(page.evaluate("document.querySelector('[name=serialTimestamps]').checked"), true);
    // Ten reloads are ten sessions, and none was refused.
    assert_eq!(forwarder.log().matches("INFO  open ").count(), 11, "{}", forwarder.log());
    assert!(!forwarder.log().contains("in use"), "{}", forwarder.log());
}

#[test]
fn bytes_are_shown_in_hex_and_kept_for_a_log() {
    let line = line();
    let forwarder = Forwarder::between("ws:0", &line.descriptor());
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_visible("#serial-tools");
    page.click("#open-line");
    page.click("[name=serialHex]");
    page.press("Escape");
    let mut far = line.far_end();
    far.write_all(b"\x00\xffab\n").expect("the cable takes it");
    page.wait_text("00 ff 61 62 0a                                   ..ab.");
    let counts = page.evaluate("window.endpointforward.counts()");
    assert_eq!((&counts["received"], &counts["parsed"]), (&5.into(), &5.into()));
    // A pty has no modem lines.
    assert_eq!(page.evaluate("document.getElementById('modem').hidden"), true);
}

/// In the page: a server that speaks for a line with all modem lines, because no pty has them.
const FAKE: &str = r#"
  window.said = [];
  window.WebSocket = class {
    static OPEN = 1;
    readyState = 0;
    constructor(url, names) {
      [this.protocol] = names;
      window.fake = this;
      setTimeout(() => {
        this.readyState = 1;
        this.onopen();
        this.hear({ type: "hello", version: 1, face: "serial", ack: true });
        this.hear({ type: "line", baud: 115200, bits: 7, parity: "E", stop: 2, xonxoff: false, rtscts: true });
      });
    }
    hear(message) { this.onmessage({ data: JSON.stringify(message) }); }
    send(message) { if (typeof message === "string") window.said.push(message); }
    close() {}
  };
"#;

#[test]
fn modem_lines_are_lamps_and_switches() {
    let forwarder = Forwarder::between("ws:0", "echo");
    let browser = Browser::start();
    let looks = [
        ("dark", Look::DESKTOP),
        ("light", Look::DESKTOP.light()),
        ("phone-dark", Look::PHONE),
        ("phone-light", Look::PHONE.light()),
    ];
    for (suffix, look) in looks {
        let page = browser.open_as(&format!("{}?connect", url(&forwarder)), look);
        page.wait_visible("#connect-form");
        let _nothing = page.evaluate(FAKE);
        page.click("#connect-go");
        page.wait_visible("#serial-tools");
        let said = |text: &str| {
            until(text, || page.evaluate("said.join()").to_string().contains(text).then_some(()));
        };
        said(r#"{\"type\":\"query\",\"what\":\"modem\"}"#);
        said(r#"{\"type\":\"ack\",\"bytes\":0}"#);
        let _nothing = page.evaluate(
            "fake.hear({ type: 'modem', dtr: true, rts: true, cts: true, dsr: false, dcd: true, ri: false })",
        );
        page.wait_visible("#modem");
        let label = |id: &str| page.evaluate(&format!("document.getElementById('{id}').ariaLabel"));
        assert_eq!((label("cts"), label("dsr")), ("CTS on".into(), "DSR off".into()));
        let _nothing = page.evaluate("fake.hear({ type: 'modem', cts: false })");
        assert_eq!((label("cts"), label("dcd")), ("CTS off".into(), "DCD on".into()));
        page.click("#rts");
        said(r#"{\"type\":\"modem\",\"rts\":false}"#);
        // The button shows the state that the device reports.
        let pressed = "document.getElementById('rts').ariaPressed";
        assert_eq!(page.evaluate(pressed), "true");
        let _nothing = page.evaluate("fake.hear({ type: 'modem', rts: false })");
        assert_eq!(page.evaluate(pressed), "false");
        page.screenshot(&format!("modem-{suffix}"));
        assert_eq!(page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
        page.click("#open-line");
        let chosen = "['bits', 'parity', 'stop', 'flow'].map((id) => document.getElementById(id).value).join()";
        assert_eq!(page.evaluate(chosen), "7,E,2,rtscts");
        page.select("#parity", "O");
        said(r#"{\"type\":\"line\",\"parity\":\"O\"}"#);
        page.screenshot(&format!("line-{suffix}"));
        page.close();
    }
}
