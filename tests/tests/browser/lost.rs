//! Sessions of the page when the server stops, restarts, or becomes unreachable without closing the connection.

use std::cell::Cell;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::{io, thread};

use rustix::process::Signal;
use socket2::{SockFilter, SockRef};
use tests::browser::{Browser, Page};
use tests::{Forwarder, net, until};

use crate::{BASH, url};

/// A way to a server that loses connections as a restarted router does: nothing comes through them any more, not
/// even an acknowledgement, and neither side is told.
struct Router {
    port: u16,
    /// The sockets of both sides.
    known: Arc<Mutex<Vec<TcpStream>>>,
}

impl Router {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it has an address").port();
        let known = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&known);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let far = net::connect(server);
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let [from, to] = [from, to].map(|side| side.try_clone().expect("a descriptor"));
                    thread::spawn(move || pass(&from, &to));
                }
                all.lock().expect("nobody fails with it").extend([near, far]);
            }
        });
        Self { port, known }
    }

    fn restart(&self) {
        // A filter that takes no packet at all: `ret 0`.
        let nothing = [SockFilter::new(0x06, 0, 0, 0)];
        for side in &*self.known.lock().expect("nobody fails with it") {
            SockRef::from(side).attach_filter(&nothing).expect("a filter of one instruction");
        }
    }
}

fn pass(mut from: &TcpStream, mut to: &TcpStream) {
    let _broken = io::copy(&mut from, &mut to);
    let _gone = to.shutdown(Shutdown::Write);
}

/// Opens the page, whose looks for the server are ten times as frequent.
fn hurried(browser: &Browser, port: u16) -> Page<'_> {
    hurried_until(browser, port, |page| {
        page.wait_text("ready> ");
    })
}

/// As [`hurried`], with another sight to wait for.
fn hurried_until<'a>(browser: &'a Browser, port: u16, sight: impl Fn(&Page<'_>)) -> Page<'a> {
    let page = browser.open(&format!("http://127.0.0.1:{port}/?connect"));
    page.wait_visible("#connect-form");
    let _nothing = page.evaluate(
        r#"(() => { const [every, send] = [setInterval, WebSocket.prototype.send];
            window.setInterval = (call, ms) => every(call, ms / 10);
            window.answers = 0;
            WebSocket.prototype.send = function (data) {
                this.onmessage = ((seen) => (event) => {
                    if (event.data === '{"type":"alive"}') answers += 1;
                    seen.call(this, event);
                })(this.seen ??= this.onmessage);
                send.call(this, data);
            }; })()"#,
    );
    page.click("#connect-go");
    sight(&page);
    page
}

#[test]
fn a_connection_that_was_lost_without_a_word_is_found_out_and_one_session_is_left() {
    let forwarder = Forwarder::between("ws:0:ping=1:pong-timeout=1", BASH);
    let router = Router::to(forwarder.port(0));
    let browser = Browser::start();
    let page = hurried(&browser, router.port);
    page.type_text("echo be''fore\n");
    page.wait_text("\nbefore");
    let [before] = forwarder.children()[..] else { panic!("one shell") };
    // A moment later what was typed is known to be read.
    let answers = || page.evaluate("answers").as_u64().unwrap_or_default();
    let until_now = answers();
    until("it was asked about", || (answers() > until_now).then_some(()));
    router.restart();
    // As a laptop does that wakes up.
    let _nothing = page.evaluate("dispatchEvent(new Event('online'))");
    page.type_text("nobody reads this");
    page.wait_status("onnection lost: the server doesn't answer any more");
    page.wait_text("reconnecting begins a new session");
    page.wait_state("connected");
    page.wait_text("[new session]");
    page.type_text("echo af''ter\n");
    page.wait_text("\nafter");
    until("one shell is left", || {
        let all = forwarder.children();
        (all.len() == 1 && all[0] != before).then_some(())
    });
    assert_eq!(page.text().matches("[new session]").count(), 1, "{}", page.text());
}

/// A paste of a million bytes.
const PASTE: &str = "(() => { const data = new DataTransfer(); data.setData('text/plain', 'x'.repeat(1000000));
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true })); })()";

#[test]
fn a_server_that_is_silent_behind_what_was_typed_is_not_given_up() {
    let forwarder = Forwarder::between("ws:0", BASH);
    let browser = Browser::start();
    let page = hurried(&browser, forwarder.port(0));
    page.type_text("stty -echo -icanon; exec sleep 1000\n");
    until("it sleeps", || {
        let all = forwarder.children();
        let [one] = all[..] else { return None };
        let name = std::fs::read_to_string(format!("/proc/{one}/comm")).ok()?;
        (name.trim() == "sleep").then_some(())
    });
    // More than its terminal takes, so that the question waits behind it.
    let _nothing = page.evaluate(PASTE);
    let _nothing = page.evaluate("dispatchEvent(new Event('online'))");
    page.wait_status("the server doesn't answer");
    assert_eq!(page.evaluate("document.documentElement.dataset.state"), "connected");
    assert_eq!(forwarder.children().len(), 1);
}

#[test]
fn an_end_of_the_output_is_still_said_after_the_server_was_silent() {
    // Its buffers take less than what is pasted.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("service");
    let service = UnixListener::bind(&path).expect("a new name");
    let forwarder = Forwarder::between("ws:0:page=terminal", &format!("unix:{}", path.display()));
    let browser = Browser::start();
    let taken = Cell::new(None);
    let page = hurried_until(&browser, forwarder.port(0), |page| {
        let (stream, _) = service.accept().expect("the forwarder connects");
        stream.shutdown(Shutdown::Write).expect("it is open");
        taken.set(Some(stream));
        page.wait_status("the other side sends no more");
    });
    let _nothing = page.evaluate(PASTE);
    let _nothing = page.evaluate("dispatchEvent(new Event('online'))");
    page.wait_status("the server doesn't answer");
    let mut stream = taken.take().expect("it was accepted");
    thread::spawn(move || io::copy(&mut stream, &mut io::sink()));
    page.wait_status("the other side sends no more");
}

#[test]
fn a_server_that_stops_and_starts_again_is_told_and_found() {
    let mut forwarder = Forwarder::between("ws:0", BASH);
    let port = forwarder.port(0);
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    browser.forgive("Failed to load resource");
    let page = browser.open(&url(&forwarder));
    page.wait_text("ready> ");
    forwarder.signal(Signal::TERM);
    // Its own word first, then what is found when it is looked for.
    page.wait_text("[the server stops or restarts; reconnecting begins a new session]");
    page.wait_status("server can't be reached");
    assert!(
        !page.evaluate("document.getElementById('reconnect').hidden").as_bool().unwrap_or(true)
    );
    forwarder.wait_exit();
    let again = Forwarder::between(&format!("ws:{{tcp:{port}:interface=127.0.0.1}}"), BASH);
    page.wait_state("connected");
    let shown = page.wait_text("[new session]");
    assert_eq!(shown.matches("[new session]").count(), 1, "{shown}");
    assert_eq!(again.children().len(), 1);
}

#[test]
fn a_server_with_links_that_starts_again_says_that_a_new_one_is_needed() {
    let link = |forwarder: &Forwarder| {
        let line = forwarder.wait_for_log("#token=");
        line[line.find("http://").expect("a link")..]
            .split_whitespace()
            .next()
            .expect("it")
            .to_owned()
    };
    let mut forwarder = Forwarder::between("ws:0:auth=token", BASH);
    let port = forwarder.port(0);
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    browser.forgive("Failed to load resource");
    let page = browser.open(&link(&forwarder));
    page.wait_text("ready> ");
    forwarder.signal(Signal::TERM);
    forwarder.wait_exit();
    let again =
        Forwarder::between(&format!("ws:{{tcp:{port}:interface=127.0.0.1}}:auth=token"), BASH);
    page.wait_status("Open the new link");
    page.wait_state("ended");
    assert_eq!(again.children(), [] as [u32; 0]);
    // Pasted over the address: nothing is loaded, and what was on the screen stays.
    let (_, token) =
        link(&again).split_once('#').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a token");
    let _nothing = page.evaluate(&format!("location.hash = '{token}'"));
    page.wait_state("connected");
    page.wait_text("[new session]");
    assert_eq!(page.evaluate("location.hash"), "");
    assert_eq!(again.children().len(), 1);
}
