//! A finger on the terminal, and the keys for it.

use std::time::Duration;

use tests::browser::{Browser, Look, Page};
use tests::{Forwarder, until, until_within};

use crate::serial::line;
use crate::{BASH, url};

fn top(page: &Page<'_>) -> u64 {
    let first = page.text().lines().next().and_then(|line| line.parse().ok());
    first.unwrap_or_default()
}

#[test]
fn a_finger_scrolls_what_has_gone_by_and_glides_on() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open_as(&url(&forwarder), Look::PHONE);
    page.wait_text("ready> ");
    page.type_text("seq 2000; echo do''ne\n");
    page.wait_text("done");
    until("the last lines are shown", || (top(&page) > 1900).then_some(()));
    // 200 pixels are some ten lines, and it doesn't stop at once: unless the machine was so slow that the finger seemed to
    // rest before it was lifted. Then it is drawn once more.
    until("a drag glides on", || {
        let before = top(&page);
        page.drag("#terminal", 200);
        until("the finger has moved it", || (top(&page) + 8 <= before).then_some(()));
        until_within(Duration::from_secs(2), || (top(&page) + 12 < before).then_some(()))
    });
    assert!(top(&page) > 0);
    assert_eq!(page.evaluate("scrollY"), 0);
    // A tap is still a tap.
    let _nothing = page.evaluate("document.activeElement.blur()");
    page.tap("#terminal");
    page.type_text("echo ta''pped\n");
    page.wait_text("tapped");
}

#[test]
fn a_finger_scrolls_in_programs() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open_as(&url(&forwarder), Look::PHONE);
    page.wait_text("ready> ");
    page.type_text("seq 2000 | less\n");
    page.wait_text("1\n2\n3\n");
    page.drag("#terminal", -200);
    until("less has moved", || (top(&page) > 5).then_some(()));
    page.type_text("q");
    page.wait_text("ready> ");
}

/// Nothing lies outside of the smallest phone's screen, and nothing has to be moved sideways to be seen.
#[test]
fn the_smallest_phone_shows_all_of_it() {
    let line = line();
    let forwarder = Forwarder::between("ws:0", &line.descriptor());
    let browser = Browser::start();
    let look = Look { width: 320, height: 568, ..Look::PHONE };
    let page = browser.open_as(&url(&forwarder), look);
    page.wait_visible("#serial-tools");
    let cut = "[...document.querySelectorAll('header, footer, #keybar, dialog[open], dialog[open] form')]
        .filter((it) => it.scrollWidth > it.clientWidth || it.getBoundingClientRect().right > innerWidth)
        .map((it) => it.id).join()";
    assert_eq!(page.evaluate(cut), "", "the page");
    for (open, name) in [("#open-line", "line"), ("#open-settings", "settings")] {
        page.click(open);
        page.wait_visible(&format!("#{name}[open]"));
        page.screenshot(&format!("smallest-{name}"));
        assert_eq!(page.evaluate(cut), "", "{name}");
        // It is the first field's, although the form scrolls.
        let first = format!("document.activeElement === document.querySelector('#{name} select')");
        assert_eq!(page.evaluate(&first), true, "{name}");
        page.press("Escape");
    }
}

#[test]
fn keys_that_a_phone_lacks_are_below_the_terminal() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open_as(&url(&forwarder), Look::PHONE);
    page.wait_text("ready> ");
    page.wait_visible("#keybar");
    let covers = "document.getElementById('terminal').getBoundingClientRect().bottom
        <= document.getElementById('keybar').getBoundingClientRect().top";
    assert_eq!(page.evaluate(covers), true);
    page.type_text("sleep 1000\n");
    page.tap("#key-ctrl");
    page.type_text("c");
    page.wait_text("^C\nready> ");
    page.type_text("cat -v\n");
    for key in ["#key-up", "#key-esc", "#key-tab"] {
        page.tap(key);
    }
    page.tap("#key-alt");
    page.type_text("x\n");
    page.wait_text("^[[A^[");
    page.wait_text("^[x");
    // It stays in the terminal.
    assert_eq!(page.evaluate("document.activeElement.ariaLabel"), "Terminal");
    page.close();
    let desk = browser.open(&url(&forwarder));
    desk.wait_text("ready> ");
    assert_eq!(desk.evaluate("document.getElementById('keybar').hidden"), true);
}
