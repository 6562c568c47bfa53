//! A finger on the terminal, and the keys for it.

use std::time::Duration;

use tests::browser::{Browser, Look, Page};
use tests::net::Refusing;
use tests::{Forwarder, until, until_within};

use crate::mqtt::{self, broker::Broker};
use crate::serial::line;
use crate::signin::users;
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

/// Names what a finger can't hit: targets below 44 pixels (WCAG 2.2, 2.5.5), and those outside of a form's or the
/// window's width. The text of a checkbox belongs to it.
fn too_small(page: &Page<'_>) -> String {
    let found = "[...document.querySelectorAll('button, select, textarea, input, summary, [role=option]')]
        .filter((it) => !it.matches('.xterm-helper-textarea') && it.checkVisibility({ checkVisibilityCSS: true }))
        .map((it) => [it, (it.type === 'checkbox' ? it.closest('label') : it).getBoundingClientRect()])
        .filter(([, { width, height, left, right }]) =>
            width > 0 && (width < 44 || height < 44 || left < 0 || right > innerWidth + 0.5))
        .map(([it, { width, height }]) => `${it.id || it.className || it.name || it.textContent} ${width} ${height}`)
        .join()";
    page.evaluate(found).as_str().unwrap_or("?").to_owned()
}

#[test]
fn a_finger_can_hit_every_target() {
    let line = line();
    let broker = Broker::start("allow_anonymous true");
    let refusing = Refusing::bind();
    let shell = Forwarder::between("ws:0", BASH);
    let serial = Forwarder::between("ws:0", &line.descriptor());
    let mqtt = mqtt::forwarder(&broker);
    let down = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", refusing.port()));
    let (_folder, file) = users();
    let user = Forwarder::between(&format!("ws:0:auth={{{{htpasswd:{}}}}}", file.display()), BASH);
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    browser.forgive("Failed to load resource");
    for (width, height) in [(390, 844), (320, 568)] {
        let open = |forwarder: &Forwarder| {
            browser.open_as(&url(forwarder), Look { width, height, ..Look::PHONE })
        };
        let page = open(&shell);
        page.wait_text("ready> ");
        assert_eq!(too_small(&page), "", "a shell at {width}");
        page.click("#open-search");
        page.wait_visible("#search-text");
        assert_eq!(too_small(&page), "", "the search at {width}");
        page.press("Escape");
        page.click("#open-settings");
        page.wait_visible("#settings[open]");
        assert_eq!(too_small(&page), "", "the settings at {width}");
        page.close();
        let page = open(&serial);
        page.wait_visible("#serial-tools");
        assert_eq!(too_small(&page), "", "a serial line at {width}");
        page.close();
        let page = open(&down);
        page.wait_state("waiting");
        assert_eq!(too_small(&page), "", "waiting at {width}");
        page.close();
        let page = open(&user);
        page.wait_visible("#sign-in-form");
        assert_eq!(too_small(&page), "", "the form to sign in at {width}");
        page.close();
        let page = open(&mqtt);
        page.wait_visible(".mqtt .card .primary");
        assert_eq!(too_small(&page), "", "the form of a broker at {width}");
        page.tap(".mqtt .card .primary");
        page.wait_visible(".mqtt .subscribed button");
        for topic in ["a/b/c", "a/b/d", "a/e", "f"] {
            mqtt::publish(&page, topic, "{\"x\":{\"y\":1}}");
            page.wait_text(&format!("{topic} {{"));
        }
        page.tap(".mqtt .row[title='f']");
        page.wait_visible(".mqtt .payload details");
        assert_eq!(too_small(&page), "", "topics at {width}");
        // Its details took room from the list.
        let in_sight =
            "(() => { const row = document.querySelector('.mqtt .row[aria-selected=true]');
            const [it, list] = [row, row.parentElement].map((at) => at.getBoundingClientRect());
            return it.top >= list.top - 1 && it.bottom <= list.bottom + 1; })()";
        until("it is in sight", || (page.evaluate(in_sight) == true).then_some(()));
        page.close();
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
