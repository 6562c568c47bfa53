//! Pictures of each face in `target/screenshots`, for people to look at; their content is tested elsewhere.

use std::io::Write;

use tests::Forwarder;
use tests::browser::{Browser, Look, Page};

use crate::console;
use crate::mqtt::{self, broker::Broker};
use crate::serial::line;
use crate::telnet::{ask_manhole, log_in, manhole, telnetd};
use crate::{BASH, url};

/// By night and by day, on a desk and in a hand.
const LOOKS: [(&str, Look); 4] = [
    ("dark", WINDOW),
    ("light", WINDOW.light()),
    ("phone-dark", PHONE),
    ("phone-light", PHONE.light()),
];

const PHONE: Look = Look { height: 844, ..Look::PHONE };

/// Small enough for a README.
const WINDOW: Look = Look { width: 800, height: 440, ..Look::DESKTOP };

fn each_look(url: &str, name: &str, act: impl Fn(&Page<'_>)) {
    let browser = Browser::start();
    for (suffix, look) in LOOKS {
        let page = browser.open_as(url, look);
        act(&page);
        taken(&page, name, suffix);
        page.close();
    }
}

/// Takes the picture of a page that nothing makes wider than its window.
fn taken(page: &Page<'_>, name: &str, suffix: &str) {
    page.screenshot(&format!("{name}-{suffix}"));
    let overflow = "document.documentElement.scrollWidth - innerWidth";
    assert_eq!(page.evaluate(overflow), 0, "{name}-{suffix}");
}

#[test]
fn a_shell() {
    let here = BASH.replace(":cwd=/", &format!(":cwd={}", tests::root().display()));
    let forwarder = Forwarder::between("ws:0", &here);
    each_look(&url(&forwarder), "shell", |page| {
        page.wait_text("ready> ");
        for (command, answer) in [
            ("ls --color=always -x crates", "forward"),
            (r#"for c in {0..15}; do printf "\e[48;5;${c}m  "; done; printf '\e[0m\n'"#, ""),
            (
                r"printf '\e[1mbold\e[0m \e[3mitalic\e[0m \e[4munderlined\e[0m Grüße\n'",
                "bold italic",
            ),
            ("sed -n 3p README.md; stty size", &*format!("\n{} ", page.size().1)),
        ] {
            page.type_text(&format!("{command}\n"));
            page.wait_text(answer);
        }
    });
}

/// The programs with the most colours on the most backgrounds.
#[test]
fn programs_of_the_whole_screen() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = tests::root().display().to_string();
    let home = folder.path().display();
    let shell =
        BASH.replace(":cwd=/", &format!(":cwd={here}:env.HOME={home}:env.TMUX_TMPDIR={home}"));
    let forwarder = Forwarder::between("ws:0", &shell);
    for (name, starts, shows) in [
        ("mc", "mc . crates\n", "1Help"),
        ("htop", "htop\n", "F1Help"),
        (
            "vim",
            "vim -u NONE -N +'syntax on' +'set hls nomod' +'/fn ' tests/src/net.rs\n",
            "impl Server",
        ),
        (
            "tmux",
            "tmux -f /dev/null new 'ls --color; exec sh' \\; set destroy-unattached on\n",
            "[0]",
        ),
    ] {
        each_look(&url(&forwarder), name, |page| {
            page.wait_text("ready> ");
            page.type_text(&format!("clear; {starts}"));
            page.wait_text(shows);
        });
    }
}

#[test]
fn an_end() {
    let forwarder = Forwarder::between("ws:0", BASH);
    each_look(&url(&forwarder), "ended", |page| {
        page.wait_text("ready> ");
        page.type_text("exit 3\n");
        page.wait_state("ended");
        page.wait_text("Press Enter");
    });
}

#[test]
fn telnet() {
    let telnetd = telnetd();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", telnetd.port));
    each_look(&url(&forwarder), "telnet", |page| {
        log_in(page, &telnetd);
        page.type_text("clear; echo terminal $TERM, $(stty size); ls /usr\n");
        page.wait_text("share");
    });
}

#[test]
fn a_manhole() {
    let manhole = manhole();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", manhole.port));
    each_look(&url(&forwarder), "manhole", |page| {
        ask_manhole(page);
    });
}

#[test]
fn a_serial_line() {
    let browser = Browser::start();
    for look in LOOKS {
        // A separate line: a page that is closed gives the line back a moment later.
        let line = line();
        let forwarder = Forwarder::between("ws:0", &line.descriptor());
        let page = browser.open_as(&url(&forwarder), look.1);
        page.wait_state("connected");
        let mut far = line.far_end();
        far.write_all(b"U-Boot 2023.01 (Jan 09 2023)\r\nDRAM:  512 MiB\r\n=> ").expect("it fits");
        page.wait_text("=>");
        page.wait_visible("#serial-tools");
        taken(&page, "serial", look.0);
        page.close();
    }
}

#[test]
fn the_console() {
    let forwarder = Forwarder::between("ws:0", console::CHAT);
    each_look(&url(&forwarder), "console", |page| {
        page.wait_text("! a warning");
        for message in ["hello", "{\"set\": 21}"] {
            page.type_text(&format!("{message}\n"));
            page.wait_text(&format!("↓ got {message}"));
        }
        page.click(".console .row.in .what:has-text('gauge')");
        page.wait_visible(".console .payload details");
    });
}

#[test]
fn a_broker() {
    let broker = Broker::start("allow_anonymous true");
    let forwarder = mqtt::forwarder(&broker);
    each_look(&url(&forwarder), "mqtt", |page| {
        page.click(".mqtt .card .primary");
        page.wait_visible(".mqtt .subscribed button");
        for (topic, payload) in [
            ("house/attic/window", "closed"),
            ("house/kitchen/light", "on"),
            ("house/kitchen/heat", "{\"celsius\":21.5,\"wanted\":{\"day\":22,\"night\":17}}"),
        ] {
            mqtt::publish(page, topic, payload);
            page.wait_text(&format!("{topic} {payload}"));
        }
        page.click(".mqtt .row[title='house/kitchen/heat']");
        page.wait_visible(".mqtt .payload details");
    });
}

#[test]
fn the_form() {
    let forwarder = Forwarder::between("ws:0", "echo");
    each_look(&format!("{}?connect", url(&forwarder)), "form", |page| {
        page.wait_visible("#connect-form");
        page.fill("#connect-host", "router.example.com");
        page.fill("#connect-port", "80900");
    });
}

#[test]
fn the_settings() {
    let forwarder = Forwarder::between("ws:0", "pty:cat");
    each_look(&url(&forwarder), "settings", |page| {
        page.wait_state("connected");
        page.click("#open-settings");
        page.wait_visible("#settings-form");
    });
}

#[test]
fn nothing_there() {
    let refusing = tests::net::Refusing::bind();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", refusing.port()));
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    for (suffix, look) in LOOKS {
        let page = browser.open_as(&url(&forwarder), look);
        page.wait_state("waiting");
        taken(&page, "waiting", suffix);
        page.close();
    }
}
