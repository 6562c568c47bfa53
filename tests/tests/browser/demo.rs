//! `endpointforward` without arguments: a shell in the browser for whoever has the link.

use tests::browser::Browser;
use tests::net;
use tests::ws::{Request, WebSocket};
use tests::{DEADLINE, Forwarder, Signal};

struct Demo {
    forwarder: Forwarder,
    /// With the token.
    link: String,
    _home: tempfile::TempDir,
}

fn demo() -> Demo {
    let home = tempfile::tempdir().expect("a home without anybody's settings");
    let path = home.path().display().to_string();
    let env = [("SHELL", "/bin/bash"), ("HOME", path.as_str()), ("PS1", "ready> ")];
    let forwarder = Forwarder::start_with_env(&[], &env);
    let line = forwarder.stdout().wait_for_line(DEADLINE, "http://");
    let line = line.unwrap_or_else(|| panic!("no link\n{}", forwarder.report()));
    let link = line.split_whitespace().find(|word| word.starts_with("http://"));
    Demo { forwarder, link: link.expect("a link").to_owned(), _home: home }
}

impl Demo {
    fn without_token(&self) -> &str {
        self.link.split('?').next().unwrap_or_default()
    }

    fn port(&self) -> u16 {
        let port = self.link.rsplit(':').next().and_then(|rest| rest.split('/').next());
        port.and_then(|port| port.parse().ok()).expect("a port in the link")
    }
}

#[test]
fn the_link_works_once_and_its_browser_is_known_from_then_on() {
    let demo = demo();
    let browser = Browser::start();
    let page = browser.open(&demo.link);
    page.wait_state("connected");
    page.type_text("echo shell number $((6 * 7)); shopt -q login_shell && echo lo''gin\n");
    page.wait_text("shell number 42\nlogin");
    assert_eq!(page.evaluate("location.href"), demo.without_token(), "the token is out of sight");
    let cookies = page.cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    assert_eq!(
        (&cookies[0]["httpOnly"], &cookies[0]["sameSite"]),
        (&true.into(), &"Strict".into())
    );

    // The same browser, without the token and with it.
    page.beside(demo.without_token()).wait_state("connected");
    page.beside(&demo.link).wait_state("connected");

    // Another one.
    browser.forgive("Failed to load resource");
    let second = browser.open(&demo.link);
    assert_eq!(second.status, 403, "{}", second.text());
    assert!(!second.text().is_empty(), "it says why");
    let without = browser.open(demo.without_token());
    assert_eq!(without.status, 403, "{}", without.text());
    let wrong = browser.open(&format!("{}0", demo.link));
    assert_eq!(wrong.status, 403, "{}", wrong.text());
}

#[test]
fn nobody_else_gets_a_shell() {
    let demo = demo();
    let own = format!("127.0.0.1:{}", demo.port());
    let origin = format!("http://{own}");
    let request = Request::new("/").header("Host", &own);
    for (who, request) in [
        ("no cookie", request.clone()),
        ("a page of ours without cookie", request.clone().header("Origin", &origin)),
        ("another site", request.clone().header("Origin", "http://example.com")),
        ("another name", request.header("Host", "example.com")),
    ] {
        let refused = WebSocket::open(net::connect(demo.port()), &request);
        assert_eq!(refused.expect_err(who).status, 403, "{who}");
    }
    assert_eq!(demo.forwarder.children(), [] as [u32; 0]);
}

#[test]
fn it_says_how_to_type_it_and_ends_with_its_shells() {
    let mut demo = demo();
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    let page = browser.open(&demo.link);
    page.wait_state("connected");
    let said = demo.forwarder.stdout().text();
    let full = format!(
        "endpointforward -e ws:{{tcp:{}:interface=127.0.0.1}}:auth=token -d pty:/bin/bash:-l\n",
        demo.port()
    );
    assert!(said.contains(&full), "{said}");
    let children = demo.forwarder.children();
    assert_eq!(children.len(), 1, "{children:?}");
    // Once for "no more sessions", twice for "now".
    demo.forwarder.signal(Signal::INT);
    demo.forwarder.wait_for_log("stopping");
    demo.forwarder.signal(Signal::INT);
    demo.forwarder.wait_exit();
    page.wait_state("waiting");
    for child in children {
        tests::until("the shell is gone", || (!tests::procfs::runs(child)).then_some(()));
    }
}
