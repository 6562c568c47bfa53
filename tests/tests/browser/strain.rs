//! Strain on a page: too much, too fast or at the wrong moment.

use tests::Forwarder;
use tests::browser::{Browser, Page};

use crate::{BASH, url};

#[test]
fn a_tab_that_is_not_shown_keeps_up() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    // As browsers do with tabs that aren't shown; with frames, as the test looks at them.
    let _nothing = page.evaluate(
        "(() => { const real = setTimeout;
            Object.defineProperty(document, 'hidden', { get: () => true });
            window.setTimeout = (call, ms = 0, ...more) => real(call, Math.max(1000, ms), ...more); })()",
    );
    page.type_text("seq 500000; echo do''ne\n");
    page.wait_text("\n500000\ndone");
}

/// Ends with more on its way than is drawn by then, and with all that a program can leave changed.
#[test]
fn a_program_that_ends_in_its_own_screen_leaves_the_usual_one() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    page.type_text(concat!(
        r"clear; seq 60000; printf '\e]11;#ff0000\e\\\e[?1049h\e[?25l\e[44malt'; exit 3",
        "\n"
    ));
    page.wait_state("ended");
    let shown = page.wait_text("Press Enter");
    assert!(shown.contains("60000\n") && !shown.contains("alt"), "{shown}");
    let is_red = "[...document.querySelectorAll('#terminal, #terminal *')].some((it) =>
        getComputedStyle(it).backgroundColor === 'rgb(255, 0, 0)')";
    assert_eq!(page.evaluate(is_red), false);
    page.press("Enter");
    page.wait_text("[new session]\nready> ");
}

#[test]
fn a_large_message_is_shown_in_part_and_its_numbers_are_as_they_came() {
    let made = "import json,sys; print(json.dumps({'id': 12345678901234567890, 'rows': [[0] * 250] * 250}), flush=True); sys.stdin.read()";
    let forwarder =
        Forwarder::between("ws:0", &format!("process:python3:-c:{{{made}}}:framing=lines"));
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("↓ {\"id\"");
    page.click(".console .row.in .what");
    page.wait_visible(".console .payload details");
    assert_eq!(
        page.evaluate("document.querySelector('.console .payload .number').textContent"),
        "12345678901234567890"
    );
    let elements = page.evaluate("document.querySelectorAll('.console .payload *').length");
    assert!(elements.as_u64().is_some_and(|count| count < 6000), "{elements}");
}

#[test]
fn a_flood_of_messages_leaves_the_page_alive() {
    let forwarder = Forwarder::between("ws:0", "process:seq:120000:framing=lines");
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_visible(".console .entry textarea");
    // While they come.
    page.fill(".console .filter", "119999");
    page.wait_text("↓ 119999");
    page.wait_state("ended");
    let kept = page.evaluate("document.querySelector('.console .count').textContent");
    assert!(kept.as_str().unwrap_or_default().contains("of 100000 lines"), "{kept}");
}

#[test]
fn a_filter_that_is_being_typed_keeps_the_focus_when_a_session_begins() {
    const LINES: &str = "process:sh:-c:{echo one; read x}:framing=lines";
    let forwarder = Forwarder::between("ws:0", LINES);
    let port = forwarder.port(0);
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    browser.forgive("Failed to load resource");
    let page = browser.open(&url(&forwarder));
    page.wait_text("↓ one");
    let focus = || page.evaluate("document.activeElement.ariaLabel");
    page.click(".console .filter");
    page.type_text("on");
    drop(forwarder);
    page.wait_state("waiting");
    let _again = Forwarder::between(&format!("ws:{{tcp:{port}:interface=127.0.0.1}}"), LINES);
    page.wait_state("connected");
    page.wait_text("· new session\n↓ one");
    page.type_text("e");
    assert_eq!(focus(), "Filter");
}

/// A keydown and what it types, as a browser sends them for a German Mac's Option+L.
fn option_l(page: &Page<'_>) {
    let _nothing = page.evaluate(
        "(() => { const it = document.activeElement;
            const key = { key: '@', code: 'KeyL', altKey: true, bubbles: true, cancelable: true };
            const down = new KeyboardEvent('keydown', { ...key, keyCode: 76, which: 76 });
            if (!it.dispatchEvent(down)) return;
            it.dispatchEvent(new KeyboardEvent('keypress', { ...key, keyCode: 64, charCode: 64, which: 64 })); })()",
    );
}

#[test]
fn option_types_what_is_on_a_macs_keyboard_unless_it_is_meta() {
    let forwarder = Forwarder::between("ws:0", "pty:cat:-v");
    let browser = Browser::start();
    let page = browser.open_on(&url(&forwarder), "MacIntel");
    page.wait_state("connected");
    option_l(&page);
    page.wait_text("@");
    page.click("#open-settings");
    page.click("#option-is-meta input");
    page.press("Escape");
    page.type_text("\n");
    option_l(&page);
    page.wait_text("^[l");
    page.close();
    let page = browser.open(&url(&forwarder));
    assert_eq!(page.evaluate("document.getElementById('option-is-meta').hidden"), true);
}

#[test]
fn a_link_says_where_it_leads_and_a_clipboard_that_is_denied_is_told() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    page.type_text(concat!(
        r"clear; printf '\e]8;;https://bank.example@evil.example/\u202egpj\e\\%s\e]8;;\e\\\n' https://bank.example/",
        "\n"
    ));
    page.wait_text("\nready> ");
    page.point("#terminal .xterm-rows span:has-text('bank.example')");
    page.wait_visible("#ask");
    let asked = page.evaluate("document.getElementById('ask').innerText");
    let asked = asked.as_str().unwrap_or_default();
    assert!(asked.contains("Open a link to evil.example?"), "{asked}");
    assert!(asked.contains("evil.example/%E2%80%AEgpj"), "{asked}");
    page.press("Escape");
    let denied = "Object.defineProperty(navigator, 'clipboard', { value: {
            writeText: () => Promise.reject(), readText: () => Promise.reject() } });
        document.execCommand = () => false";
    let _nothing = page.evaluate(denied);
    page.type_text(concat!(r"printf '\e]52;c;%s\a' $(echo text | base64)", "\n"));
    page.wait_visible("#ask");
    page.click("#ask-yes");
    page.wait_status("doesn't allow this page to copy");
}

/// Bells and titles of a flood, that a user doesn't see one by one.
#[test]
fn ten_thousand_bells_change_the_page_once() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    for motion in ["no-preference", "reduce"] {
        let page = browser.open(&url(&forwarder));
        page.emulate("reducedMotion", motion);
        page.wait_text("ready> ");
        let _nothing = page.evaluate(
            "(() => { const add = EventTarget.prototype.addEventListener;
                window.added = 0;
                window.changed = 0;
                EventTarget.prototype.addEventListener = function (name, ...more) {
                    if (name === 'animationend') added += 1;
                    add.call(this, name, ...more);
                };
                new MutationObserver((all) => (changed += all.length)).observe(
                    document.getElementById('title'), { childList: true, attributes: true }); })()",
        );
        page.type_text(concat!(
            r"printf '\e]2;mine\a'; for n in {1..10000}; do printf '\a\e]2;mine\a'; done; echo do''ne",
            "\n"
        ));
        page.wait_text("\ndone");
        assert_eq!(page.evaluate("added"), 0, "{motion}");
        let changed = page.evaluate("changed");
        assert!(changed.as_u64().is_some_and(|count| count <= 4), "{motion}: {changed}");
        assert_eq!(page.evaluate("document.title"), "mine");
        page.close();
    }
}
