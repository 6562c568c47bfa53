//! The page itself: the paths that serve it, the address that it connects to, and its message when that fails.

use std::io::Write;

use tests::browser::{Browser, Look};
use tests::net::{self, Refusing, Server};
use tests::{Forwarder, until};

use crate::why::axe;
use crate::{BASH, url};

#[test]
fn any_path_serves_the_page_and_its_session() {
    let forwarder = Forwarder::between("ws:0", "pty:cat");
    let browser = Browser::start();
    let page = browser.open(&format!("{}a/b/?x=1", url(&forwarder)));
    assert_eq!(page.status, 200);
    page.wait_state("connected");
    page.type_text("typed\n");
    page.wait_text("typed\ntyped");
}

#[test]
fn a_path_of_its_own_serves_it_and_no_other_does() {
    let forwarder = Forwarder::between("ws:0:path=/tools/shell", "pty:cat");
    let browser = Browser::start();
    browser.forgive("404");
    let page = browser.open(&format!("{}tools/shell", url(&forwarder)));
    page.wait_state("connected");
    assert_eq!(page.go(&url(&forwarder)), 404);
}

/// A line of text is a millimetre high on a phone.
#[test]
fn an_error_is_a_page_to_a_browser_and_a_line_to_a_program() {
    let forwarder = Forwarder::between("ws:0:path=/tools", "echo");
    let browser = Browser::start();
    browser.forgive("404");
    for look in [Look::PHONE, Look::PHONE.light()] {
        let page = browser.open_as(&url(&forwarder), look);
        assert_eq!(page.status, 404);
        assert!(page.text().contains("othing is served at this path"), "{}", page.text());
        assert_eq!(page.evaluate("innerWidth"), look.width);
        assert_eq!(axe(&page), "", "{look:?}");
    }
    let program = browser.open(&format!("{}tools", url(&forwarder)));
    let line = "fetch('/elsewhere').then((it) => it.text())";
    assert_eq!(program.evaluate(line), "nothing is served at this path\n");
}

#[test]
fn a_folder_and_what_is_missing_in_it_can_be_read_everywhere() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("a folder")).expect("it is new");
    std::fs::write(folder.path().join(format!("{}.bin", "x".repeat(120))), "x").expect("it is new");
    let listening = format!("ws:0:page={{{}}}:listing=true", folder.path().display());
    let forwarder = Forwarder::between(&listening, "echo");
    let browser = Browser::start();
    browser.forgive("404");
    let smallest = Look { width: 320, height: 568, ..Look::PHONE };
    for look in [Look::DESKTOP, Look::DESKTOP.light(), smallest, smallest.light()] {
        let page = browser.open_as(&url(&forwarder), look);
        for (path, shows) in [("", "a folder/"), ("missing", "Nothing is served")] {
            page.go(&format!("{}{path}", url(&forwarder)));
            assert!(page.text().contains(shows), "{}", page.text());
            assert_eq!(axe(&page), "", "{path}, {look:?}");
            assert_eq!(page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
        }
        page.close();
    }
}

#[test]
fn without_a_page_there_is_a_line_that_says_what_this_is() {
    let forwarder = Forwarder::between("ws:0:page=none", "echo");
    let browser = Browser::start();
    browser.forgive("426");
    let page = browser.open(&url(&forwarder));
    assert_eq!(page.status, 426);
    assert!(page.text().contains("WebSocket"), "{}", page.text());
}

#[test]
fn the_form_connects_a_page_from_elsewhere() {
    let server = Server::bind();
    let elsewhere = Forwarder::between("ws:0:origin=any", &server.descriptor());
    let own = Forwarder::between("ws:0", "echo");
    let browser = Browser::start();
    // A link fills the form in and connects nowhere.
    let page = browser.open(&format!("{}?connect=ws://example.com:1/path", url(&own)));
    page.wait_state("idle");
    page.wait_visible("#connect-form");
    page.fill("#connect-host", "127.0.0.1");
    page.fill("#connect-port", "99999");
    assert_eq!(page.evaluate("document.getElementById('connect-port').ariaInvalid"), "true");
    page.fill("#connect-port", &elsewhere.port(0).to_string());
    page.fill("#connect-path", "/some/where");
    page.select("#connect-subprotocol", "binary");
    page.click("#connect-go");
    page.wait_state("connected");
    let far = server.accept();
    (&far).write_all(b"welcome from elsewhere").expect("the forwarder takes it");
    page.wait_text("welcome from elsewhere");
    page.type_text("hi");
    assert_eq!(net::read_exactly(&far, 2), b"hi");
}

#[test]
fn a_page_from_elsewhere_is_not_let_in_by_default() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let own = Forwarder::between("ws:0", "echo");
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    let page = browser.open(&format!("{}?connect=127.0.0.1:{}", url(&own), forwarder.port(0)));
    page.wait_visible("#connect-form");
    page.click("#connect-go");
    page.wait_status("ould not connect");
    forwarder.wait_for_log("origin");
    assert_eq!(forwarder.children(), [] as [u32; 0]);
}

#[test]
fn a_destination_that_is_down_is_tried_again_until_it_is_up() {
    let refusing = Refusing::bind();
    let port = refusing.port();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{port}"));
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    let page = browser.open(&url(&forwarder));
    page.wait_state("waiting");
    page.wait_status("Cannot connect to the destination: connection refused");
    forwarder.wait_for_log("connection refused");
    drop(refusing);
    let there = format!("tcp:{port}:interface=127.0.0.1");
    let up = Forwarder::between(&there, "process:sh:-c:{echo here I am; exec cat}");
    page.wait_state("connected");
    page.wait_text("here I am");
    // And down again, in the middle of it.
    drop(up);
    page.wait_state("ended");
}

#[test]
fn a_server_that_stops_is_told_and_found_again() {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0", &server.descriptor());
    let port = forwarder.port(0);
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    let page = browser.open(&url(&forwarder));
    page.wait_state("connected");
    drop(forwarder);
    page.wait_status("onnection lost");
    page.wait_state("waiting");
    let _again =
        Forwarder::between(&format!("ws:{{tcp:{port}:interface=127.0.0.1}}"), &server.descriptor());
    page.wait_state("connected");
}

#[test]
fn a_plain_stream_is_echoed_by_the_page_and_can_be_half_closed() {
    let forwarder = Forwarder::between("ws:0:page=terminal", "process:sort");
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_state("connected");
    page.type_text("pears\napples\n");
    page.wait_text("pears\napples\n");
    // `sort` waits for the end of its input.
    page.click("#end-input");
    page.wait_text("pears\napples\napples\npears");
    page.wait_status("exit status 0");
}

#[test]
fn what_is_chosen_is_kept() {
    let forwarder = Forwarder::between("ws:0", "pty:cat");
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_state("connected");
    let columns = page.size().0;
    assert_eq!(page.evaluate("document.documentElement.dataset.theme"), "dark");
    page.click("#theme");
    page.click("#larger");
    until("fewer columns", || (page.size().0 < columns).then_some(()));
    assert_eq!(page.go(&url(&forwarder)), 200);
    page.wait_state("connected");
    assert_eq!(page.evaluate("document.documentElement.dataset.theme"), "light");
    assert!(page.size().0 < columns);
}

#[test]
fn the_search_finds_what_has_scrolled_away() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    page.type_text("echo nee''dle; seq 500; echo do''ne\n");
    page.wait_text("\n500\ndone");
    assert!(!page.text().contains("needle"));
    page.press("Control+Shift+F");
    page.type_text("needle");
    page.wait_text("needle\n1\n2");
    page.press("Escape");
    page.type_text("echo typed a''gain\n");
    page.wait_text("typed again");
}

#[test]
fn a_button_gives_the_focus_back_and_is_not_pressed_again() {
    let forwarder = Forwarder::between("ws:0", "pty:cat");
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_state("connected");
    for button in ["#theme", "#larger", "#smaller"] {
        page.click(button);
        assert_eq!(page.evaluate("document.activeElement.ariaLabel"), "Terminal", "{button}");
    }
    let theme = page.evaluate("document.documentElement.dataset.theme");
    let size = page.size();
    page.press("Space");
    page.press("Enter");
    // cat's answer to the empty line comes anywhere in the echo of what follows.
    page.type_text("typed\n");
    let shown = || page.text().split_whitespace().collect::<String>();
    until("what was typed came back", || (shown() == "typedtyped").then_some(()));
    assert_eq!(page.evaluate("document.documentElement.dataset.theme"), theme);
    assert_eq!(page.size(), size);
}

#[test]
fn the_search_opens_from_everywhere() {
    let forwarder = Forwarder::between("ws:0", "pty:cat");
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_state("connected");
    let focused = || page.evaluate("document.activeElement.id");
    for from in ["document.getElementById('theme').focus()", "document.activeElement.blur()"] {
        let _nothing = page.evaluate(from);
        page.press("Control+Shift+F");
        until("the search is open", || (focused() == "search-text").then_some(()));
        page.press("Escape");
    }
    page.click("#open-settings");
    page.press("Control+Shift+F");
    until("the search is open", || (focused() == "search-text").then_some(()));
    page.type_text("x");
    page.click("#search-up");
    assert_eq!(focused(), "search-text");
}

#[test]
fn leaving_is_asked_about_while_something_runs() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    let asks = || {
        page.evaluate(
            "(() => { const leaving = new Event('beforeunload', { cancelable: true });
                dispatchEvent(leaving); return leaving.defaultPrevented; })()",
        )
    };
    assert_eq!(asks(), false);
    page.type_text("sleep 1000\n");
    until("a job is known", || (asks() == true).then_some(()));
    page.press("Control+C");
    until("its end is known", || (asks() == false).then_some(()));
    page.type_text("seq 1000 | less\n");
    page.wait_text("1\n2\n3\n");
    assert_eq!(asks(), true);
    page.type_text("q");
    page.wait_text("ready> ");
    until("its end is known", || (asks() == false).then_some(()));
    page.type_text("exit\n");
    page.wait_state("ended");
    assert_eq!(asks(), false);
}

#[test]
fn the_title_says_what_and_where() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    let title = |text: &str| {
        until(text, || (page.evaluate("document.title") == text).then_some(()));
    };
    title("bash — 127.0.0.1");
    page.type_text("printf '\\e]2;of the program\\a'\n");
    title("of the program");
    page.type_text("printf '\\e]0;\\a'\n");
    title("bash — 127.0.0.1");
}

#[test]
fn the_form_begins_with_where_the_page_comes_from() {
    let forwarder = Forwarder::between("ws:0", "echo");
    let browser = Browser::start();
    let page = browser.open(&format!("{}a/?connect", url(&forwarder)));
    page.wait_visible("#connect-form");
    let expected = format!("ws://127.0.0.1:{}/a/", forwarder.port(0));
    assert_eq!(page.evaluate("document.getElementById('connect-url').textContent"), expected);
    page.click("#connect-go");
    page.wait_state("connected");
}
