//! Why there is no session: each reason in words, with nothing of them cut off.

use tests::browser::{Browser, Look, Page};
use tests::net::Refusing;
use tests::{Forwarder, until};

use crate::serial::line;
use crate::{BASH, url};

/// A window that words have little room in, a phone's, and a desk's.
const SIZES: [(u32, u32, &str); 3] =
    [(320, 568, "narrow"), (390, 844, "phone"), (1000, 640, "desk")];

/// The words are shown whole, and what can be done about it can be clicked.
fn is_whole(page: &Page<'_>, name: &str) {
    for (width, height, suffix) in SIZES {
        page.resize(width, height);
        page.screenshot(&format!("why-{name}-{suffix}"));
        let cut = "['status-text', 'status-countdown', 'reconnect', 'other'].filter((id) => {
            const it = document.getElementById(id);
            if (it.hidden || it.textContent === '') return false;
            const { left, right } = it.getBoundingClientRect();
            return it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 0 || left < 0 || right > innerWidth;
        }).join()";
        assert_eq!(page.evaluate(cut), "", "{name} at {width}");
        assert_eq!(page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
    }
}

fn told(forwarder: &Forwarder, name: &str, state: &str, words: &str) {
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    browser.forgive("Failed to load resource");
    for look in [Look::DESKTOP, Look::DESKTOP.light()] {
        let page = browser.open_as(&url(forwarder), look);
        page.wait_state(state);
        page.wait_status(words);
        assert_eq!(axe(&page), "", "{name}");
        is_whole(&page, &format!("{name}-{}", if look.dark { "dark" } else { "light" }));
        page.close();
    }
}

#[test]
fn a_dead_target() {
    let refusing = Refusing::bind();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", refusing.port()));
    told(&forwarder, "down", "waiting", "connection refused");
    forwarder.wait_for_log("connection refused");
}

#[test]
fn no_such_program() {
    let forwarder = Forwarder::between("ws:0", "pty:no-such-program-anywhere");
    told(&forwarder, "no-program", "ended", "there is no such program");
}

#[test]
fn no_such_device() {
    let forwarder = Forwarder::between("ws:0", "serial:/dev/no-such-device");
    told(&forwarder, "no-device", "waiting", "evice doesn't exist");
}

#[test]
fn a_busy_line() {
    let line = line();
    let forwarder = Forwarder::between("ws:0", &line.descriptor());
    let browser = Browser::start();
    let first = browser.open(&url(&forwarder));
    first.wait_state("connected");
    told(&forwarder, "busy", "waiting", "estination is in use");
}

#[test]
fn too_many_sessions() {
    let forwarder = Forwarder::start(&["-e", "ws:0", "-d", BASH, "--max-sessions", "1"]);
    let browser = Browser::start();
    let first = browser.open(&url(&forwarder));
    first.wait_state("connected");
    told(&forwarder, "too-many", "waiting", "here are too many sessions");
}

#[test]
fn too_many_in_a_short_time() {
    let forwarder = Forwarder::between("ws:0:rate=1/h", BASH);
    let browser = Browser::start();
    let first = browser.open(&url(&forwarder));
    first.wait_state("connected");
    told(&forwarder, "too-often", "waiting", "oo many sessions were requested from this network");
}

#[test]
fn no_link() {
    let forwarder = Forwarder::between("ws:0:auth=token", BASH);
    told(&forwarder, "no-link", "ended", "the link that endpointforward printed");
}

#[test]
fn a_page_of_another_origin() {
    // As a proxy does that changes the name and isn't named here.
    let forwarder = Forwarder::between("ws:0:origin={https://term.example}", BASH);
    told(&forwarder, "origin", "ended", "may not connect");
}

#[test]
fn a_server_that_is_gone() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    browser.forgive("Failed to load resource");
    let page = browser.open(&url(&forwarder));
    page.wait_state("connected");
    drop(forwarder);
    page.wait_status("server can't be reached");
    assert_eq!(axe(&page), "", "reconnecting");
    is_whole(&page, "gone");
}

/// WCAG's rules as axe-core has them.
pub(crate) fn axe(page: &Page<'_>) -> String {
    page.load("node_modules/axe-core/axe.min.js", "axe");
    let run = "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' ')}`).join('; '))";
    page.evaluate(run).as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_a_screen_reader_needs_is_there() {
    let line = line();
    let shell = Forwarder::between("ws:0", BASH);
    let serial = Forwarder::between("ws:0", &line.descriptor());
    let browser = Browser::start();
    for look in [Look::DESKTOP, Look::DESKTOP.light(), Look::PHONE, Look::PHONE.light()] {
        let page = browser.open_as(&url(&shell), look);
        page.wait_text("ready> ");
        assert_eq!(axe(&page), "", "a shell, {look:?}");
        page.click("#open-settings");
        assert_eq!(axe(&page), "", "the settings, {look:?}");
        page.press("Escape");
        // A dialog gives the focus back a moment after its end.
        let in_terminal = || {
            let label = || page.evaluate("document.activeElement.ariaLabel");
            until("the focus", || (label() == "Terminal").then_some(()));
        };
        in_terminal();
        page.press("Control+Shift+F");
        page.wait_visible("#search-text:focus");
        page.type_text("nothing has this");
        assert_eq!(axe(&page), "", "the search, {look:?}");
        page.press("Escape");
        in_terminal();
        page.type_text("echo wai''ts; cat\n");
        page.wait_text("\nwaits");
        let _nothing = page.evaluate(
            "(() => { const data = new DataTransfer(); data.setData('text/plain', 'one\\ntwo '.repeat(99));
                document.activeElement.dispatchEvent(
                    new ClipboardEvent('paste', { clipboardData: data, bubbles: true })); })()",
        );
        page.wait_visible("#ask");
        assert_eq!(axe(&page), "", "a question, {look:?}");
        page.press("Escape");
        page.press("Control+C");
        // What is typed with it is thrown away.
        page.wait_text("^C\nready>");
        page.type_text("exit 3\n");
        page.wait_state("ended");
        assert_eq!(axe(&page), "", "an end, {look:?}");
        page.go(&format!("{}?connect", url(&shell)));
        page.wait_visible("#connect-form");
        assert_eq!(axe(&page), "", "the form, {look:?}");
        page.close();
        let page = browser.open_as(&url(&serial), look);
        page.wait_visible("#serial-tools");
        assert_eq!(axe(&page), "", "a serial line, {look:?}");
        page.click("#open-line");
        assert_eq!(axe(&page), "", "its settings, {look:?}");
        page.close();
    }
}
