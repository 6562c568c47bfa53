//! `endpointforward` without arguments: a shell in the browser for a user with the link.

use std::io::Write;

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
        self.link.split('#').next().unwrap_or_default()
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
    assert_eq!(page.cookies(), [] as [serde_json::Value; 0], "they would go to every port");

    // The same browser: without the token, with it, and once more.
    page.beside(demo.without_token()).wait_state("connected");
    page.beside(&demo.link).wait_state("connected");
    page.go(demo.without_token());
    page.wait_state("connected");

    // Another one.
    browser.forgive("Failed to load resource");
    browser.forgive("WebSocket connection to");
    let second = browser.open(&demo.link);
    second.wait_state("ended");
    second.wait_status("this link was used already");
    let without = browser.open(demo.without_token());
    without.wait_state("ended");
    without.wait_status("this link was used already");
    let wrong = browser.open(&format!("{}0", demo.link));
    wrong.wait_state("ended");
    wrong.wait_status("this link was used already");
    // The secret is in no log.
    let secret =
        page.evaluate("Object.entries(localStorage).find(([key]) => key.includes('secret'))[1]");
    let log = demo.forwarder.log();
    assert!(!log.contains(secret.as_str().expect("a secret")), "{log}");
}

#[test]
fn a_page_of_another_port_gets_nothing_that_opens_a_session() {
    let demo = demo();
    let browser = Browser::start();
    let page = browser.open(&demo.link);
    page.wait_state("connected");
    // Another user's server on the same host, which the owner of the shell visits: it sees all that the browser sends.
    let other = net::Server::bind();
    let address = format!("http://127.0.0.1:{}/", other.port());
    let heard = std::thread::spawn(move || {
        let mut stream = other.accept();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(net::read_exactly(&stream, 1));
        }
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n\
                      <link rel=icon href='data:,'>hello";
        stream.write_all(answer.as_bytes()).expect("it is taken");
        String::from_utf8_lossy(&head).to_lowercase()
    });
    // Requests that the other page can make: for a ticket, and to connect.
    let visited = page.beside(&address);
    let head = heard.join().expect("it was visited");
    assert!(!head.contains("cookie:") && !head.contains("authorization:"), "{head}");
    browser.forgive("CORS");
    browser.forgive("Failed to load resource");
    browser.forgive("WebSocket connection to");
    let asked = format!(
        "fetch('http://127.0.0.1:{}/', {{method: 'POST', credentials: 'include'}}).then(() => 'answered', () => 'no')",
        demo.port()
    );
    assert_eq!(visited.evaluate(&asked), "no");
    let opened = format!(
        "new Promise((say) => {{ const ws = new WebSocket('ws://127.0.0.1:{}/', 'endpointforward.v1'); \
         ws.onopen = () => say('open'); ws.onclose = () => say('no'); }})",
        demo.port()
    );
    assert_eq!(visited.evaluate(&opened), "no");
}

#[test]
fn after_a_restart_the_page_says_that_it_needs_a_new_link() {
    let port = net::free_port();
    let listen = format!("ws:{{tcp:{port}:interface=127.0.0.1}}:auth=token");
    let forwarder = Forwarder::between(&listen, crate::BASH);
    let line = forwarder.wait_for_log("#token=");
    let link = line.split_whitespace().find(|word| word.starts_with("http://")).expect("a link");
    let browser = Browser::start();
    browser.forgive("Failed to load resource");
    browser.forgive("WebSocket connection to");
    let page = browser.open(link);
    page.wait_state("connected");
    drop(forwarder);
    page.wait_state("waiting");
    let again = Forwarder::between(&listen, crate::BASH);
    page.wait_state("ended");
    page.wait_status("Open the new link");
    let line = again.wait_for_log("#token=");
    let link = line.split_whitespace().find(|word| word.starts_with("http://")).expect("a link");
    // Pasted over the page's address, it loads nothing.
    let _nothing = page.evaluate(&format!("void (location.href = {link:?})"));
    page.wait_state("connected");
    page.wait_text("[new session]");
}

#[test]
fn nobody_else_gets_a_shell() {
    let demo = demo();
    let own = format!("127.0.0.1:{}", demo.port());
    let origin = format!("http://{own}");
    let request = Request::new("/").header("Host", &own);
    for (who, request) in [
        ("no ticket", request.clone()),
        ("a page of ours without ticket", request.clone().header("Origin", &origin)),
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

#[test]
fn a_folder_is_opened_by_its_link_and_its_scripts_connect() {
    let folder = tempfile::tempdir().expect("a folder for a page");
    let page = "<!doctype html><link rel=icon href='data:,'><p class=own>own page";
    std::fs::write(folder.path().join("index.html"), page).expect("it can be written");
    std::fs::write(folder.path().join("other.html"), page).expect("it can be written");
    let listen = format!("ws:0:auth=token:page={{{}/}}", folder.path().display());
    let forwarder = Forwarder::between(&listen, "echo");
    let line = forwarder.wait_for_log("#token=");
    let link = line.split_whitespace().find(|word| word.starts_with("http://")).expect("a link");
    let browser = Browser::start();
    browser.forgive("Failed to load resource");
    let page = browser.open(link);
    page.wait_visible("p.own");
    assert!(!page.evaluate("location.href").to_string().contains("token"));
    assert_eq!(page.cookies().len(), 1);
    assert_eq!(page.go(&format!("{}other.html", crate::url(&forwarder))), 200);
    // A link on another site brings no cookie along: the page that is shown then finds the secret.
    let connects = "(async () => {
        const bearer = localStorage.getItem('endpointforward.secret:/');
        const reply = await fetch('/', { method: 'POST', headers: { authorization: `Bearer ${bearer}` } });
        const { ticket } = await reply.json();
        const open = (names) => new Promise((say) => {
            const socket = new WebSocket(location.origin.replace('http', 'ws'), names);
            socket.onopen = () => say(socket.protocol);
            socket.onclose = () => say('no');
        });
        const names = ['binary', `endpointforward.ticket.${ticket}`];
        return [await open(names), await open(names), await open(['binary'])].join();
    })()";
    browser.forgive("WebSocket connection to");
    assert_eq!(page.evaluate(connects), "binary,no,no");
    let second = browser.open(link);
    second.wait_visible("p:has-text('used already')");
}
