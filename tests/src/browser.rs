//! Chromium and the pages in it, through `tests/browser/drive.mjs`.
//!
//! A test does what a person would do and waits for what a person would see. Errors that the page writes to the
//! console fail the test at its end, violations of its Content-Security-Policy included, unless the test has called
//! [`Browser::forgive`] because it provokes them.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{DEADLINE, Process, binary, root};

/// A browser with a new profile, in a temporary folder.
#[derive(Debug)]
pub struct Browser {
    // Before the folder: it has to be gone before its files are removed.
    process: RefCell<Process>,
    next: Cell<u64>,
    forgiven: RefCell<Vec<String>>,
    _profile: TempDir,
}

/// The appearance settings of a window.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Set if the system prefers dark.
    pub dark: bool,
    /// Touch, two pixels a CSS pixel.
    pub phone: bool,
}

impl Look {
    /// A laptop's window.
    pub const DESKTOP: Self = Self { width: 1024, height: 640, dark: true, phone: false };
    /// A phone held upright.
    pub const PHONE: Self = Self { width: 390, height: 780, dark: true, phone: true };

    /// The same by day.
    #[must_use]
    pub const fn light(self) -> Self {
        Self { dark: false, ..self }
    }
}

impl Browser {
    /// Starts it.
    ///
    /// # Panics
    /// When `cargo xtask setup` has not been run.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[], |_| ())
    }

    /// Starts it with further options on its command line, in a home that was `prepared`.
    ///
    /// # Panics
    /// When `cargo xtask setup` has not been run.
    #[must_use]
    pub fn start_with(options: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        let profile = tempfile::tempdir().expect("a folder for a profile");
        let find = |name| {
            binary::program(name)
                .unwrap_or_else(|| panic!("`{name}` is not installed: run `cargo xtask setup`"))
        };
        let mut node = Command::new(find("node"));
        // A second less than we wait for the answer, so that the driver's error names the condition that it waited for.
        let limit = (DEADLINE - Duration::from_secs(1)).as_millis();
        node.arg(root().join("tests/browser/drive.mjs")).arg(find("chromium"));
        prepare(profile.path());
        node.arg(limit.to_string())
            .args(options)
            .env("TMPDIR", profile.path())
            .env("HOME", profile.path());
        let process = RefCell::new(Process::spawn("chromium", &mut node));
        let browser =
            Self { process, next: Cell::new(1), forgiven: RefCell::default(), _profile: profile };
        browser.answer(0, "start");
        browser
    }

    /// Opens a page in a new window, with no cookies.
    ///
    /// # Panics
    /// When it can't be loaded.
    pub fn open(&self, url: &str) -> Page<'_> {
        self.open_as(url, Look::DESKTOP)
    }

    /// As [`Browser::open`], with the settings of `look`.
    ///
    /// # Panics
    /// When it can't be loaded.
    pub fn open_as(&self, url: &str, look: Look) -> Page<'_> {
        let Look { width, height, dark, phone } = look;
        let opened = self.ask(
            "open",
            json!({"url": url, "width": width, "height": height, "dark": dark, "phone": phone}),
        );
        Page::new(self, &opened)
    }

    /// Opens a page with scripts switched off.
    ///
    /// # Panics
    /// When it can't be loaded.
    pub fn open_without_scripts(&self, url: &str) -> Page<'_> {
        Page::new(self, &self.ask("open", json!({"url": url, "scripts": false, "trusting": true})))
    }

    /// Opens a page and accepts its certificate, whatever its issuer.
    ///
    /// # Panics
    /// When it can't be loaded.
    pub fn open_trusting(&self, url: &str) -> Page<'_> {
        Page::new(self, &self.ask("open", json!({"url": url, "trusting": true})))
    }

    /// As [`Browser::open`], on a machine that scripts are told is another one, such as `MacIntel`.
    ///
    /// # Panics
    /// When it can't be loaded.
    pub fn open_on(&self, url: &str, platform: &str) -> Page<'_> {
        Page::new(self, &self.ask("open", json!({"url": url, "platform": platform})))
    }

    /// Complaints that contain `text` fail no test.
    pub fn forgive(&self, text: &str) {
        self.forgiven.borrow_mut().push(text.to_owned());
    }

    fn ask(&self, verb: &str, mut request: Value) -> Value {
        let id = self.next.replace(self.next.get() + 1);
        request["id"] = json!(id);
        request["verb"] = json!(verb);
        self.process.borrow_mut().send(format!("{request}\n").as_bytes());
        self.answer(id, &request.to_string())
    }

    fn answer(&self, id: u64, what: &str) -> Value {
        let process = self.process.borrow();
        let start = format!("{{\"id\":{id},");
        let line = process.stdout().wait(DEADLINE, |all| {
            crate::capture::whole_lines(all).find(|l| l.starts_with(&start)).map(str::to_owned)
        });
        let line = line.unwrap_or_else(|| panic!("no answer to {what}\n{}", process.report()));
        let mut answer: Value = serde_json::from_str(&line).expect("the driver writes JSON");
        assert!(answer["error"].is_null(), "{what}: {}", answer["error"].as_str().unwrap_or("?"));
        answer["ok"].take()
    }

    fn complaints(&self) -> Vec<String> {
        let all = self.ask("complaints", json!({}));
        let all = all.as_array().map(Vec::as_slice).unwrap_or_default();
        let all = all.iter().filter_map(Value::as_str).map(str::to_owned);
        let forgiven = self.forgiven.borrow();
        all.filter(|text| !forgiven.iter().any(|known| text.contains(known))).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let complaints = if thread::panicking() { Vec::new() } else { self.complaints() };
        let mut process = self.process.borrow_mut();
        process.close_stdin();
        // Processes that it leaves are killed with it, after this.
        let _in_time = process.wait_exit_within(Duration::from_secs(5));
        drop(process);
        assert!(complaints.is_empty(), "the page complained: {complaints:#?}");
    }
}

/// A page that is open.
#[derive(Debug)]
pub struct Page<'a> {
    browser: &'a Browser,
    number: u64,
    /// HTTP's, when it was opened.
    pub status: u16,
}

impl<'a> Page<'a> {
    fn new(browser: &'a Browser, opened: &Value) -> Self {
        let number = opened["page"].as_u64().expect("a page has a number");
        let status = opened["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        Self { browser, number, status: status.unwrap_or_default() }
    }

    /// Another one in the same window: it has the same cookies.
    #[must_use]
    pub fn beside(&self, url: &str) -> Self {
        Self::new(self.browser, &self.ask("beside", json!({"url": url})))
    }

    /// Follows a link, or loads it again. The answer's status.
    #[expect(clippy::must_use_candidate, reason = "most tests look at the page instead")]
    pub fn go(&self, url: &str) -> u64 {
        self.ask("goto", json!({"url": url})).as_u64().unwrap_or_default()
    }

    /// Waits for a state of the session: `connected`, `ended`, …
    ///
    /// # Panics
    /// After the deadline.
    pub fn wait_state(&self, state: &str) {
        self.seen("state", json!({"states": [state]}));
    }

    /// Waits until the page's status of the session contains `text`; returns the status.
    ///
    /// # Panics
    /// After the deadline.
    pub fn wait_status(&self, text: &str) -> String {
        self.seen("status", json!({"text": text}))
    }

    /// Waits until the terminal shows `text`; the whole screen.
    ///
    /// # Panics
    /// After the deadline, with what it shows instead.
    pub fn wait_text(&self, text: &str) -> String {
        self.seen("screen", json!({"text": text}))
    }

    /// Waits until the terminal doesn't show `text` any more.
    ///
    /// # Panics
    /// After the deadline, with what it shows.
    pub fn wait_gone(&self, text: &str) -> String {
        self.seen("screen", json!({"text": text, "gone": true}))
    }

    /// Returns the text of the terminal, or of a page that has none.
    #[must_use]
    pub fn text(&self) -> String {
        self.ask("text", json!({})).as_str().unwrap_or_default().to_owned()
    }

    /// Types, key by key, once a field or the terminal has the focus. `\n` is Enter.
    pub fn type_text(&self, text: &str) {
        self.ask("type", json!({"text": text}));
    }

    /// Presses a key, such as `Control+C`.
    pub fn press(&self, key: &str) {
        self.ask("press", json!({"key": key}));
    }

    /// Clicks on what the selector names, once it can be clicked.
    pub fn click(&self, selector: &str) {
        self.ask("click", json!({"selector": selector}));
    }

    /// Moves the mouse to the middle of what the selector names and clicks, whatever lies above it.
    pub fn point(&self, selector: &str) {
        self.ask("point", json!({"selector": selector}));
    }

    /// Taps on what the selector names, with a finger.
    pub fn tap(&self, selector: &str) {
        self.ask("tap", json!({"selector": selector}));
    }

    /// Draws a finger over what the selector names, by so many pixels downwards.
    pub fn drag(&self, selector: &str, by: i32) {
        self.ask("drag", json!({"selector": selector, "by": by}));
    }

    /// Replaces a field's text.
    pub fn fill(&self, selector: &str, text: &str) {
        self.ask("fill", json!({"selector": selector, "text": text}));
    }

    /// Chooses from a list.
    pub fn select(&self, selector: &str, value: &str) {
        self.ask("select", json!({"selector": selector, "value": value}));
    }

    /// Waits until it can be seen.
    pub fn wait_visible(&self, selector: &str) {
        self.ask("visible", json!({"selector": selector}));
    }

    /// Makes the window another size, in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        self.ask("resize", json!({"width": width, "height": height}));
    }

    /// Has the system tell the page that its user wants something, as Playwright names it: `forcedColors`, `reducedMotion`.
    pub fn emulate(&self, what: &str, value: &str) {
        self.ask("emulate", json!({"media": {what: value}}));
    }

    /// The value of an expression in the page; a promise is waited for.
    #[must_use]
    pub fn evaluate(&self, script: &str) -> Value {
        self.ask("evaluate", json!({"script": script}))
    }

    /// Runs a file of `tests/browser` in the page, and keeps the variable `name` of it.
    pub fn load(&self, file: &str, name: &str) {
        let file = root().join("tests/browser").join(file);
        self.ask("load", json!({"file": file.display().to_string(), "name": name}));
    }

    /// Columns and rows of the terminal.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        let size = self.evaluate("window.endpointforward.size()");
        (size["cols"].as_u64().unwrap_or_default(), size["rows"].as_u64().unwrap_or_default())
    }

    /// The cookies that it has, as the browser keeps them.
    #[must_use]
    pub fn cookies(&self) -> Vec<Value> {
        self.ask("cookies", json!({})).as_array().cloned().unwrap_or_default()
    }

    /// From now on, this address is `html` to pages that have the same cookies, and no server is asked for it.
    pub fn fulfil(&self, url: &str, html: &str) {
        self.ask("fulfil", json!({"url": url, "html": html}));
    }

    /// The text in each frame of it, whatever its origin.
    #[must_use]
    pub fn frames(&self) -> Vec<String> {
        let texts = self.ask("frames", json!({}));
        let texts = texts.as_array().map(Vec::as_slice).unwrap_or_default();
        texts.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// A picture of it, `target/screenshots/NAME.png`.
    pub fn screenshot(&self, name: &str) {
        self.ask("screenshot", json!({"file": picture(name).display().to_string()}));
    }

    /// Closes it, as its user would.
    pub fn close(self) {
        self.ask("close", json!({}));
    }

    fn ask(&self, verb: &str, mut request: Value) -> Value {
        request["page"] = json!(self.number);
        self.browser.ask(verb, request)
    }

    /// Waits for a sight of the page. On failure the message shows the page as it is instead.
    fn seen(&self, verb: &str, request: Value) -> String {
        let what = request.to_string();
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.ask(verb, request).as_str().unwrap_or_default().to_owned()
        }));
        asked.unwrap_or_else(|_| {
            let test = thread::current().name().unwrap_or("test").replace("::", "-");
            self.screenshot(&format!("failed-{test}"));
            let status = self.evaluate("document.getElementById('status')?.innerText ?? ''");
            panic!("no {verb} {what}; {status}, on the screen:\n{}", self.text())
        })
    }
}

fn picture(name: &str) -> PathBuf {
    let folder = root().join("target/screenshots");
    std::fs::create_dir_all(&folder).expect("target/ can be written to");
    folder.join(format!("{name}.png"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Server;
    use std::io::Write as _;

    /// One page, again and again.
    fn serving(page: &'static str) -> u16 {
        let server = Server::bind();
        let port = server.port();
        thread::spawn(move || {
            while let Some(stream) = server.accept_within(DEADLINE) {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
                     Content-Security-Policy: img-src data:\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                );
                let _left = (&stream).write_all(head.as_bytes());
            }
        });
        port
    }

    #[test]
    fn pages_are_seen_and_leave_no_process() {
        let port = serving("<link rel=icon href='data:,'><body>hello");
        let browser = Browser::start();
        let page = browser.open(&format!("http://127.0.0.1:{port}/"));
        assert_eq!((page.status, page.text().as_str()), (200, "hello"));
        assert_eq!(page.evaluate("Promise.resolve(innerWidth)"), 1024);
        page.resize(500, 300);
        assert_eq!(page.evaluate("[innerWidth, innerHeight]"), json!([500, 300]));
        let processes = crate::procfs::descendants(browser.process.borrow().id());
        assert!(processes.len() > 2, "{processes:?}");
        drop(browser);
        for id in processes {
            crate::until("it is gone", || (!crate::procfs::runs(id)).then_some(()));
        }
    }

    #[test]
    #[should_panic(expected = "violates img-src")]
    fn a_violation_of_the_policy_fails_the_test() {
        let port = serving("<link rel=icon href='data:,'><img src=/picture>");
        let browser = Browser::start();
        let page = browser.open(&format!("http://127.0.0.1:{port}/"));
        assert_eq!(page.status, 200);
    }
}
