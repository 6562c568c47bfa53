//! A hostile page gets nothing, by any way that browsers have, signed in or not.
//!
//! The page is of another port of this host, which is the same site to browsers and is sent this one's cookies; of another
//! host; or of a name that leads here, as after DNS rebinding, which is the same origin to its browser.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::thread;

use tests::browser::{Browser, Page};
use tests::net::Server;
use tests::{DEADLINE, Forwarder, root};

use crate::signin::{passwd, users};
use crate::url;

/// Serves the page, and its service worker.
fn attacker() -> u16 {
    let read = |name: &str| {
        fs::read_to_string(root().join("tests/browser").join(name)).expect("it is there")
    };
    let (page, worker) = (read("hostile.html"), read("hostile-worker.js"));
    let server = Server::bind();
    let port = server.port();
    thread::spawn(move || {
        while let Some(stream) = server.accept_within(DEADLINE * 4) {
            let mut head = [0; 2048];
            let read = std::io::Read::read(&mut &stream, &mut head).unwrap_or(0);
            let is_worker = head[..read].starts_with(b"GET /worker.js");
            let (media, body) =
                if is_worker { ("text/javascript", &worker) } else { ("text/html", &page) };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _left = (&stream)
                .write_all(head.as_bytes())
                .and_then(|()| (&stream).write_all(body.as_bytes()));
        }
    });
    port
}

/// Makes a folder with a picture, a script and a text, which can't be read without signing in.
fn site(at: &Path) {
    fs::create_dir(at).expect("a folder");
    let picture = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>";
    for (name, text) in [
        ("index.html", "<!doctype html><link rel=icon href='data:,'><p class=own>secret page"),
        ("secret.svg", picture),
        ("secret.js", "window.stolen = 'a secret'"),
        ("secret.txt", "secret text"),
    ] {
        fs::write(at.join(name), text).expect("it can be written");
    }
}

/// The target of an attack: a listener, its paths, and the lines of its log about the attack.
struct Target {
    forwarder: Forwarder,
    paths: &'static [&'static str],
    /// The steps of signing in there.
    sign_in: Option<fn(&Page<'_>, &Forwarder)>,
    log: &'static [&'static str],
}

const OF_HTTP: &[&str] = &["may not connect", "evil.test"];

#[test]
fn an_open_page() {
    get_nowhere(|_, _| ("ws:0:health=/health".into(), &["", "health"], None, OF_HTTP));
}

#[test]
fn a_page_to_sign_in_on() {
    get_nowhere(|auth, _| {
        let sign_in = |page: &Page<'_>, forwarder: &Forwarder| {
            page.go(&url(forwarder));
            page.wait_visible("#sign-in-form");
            page.fill("#sign-in-name", "ada");
            page.fill("#sign-in-password", "engine");
            page.click("#sign-in-go");
            page.wait_state("connected");
        };
        (format!("ws:0:{auth}"), &[""], Some(sign_in), OF_HTTP)
    });
}

#[test]
fn a_folder() {
    get_nowhere(|auth, site| {
        let sign_in = |page: &Page<'_>, forwarder: &Forwarder| {
            page.go(&url(forwarder));
            page.wait_visible("#form");
            page.fill("#name", "ada");
            page.fill("#password", "engine");
            page.click("#form button");
            page.wait_visible("p.own");
        };
        let paths = &["", "secret.svg", "secret.js"];
        (format!("ws:0:{auth}:page={}/", site.display()), paths, Some(sign_in), OF_HTTP)
    });
}

#[test]
fn a_page_by_its_link() {
    get_nowhere(|_, _| {
        let sign_in = |page: &Page<'_>, forwarder: &Forwarder| {
            let line = forwarder.wait_for_log("#token=");
            let token = line.split_once("#token=").expect("it is there").1;
            let token: String = token.chars().take_while(|c| !" )".contains(*c)).collect();
            page.go(&format!("{}#token={}", url(forwarder), token.trim()));
            page.wait_state("connected");
        };
        ("ws:0:auth=token".into(), &[""], Some(sign_in), OF_HTTP)
    });
}

#[test]
fn plain_tcp_in_front_of_a_shell() {
    get_nowhere(|_, _| ("tcp:0:interface=127.0.0.1".into(), &[""], None, &["web page"]));
}

type Listening =
    (String, &'static [&'static str], Option<fn(&Page<'_>, &Forwarder)>, &'static [&'static str]);

/// Tries everything on what `listening` makes of `auth=` and a folder.
fn get_nowhere(listening: impl FnOnce(&str, &Path) -> Listening) {
    let (folder, file) = users();
    passwd(&file, "mallory", "known");
    let (at, marker) = (folder.path().join("site"), folder.path().join("marker"));
    site(&at);
    let auth = format!("auth={{{{htpasswd:{}}}}}", file.display());
    let (endpoint, paths, sign_in, log) = listening(&auth, &at);
    let shell = format!("process:sh:env.MARKER={}", marker.display());
    let target = Target { forwarder: Forwarder::between(&endpoint, &shell), paths, sign_in, log };
    // A foreign name that leads here. Chromium's own check (Local Network Access) would stop such a page before
    // it gets to us; other browsers have none.
    let options = [
        "--host-resolver-rules=MAP evil.test 127.0.0.1",
        "--disable-features=LocalNetworkAccessChecks",
    ];
    let browser = Browser::start_with(&options, |_| ());
    // All of it is refused, and browsers complain about each.
    browser.forgive("");
    let attacker = attacker();
    for signed_in in [false, true] {
        match target.sign_in {
            None if signed_in => continue,
            _ => attacked(&browser, &target, attacker, signed_in),
        }
    }
    let said = target.forwarder.log();
    for word in target.log {
        assert!(said.contains(word), "the log has no {word:?}:\n{said}");
    }
    assert!(!marker.exists(), "a shell has run what a page sent");
}

fn attacked(browser: &Browser, target: &Target, attacker: u16, signed_in: bool) {
    let own = browser.open("about:blank");
    if let Some(sign_in) = target.sign_in.filter(|_| signed_in) {
        sign_in(&own, &target.forwarder);
    }
    let port = target.forwarder.port(0);
    let (here, rebound) =
        (format!("http://127.0.0.1:{port}/"), format!("http://evil.test:{port}/"));
    let html = fs::read_to_string(root().join("tests/browser/hostile.html")).expect("it is there");
    own.fulfil(&format!("{rebound}attack"), &html);
    for (from, page, base) in [
        ("another port", format!("http://127.0.0.1:{attacker}/"), &here),
        ("another host", format!("http://localhost:{attacker}/"), &here),
        ("a rebound name", format!("{rebound}attack"), &rebound),
    ] {
        let hostile = own.beside(&page);
        for path in target.paths {
            let got = hostile.evaluate(&format!("attack('{base}{path}', 'touch $MARKER')"));
            let got = got.as_str().unwrap_or("?").to_owned();
            // A health check answers `ok` to every client.
            let is_public = *path == "health" && got.split("; ").all(|it| it.ends_with(": ok"));
            let case = format!("signed in: {signed_in}, {from}, {path:?}");
            assert!(got.is_empty() || is_public, "{case}: {got}");
            let frames = hostile.frames().join("\n");
            assert!(!frames.contains("secret"), "{case}: {frames}");
        }
        hostile.close();
    }
    if signed_in {
        let to = if target.paths.len() > 1 { "secret.txt" } else { "" };
        own.go(&format!("{here}{to}"));
        match to {
            "" => own.wait_state("connected"),
            _ => assert!(own.text().contains("secret text"), "it was signed out: {}", own.text()),
        }
    }
    own.close();
}
