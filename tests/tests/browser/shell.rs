//! A shell on a pty.

use std::fs;

use tests::browser::{Browser, Look};
use tests::data::Pattern;
use tests::{DEADLINE, Forwarder, until, until_within};

use crate::{BASH, url, wait_for_size};

#[test]
fn the_terminal_of_a_shell_follows_the_window() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_state("connected");
    page.wait_text("ready> ");
    let size = page.size();
    assert!(size.0 > 80 && size.1 > 24, "{size:?} in a window of 1024 by 640");
    page.type_text("stty size\n");
    page.wait_text(&format!("{} {}", size.1, size.0));

    page.resize(600, 400);
    let smaller = until("a smaller terminal", || Some(page.size()).filter(|now| *now != size));
    assert!(smaller.0 < size.0 && smaller.1 < size.1, "{smaller:?}");
    page.type_text(&wait_for_size(smaller));
    page.wait_text("followed");
    page.close();
    forwarder.wait_no_children();
}

/// The default colours are exchanged, and aren't a grey between them.
#[test]
fn reverse_video_is_the_background_on_the_foreground() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    for look in [Look::DESKTOP, Look::DESKTOP.light()] {
        let page = browser.open_as(&url(&forwarder), look);
        page.wait_text("ready> ");
        page.type_text("printf '\\e[7mexch''anged\\e[0m\\n'\n");
        page.wait_text("\nexchanged");
        let colours = "(() => {
                const rows = document.querySelector('#terminal .xterm-rows');
                const text = [...rows.querySelectorAll('span')].find((it) => it.textContent === 'exchanged');
                if (!text) return null;
                const { color, backgroundColor } = getComputedStyle(text);
                return [color, getComputedStyle(document.body).backgroundColor, backgroundColor, getComputedStyle(rows).color];
            })()";
        let seen = until("the row is drawn", || {
            Some(page.evaluate(colours)).filter(|seen| !seen.is_null())
        });
        assert_eq!((&seen[0], &seen[2]), (&seen[1], &seen[3]), "{look:?}");
        page.close();
    }
}

/// The system replaces a page's colours, and a terminal's cursor and reverse video are nothing else.
#[test]
fn forced_colours_leave_the_cursor_and_reverse_video() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.emulate("forcedColors", "active");
    page.wait_text("ready> ");
    page.type_text("clear; printf '\\e[7m%s\\e[0m \\e[34m%s\\e[0m\\n' reversed blu''e\n");
    page.wait_text("reversed blue\nready>");
    let colours = |text: &str, name: &str| {
        let found = format!(
            "(() => {{ const it = [...document.querySelectorAll('#terminal .xterm-rows span')].find((it) => {text});
                return it ? getComputedStyle(it).{name} : null; }})()"
        );
        page.evaluate(&found)
    };
    let ground = page
        .evaluate("getComputedStyle(document.querySelector('#terminal .xterm')).backgroundColor");
    let is_reversed = "it.textContent === 'reversed'";
    until("reverse video is drawn", || (!colours(is_reversed, "color").is_null()).then_some(()));
    assert_ne!(colours(is_reversed, "backgroundColor"), ground);
    assert_eq!(colours(is_reversed, "color"), ground);
    until("the cursor is drawn", || {
        let cursor = colours("it.matches('.xterm-cursor-block')", "backgroundColor");
        (!cursor.is_null() && cursor != ground && cursor != "rgba(0, 0, 0, 0)").then_some(())
    });
    // Blue is lifted to seven to one.
    let blue = colours("it.textContent === 'blue'", "color");
    page.emulate("forcedColors", "none");
    until("text is lifted less", || {
        (colours("it.textContent === 'blue'", "color") != blue).then_some(())
    });
}

#[test]
fn an_exit_is_told_in_words_and_begins_anew_by_the_button_or_enter() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    page.type_text("exit 3\n");
    page.wait_state("ended");
    page.wait_status("exit status 3");
    page.wait_text("exit status 3");
    page.click("#reconnect");
    page.wait_state("connected");
    page.type_text("kill -9 $$\n");
    page.wait_state("ended");
    page.wait_status("ended by signal 9 (SIGKILL)");
    page.press("Enter");
    page.wait_state("connected");
    page.type_text("echo still $((40 + 2))\n");
    page.wait_text("still 42");
    forwarder.wait_for_log("exit status 3");
}

#[test]
fn a_program_that_ends_at_once_has_said_its_last_words() {
    let forwarder = Forwarder::between("ws:0", "pty:sh:-c:{echo no such luck; exit 7}");
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_state("ended");
    page.wait_status("exit status 7");
    page.wait_text("no such luck");
}

#[test]
fn a_program_that_cannot_be_started_is_told() {
    let forwarder = Forwarder::between("ws:0", "pty:no-such-program-anywhere");
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    // It won't come by itself.
    page.wait_state("ended");
    page.wait_status("there is no such program");
    forwarder.wait_for_log("no-such-program-anywhere");
}

#[test]
fn keys_arrive_as_programs_expect_them() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    // The shell has given its terminal to a program by then: earlier keys would be its own.
    page.type_text("echo ru''nning; sleep 1000\n");
    page.wait_text("\nrunning");
    page.press("Control+C");
    page.wait_text("^C\nready> ");
    page.type_text("echo Grüße, 世界, 🙂 | od -An -tx1 | tr -d ' \\n'; echo\n");
    page.wait_text("4772c3bcc39f652c20e4b896e7958c2c20f09f99820a");
    page.type_text("echo lis''tening; cat -v\n");
    page.wait_text("\nlistening");
    page.press("ArrowUp");
    page.press("F5");
    page.press("Alt+x");
    page.press("Enter");
    page.wait_text("^[[A^[[15~^[x");
    page.press("Control+D");
    page.type_text("echo back in b''ash\n");
    page.wait_text("back in bash");
}

#[test]
fn full_screen_programs_leave_the_screen_as_it_was() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    page.type_text("echo be''fore; seq 1000 | less\n");
    page.wait_gone("before");
    page.type_text("G");
    page.wait_text("\n1000\n");
    page.type_text("q");
    page.wait_text("before");
    page.type_text("top\n");
    page.wait_text("load average");
    page.type_text("q");
    page.wait_text("ready> ");
}

#[test]
fn little_is_on_its_way_however_much_a_program_writes() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    page.type_text("yes\n");
    let count = |name: &str| {
        page.evaluate(&format!("window.endpointforward.counts().{name}")).as_u64().expect("a count")
    };
    // 128 KiB at first, 256 later, and what was read already of each.
    let behind = "(({ received, parsed }) => received - parsed)(window.endpointforward.counts())";
    for megabytes in 1..=5 {
        until("more is drawn", || (count("parsed") > megabytes << 20).then_some(()));
        let behind = page.evaluate(behind).as_u64().expect("a count");
        assert!(behind < 400 << 10, "{behind} bytes have come and aren't drawn");
    }
    page.press("Control+C");
    page.wait_text("^C\nready> ");
    // Nothing that was told the terminal was forgotten.
    until("all is drawn", || (page.evaluate(behind) == 0).then_some(()));
    page.type_text("echo sti''ll here\n");
    page.wait_text("still here");
}

/// In the page: counts and adds up what the terminal is given from now on.
const TAP: &str = "(() => {
  window.seen = { length: 0, a: 1, b: 0 };
  window.endpointforward.tap((bytes) => {
    const { seen } = window;
    for (const byte of bytes) {
      seen.a = (seen.a + byte) % 65521;
      seen.b = (seen.b + seen.a) % 65521;
    }
    seen.length += bytes.length;
  });
})()";

/// Adler-32's halves (RFC 1950), as above.
fn sums(bytes: &[u8]) -> (u64, u64) {
    bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u64::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    })
}

/// A file, written to the terminal as it is once a key was pressed.
fn all_arrives(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for a file");
    let file = folder.path().join("file");
    fs::write(&file, bytes).expect("a file can be written");
    let script =
        format!("stty raw -echo; printf ready; head -c 1 >/dev/null; exec cat {}", file.display());
    let forwarder = Forwarder::between("ws:0", &format!("pty:sh:-c:{{{script}}}"));
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    // The terminal echoes the key until then.
    page.wait_text("ready");
    let before = forwarder.rss_kib();
    let _nothing = page.evaluate(TAP);
    page.type_text("x");
    page.wait_status("exit status 0");
    // Data that has arrived by then is still on its way through the terminal, which takes seconds for megabytes.
    let seen = until_within(3 * DEADLINE, || {
        let seen = page.evaluate("window.seen");
        (seen["length"] == bytes.len()).then_some(seen)
    });
    let seen = seen.unwrap_or_else(|| panic!("{} of {}", page.evaluate("seen"), bytes.len()));
    let (a, b) = sums(bytes);
    let expected = serde_json::json!({"length": bytes.len(), "a": a, "b": b});
    assert_eq!(seen, expected);
    let grown = forwarder.rss_kib().saturating_sub(before);
    assert!(grown < 8 * 1024, "the forwarder has grown by {grown} KiB");
}

#[test]
fn twenty_megabytes_of_text_arrive_whole() {
    let line = |n: usize| format!("{n:>9} the quick brown fox jumps over the lazy dog {n:>9}\r\n");
    let text: String = (0..20_000_000 / line(0).len()).map(line).collect();
    all_arrives(text.as_bytes());
}

#[test]
fn ten_megabytes_of_rubbish_leave_a_page_that_works() {
    let rubbish = Pattern::new(99).take(10 << 20);
    all_arrives(&rubbish);
}
