//! The console: the page in front of messages.

use std::net::UdpSocket;
use std::time::Duration;

use tests::browser::{Browser, Look, Page};
use tests::{Forwarder, until, until_within};

use crate::url;
use crate::why::axe;

/// A program of lines, as websocketd starts them.
pub(crate) const CHAT: &str = "process:sh:-c:{echo '{\"name\":\"gauge\",\"values\":[1,2,{\"deep\":null}]}'; echo a warning >&2; \
                    while read -r line; do echo \"got $line\"; done; exit 3}:framing=lines:stderr=signal";

const STATE: &str = "document.documentElement.dataset.state";
const ROWS: &str = "document.querySelectorAll('.console .row').length";

fn detail(page: &Page<'_>) -> String {
    let text = page.evaluate("document.querySelector('.console .payload').innerText");
    text.as_str().unwrap_or_default().to_owned()
}

/// Waits until typed text goes into the line to send: the console is a separate script that takes the focus once it is
/// there.
fn wait_for_entry(page: &Page<'_>) {
    page.wait_visible(".console .entry");
    page.wait_state("connected");
    let has_focus = "document.activeElement?.closest('.console .entry') != null";
    until("the line to send has the focus", || (page.evaluate(has_focus) == true).then_some(()));
}

#[test]
fn a_program_of_lines_is_a_session_of_messages() {
    let forwarder = Forwarder::between("ws:0", CHAT);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("↓ {\"name\":\"gauge\"");
    page.wait_text("! a warning");
    page.type_text("hello\n");
    page.wait_text("↑ hello\n↓ got hello");
    // The line that was typed before.
    page.press("ArrowUp");
    page.type_text(" again\n");
    page.wait_text("↓ got hello again");

    // JSON folds.
    page.click(".console .row.in .what:has-text('gauge')");
    page.wait_visible(".console .payload details");
    assert!(detail(&page).contains("name: \"gauge\""), "{}", detail(&page));
    page.select(".console .detail select", "hex");
    assert!(detail(&page).contains("00000000  7b 22 6e 61 6d 65"), "{}", detail(&page));
    page.click(".console .detail button:has-text('Close')");

    // A filter takes what there is and what comes.
    page.fill(".console .filter", "AGAIN");
    until("it is filtered", || (page.text() == "↑ hello again\n↓ got hello again").then_some(()));
    page.fill(".console .filter", "");
    page.click("#end-input");
    page.wait_status("exit status 3");
    page.wait_text("· exit status 3");
    page.wait_state("ended");
    assert_eq!(page.text().matches("exit status").count(), 1, "{}", page.text());
    // Notes and standard error are no messages.
    page.wait_visible(".console .count:has-text('5 messages')");
    assert_eq!(page.evaluate("document.getElementById('stream-tools').inert"), true);
    page.click(".console button:has-text('Clear')");
    until("it is empty", || page.text().is_empty().then_some(()));
    page.click("#reconnect");
    page.wait_text("· new session\n↓ {");
}

#[test]
fn datagrams_are_messages() {
    let peer = UdpSocket::bind("127.0.0.1:0").expect("a port");
    peer.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let port = peer.local_addr().expect("it has one").port();
    let forwarder = Forwarder::between("ws:0", &format!("udp:127.0.0.1:{port}"));
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    wait_for_entry(&page);
    page.select(".console .entry select", "hex");
    page.type_text("de ad be e\n");
    page.wait_visible(".console .problem:has-text('only one digit')");
    page.type_text("");
    page.fill(".console .entry textarea", "");
    page.type_text("00 ff 7a\n");
    let mut datagram = [0; 2000];
    let (len, from) = peer.recv_from(&mut datagram).expect("it is sent");
    assert_eq!(&datagram[..len], [0, 0xff, 0x7a]);
    for text in ["first", "second"] {
        peer.send_to(text.as_bytes(), from).expect("it goes");
    }
    page.wait_text("↑ 00 ff 7a\n↓ first\n↓ second");
}

#[test]
fn a_hundred_thousand_messages_leave_it_quick() {
    let forwarder = Forwarder::between("ws:0", "process:seq:100500:framing=lines");
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    let count = "document.querySelector('.console .count')?.textContent ?? ''";
    // The last of a hundred thousand lines is how it ended: once, and behind all that was sent.
    let come = until_within(Duration::from_secs(180), || {
        let counted = page.evaluate(count);
        (counted.as_str()?.contains("99999 messages") && page.evaluate(STATE) == "ended")
            .then_some(())
    });
    assert!(come.is_some(), "{}", page.evaluate(count));
    page.wait_status("exit status 0");
    page.wait_visible(".console .row .what:text-is('100500')");
    let rows = page.evaluate(ROWS).as_u64().unwrap_or_default();
    assert!((5..100).contains(&rows), "{rows} rows");
    // A frame after each of these is there soon.
    let now = || page.evaluate("performance.now()").as_f64().unwrap_or(f64::MAX);
    let began = now();
    page.fill(".console .filter", "99999");
    page.wait_visible(".console .row .what:text-is('99999')");
    page.fill(".console .filter", "");
    let _at = page.evaluate("document.querySelector('.console .list').scrollTop = 24 * 50_000");
    page.wait_visible(".console .row");
    let took = now() - began;
    assert!(took < 5000.0, "{took} ms");
}

#[test]
fn the_console_may_be_asked_for_and_the_terminal_too() {
    let forwarder = Forwarder::between("ws:0:page=terminal", "process:cat");
    let lines = Forwarder::between("ws:0", CHAT);
    let browser = Browser::start();
    let page = browser.open(&format!("{}?face=console", url(&forwarder)));
    wait_for_entry(&page);
    page.type_text("typed\n");
    page.wait_text("↑ typed\n↓ typed");
    let page = browser.open(&format!("{}?face=terminal", url(&lines)));
    page.wait_text("a warning");
    page.type_text("hellp\u{8}o\n");
    page.wait_text("\ngot hello\n");
}

/// A server without our subprotocol, whose messages are text or binary.
#[test]
fn another_server_is_shown_in_it_too() {
    let elsewhere = Forwarder::between("ws:0:origin=any:encoding=auto", "process:cat");
    let own = Forwarder::between("ws:0", "echo");
    let browser = Browser::start();
    let address = format!("127.0.0.1:{}", elsewhere.port(0));
    let page = browser.open(&format!("{}?face=console&connect={address}", url(&own)));
    page.wait_visible("#connect-form");
    page.select("#connect-subprotocol", "");
    page.click("#connect-go");
    wait_for_entry(&page);
    page.type_text("typed\n");
    page.wait_text("↑ typed\n↓ typed");
    let types =
        "[...document.querySelectorAll('.console .row .type')].map((it) => it.textContent).join()";
    // Rows are drawn at the next frame.
    until("both are text", || (page.evaluate(types) == "text,text").then_some(()));
}

#[test]
fn what_a_screen_reader_needs_is_there() {
    let forwarder = Forwarder::between("ws:0", CHAT);
    let browser = Browser::start();
    for look in [Look::DESKTOP, Look::DESKTOP.light(), Look::PHONE, Look::PHONE.light()] {
        let page = browser.open_as(&url(&forwarder), look);
        wait_for_entry(&page);
        page.wait_text("! a warning");
        page.type_text("hello\n");
        page.wait_text("↓ got hello");
        page.click(".console .row.in .what:has-text('gauge')");
        page.wait_visible(".console .payload details");
        assert_eq!(axe(&page), "", "{look:?}");
        page.fill(".console .filter", "nothing is like this");
        page.wait_visible(".console .empty");
        assert_eq!(axe(&page), "", "{look:?}");
        page.close();
    }
}
