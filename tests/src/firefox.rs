//! Firefox, by `WebDriver BiDi`, which it offers over a WebSocket.
//!
//! It is for scripts in a page, where the other browser is Chromium; a person's acts are tested with that one.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::ws::{Request, WebSocket};
use crate::{DEADLINE, Process, binary, net};

/// A browser with a new profile, and one window.
#[derive(Debug)]
pub struct Firefox {
    session: RefCell<WebSocket>,
    next: Cell<u64>,
    window: String,
    // Before the folder: it has to be gone before its files are removed.
    _process: Process,
    _profile: TempDir,
}

impl Firefox {
    /// Starts it.
    ///
    /// # Panics
    /// When it isn't installed: `cargo xtask interop` does that.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(false, |_| ())
    }

    /// Starts it with a profile that was `prepared`; if it is `trusting`, it accepts every
    /// certificate, whatever its issuer.
    ///
    /// # Panics
    /// When it isn't installed: `cargo xtask interop` does that.
    #[must_use]
    pub fn start_with(trusting: bool, prepare: impl FnOnce(&Path)) -> Self {
        let profile = tempfile::tempdir().expect("a folder for a profile");
        prepare(profile.path());
        let program = binary::program("firefox-esr").or_else(|| binary::program("firefox"));
        let program = program.expect("Firefox is not installed: `cargo xtask interop` installs it");
        let mut command = Command::new(program);
        command.args(["--headless", "--no-remote", "--remote-debugging-port=0", "--profile"]);
        command.arg(profile.path()).env("HOME", profile.path());
        let process = Process::spawn("firefox", &mut command);
        let line = process.stderr().wait_for_line(DEADLINE, LISTENING);
        let port = line.as_ref().and_then(|line| line.rsplit(':').next()?.trim().parse().ok());
        let port: u16 = port.unwrap_or_else(|| panic!("no port\n{}", process.report()));
        let request = Request::new("/session").header("Host", &format!("127.0.0.1:{port}"));
        let session = WebSocket::open(net::connect(port), &request)
            .unwrap_or_else(|refused| panic!("no session: {refused:?}"));
        let mut firefox = Self {
            session: RefCell::new(session),
            next: Cell::new(0),
            window: String::new(),
            _process: process,
            _profile: profile,
        };
        let capabilities = json!({"alwaysMatch": {"acceptInsecureCerts": trusting}});
        firefox.ask("session.new", &json!({"capabilities": capabilities}));
        let tree = firefox.ask("browsingContext.getTree", &json!({}));
        let window = tree["contexts"][0]["context"].as_str();
        firefox.window = window.expect("it begins with a window").to_owned();
        firefox
    }

    /// Loads a page.
    ///
    /// # Panics
    /// When it can't be.
    pub fn open(&self, url: &str) {
        let params = json!({"context": self.window, "url": url, "wait": "complete"});
        self.ask("browsingContext.navigate", &params);
    }

    /// The string that `expression` is in the page; a promise is waited for.
    ///
    /// # Panics
    /// When it throws, or is something else.
    #[must_use]
    pub fn evaluate(&self, expression: &str) -> String {
        let params = json!({
            "expression": expression,
            "target": {"context": self.window},
            "awaitPromise": true,
        });
        let answer = self.ask("script.evaluate", &params);
        let value = answer["result"]["value"].as_str();
        value.unwrap_or_else(|| panic!("no string: {answer}")).to_owned()
    }

    /// Waits until an expression is true in the page.
    ///
    /// # Panics
    /// After the deadline.
    pub fn wait(&self, expression: &str) {
        let waits = format!("String(Boolean({expression}))");
        crate::until(expression, || (self.evaluate(&waits) == "true").then_some(()));
    }

    /// Types, key by key. `\n` is Enter.
    pub fn type_text(&self, text: &str) {
        let keys = text.chars().map(|c| if c == '\n' { '\u{e007}' } else { c }.to_string());
        let actions: Vec<_> = keys
            .flat_map(|key| ["keyDown", "keyUp"].map(|act| json!({"type": act, "value": key})))
            .collect();
        let actions = json!([{"type": "key", "id": "keyboard", "actions": actions}]);
        self.ask("input.performActions", &json!({"context": self.window, "actions": actions}));
    }

    fn ask(&self, method: &str, params: &Value) -> Value {
        let id = self.next.replace(self.next.get() + 1);
        let mut session = self.session.borrow_mut();
        session.send_text(&json!({"id": id, "method": method, "params": params}).to_string());
        loop {
            let mut answer: Value =
                serde_json::from_slice(&session.message()).expect("it speaks JSON");
            // Events come between the answers.
            if answer["id"] == id {
                assert_eq!(answer["type"], "success", "{method} {params}: {answer}");
                return answer["result"].take();
            }
        }
    }
}

/// Before its address, on standard error.
const LISTENING: &str = "WebDriver BiDi listening on ";
