//! Signing in with a name and a password (`auth={htpasswd:FILE}`): in front of the terminal, and of a folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tests::browser::{Browser, Look, Page};
use tests::firefox::Firefox;
use tests::ws::Request;
use tests::{Forwarder, binary, net, until};

use crate::why::axe;
use crate::{BASH, url};

/// A file with one user.
pub(crate) fn users() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("users");
    passwd(&file, "ada", "engine");
    (folder, file)
}

/// Gives a user this password.
pub(crate) fn passwd(file: &Path, name: &str, password: &str) {
    let mut child = Command::new(binary::endpointforward())
        .arg("passwd")
        .arg(file)
        .arg(name)
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    writeln!(child.stdin.take().expect("a pipe"), "{password}").expect("it reads");
    assert!(child.wait().expect("it ends").success());
}

/// Starts a browser whose console may report refused connections.
fn browser() -> Browser {
    let browser = Browser::start();
    browser.forgive("WebSocket connection to");
    browser.forgive("Failed to load resource");
    browser
}

/// As `WebDriver` spells it.
const TAB: char = '\u{e004}';
const FOCUSED: &str = "document.activeElement.id";
const PASSWORD: &str = "#sign-in-password";

#[test]
fn a_terminal_opens_for_who_signs_in_until_they_sign_out() {
    let (_folder, file) = users();
    let listen = format!("ws:0:auth={{{{htpasswd:{}}}}}", file.display());
    let forwarder = Forwarder::between(&listen, BASH);
    let browser = browser();
    let page = browser.open(&url(&forwarder));
    page.wait_state("out");
    page.wait_visible("#sign-in-form");
    page.wait_status("Not signed in");
    assert_eq!(page.evaluate(FOCUSED), "sign-in-name");
    assert_eq!(forwarder.children(), [] as [u32; 0]);

    // With keys alone. A wrong one is said in the form, and the right one is typed over it.
    page.type_text("ada");
    page.press("Tab");
    page.type_text("wrong\n");
    page.wait_visible("#sign-in-words:has-text('the name or the password is wrong')");
    assert_eq!(page.evaluate(FOCUSED), "sign-in-password");
    page.type_text("engine\n");
    page.wait_state("connected");
    page.type_text("echo $((6 * 7))\n");
    page.wait_text("\n42");
    assert_eq!(page.cookies(), [] as [serde_json::Value; 0], "they would go to every port");

    // It is known from then on.
    page.type_text("exit\n");
    page.wait_state("ended");
    page.press("Enter");
    page.wait_state("connected");
    page.go(&url(&forwarder));
    page.wait_state("connected");
    let beside = page.beside(&url(&forwarder));
    beside.wait_state("connected");

    // It stays signed in until it signs out: then the page shows nothing of it, and its secret is worth nothing.
    let secret = "Object.entries(localStorage).find(([key]) => key.includes('secret'))?.[1] ?? ''";
    let kept = page.evaluate(secret);
    page.wait_text("ready> ");
    page.click("#open-settings");
    page.click("#sign-out");
    page.wait_state("out");
    page.wait_visible("#sign-in-form");
    assert!(!page.text().contains("ready> "), "{}", page.text());
    assert_eq!(page.evaluate(secret), "");
    let shown = format!(
        "fetch('/', {{method: 'POST', headers: {{authorization: 'Bearer ' + {kept}}}}}).then((it) => it.status)"
    );
    assert_eq!(page.evaluate(&shown), 401);
    page.click("#open-settings");
    assert_eq!(page.evaluate("document.getElementById('sign-out').hidden"), true);
    page.press("Escape");
    page.wait_visible("#sign-in-name:focus");
    page.type_text("ada");
    page.press("Tab");
    page.type_text("engine\n");
    page.wait_state("connected");
}

/// Holds the page's next connection back: it has its ticket, and doesn't open its WebSocket before `held()`.
const HOLD: &str = "(() => {
    window.real = fetch;
    window.fetch = async (...request) => {
        const reply = await real(...request);
        if (!window.held) await new Promise((go) => { window.held = go; });
        return reply;
    };
})()";

/// Asks the server for a ticket as the page does, past what holds it back. Returns the status.
fn ask(page: &Page<'_>, secret: &str) -> u64 {
    let request = format!("{{ method: 'POST', headers: {{ authorization: 'Bearer {secret}' }} }}");
    let asked = format!("(window.real ?? fetch)('/', {request}).then((it) => it.status)");
    page.evaluate(&asked).as_u64().unwrap_or_default()
}

/// Signs a browser out in some way, before the page shows its secret and between that and its WebSocket. The page says
/// the same in both orders, and lets a user sign in with this password again.
fn says_so_in_any_order(password: &str, sign_out: impl Fn(&Page<'_>, &Path)) {
    let (_folder, file) = users();
    let listen = format!("ws:0:auth={{{{htpasswd:{}}}}}", file.display());
    let forwarder = Forwarder::between(&listen, BASH);
    let browser = browser();
    for is_between in [false, true] {
        passwd(&file, "ada", "engine");
        let page = browser.open(&url(&forwarder));
        let sign_in = |password: &str| {
            page.wait_visible("#sign-in-form");
            page.fill("#sign-in-name", "ada");
            page.fill(PASSWORD, password);
            page.click("#sign-in-go");
        };
        sign_in("engine");
        page.wait_text("ready> ");
        page.type_text("exit\n");
        page.wait_state("ended");
        let kept = page.evaluate("localStorage.getItem('endpointforward.secret:/')");
        let kept = kept.as_str().expect("a secret");
        if is_between {
            let _nothing = page.evaluate(HOLD);
            page.press("Enter");
            until("it has a ticket", || (page.evaluate("!!window.held") == true).then_some(()));
        }
        sign_out(&page, &file);
        until("the server knows", || (ask(&page, kept) == 401).then_some(()));
        if is_between {
            let _nothing = page.evaluate("held()");
        } else {
            page.press("Enter");
        }
        page.wait_state("out");
        page.wait_visible("#sign-in-words:has-text('this browser is signed out; sign in again')");
        sign_in(password);
        page.wait_state("connected");
        page.close();
    }
}

#[test]
fn a_changed_password_signs_out_and_the_form_says_so() {
    says_so_in_any_order("another", |_, file| passwd(file, "ada", "another"));
}

#[test]
fn another_tab_that_signs_out_is_told_in_this_one() {
    says_so_in_any_order("engine", |page, _| {
        let address = page.evaluate("location.href");
        let other = page.beside(address.as_str().expect("an address"));
        other.wait_state("connected");
        other.click("#open-settings");
        other.click("#sign-out");
        other.wait_state("out");
        assert_eq!(other.evaluate("document.getElementById('sign-in-words').textContent"), "");
        other.close();
    });
}

#[test]
#[ignore = "needs Firefox: cargo xtask interop"]
fn firefox_signs_in_and_out_and_a_changed_password_signs_it_out() {
    let (folder, file) = users();
    let listen = format!("ws:0:auth={{{{htpasswd:{}}}}}", file.display());
    let forwarder = Forwarder::between(&listen, BASH);
    let browser = Firefox::start();
    let state = |state: &str| {
        browser.wait(&format!("document.documentElement.dataset.state === '{state}'"));
    };
    let has_words = |words: &str| {
        let found = "document.getElementById('sign-in-words').textContent.includes";
        browser.wait(&format!("{found}({words:?})"));
    };
    let sign_in = |password: &str| {
        browser.wait("document.activeElement.id === 'sign-in-name'");
        browser.type_text(&format!("ada{TAB}{password}\n"));
    };
    browser.open(&url(&forwarder));
    state("out");
    sign_in("wrong");
    has_words("the name or the password is wrong");
    assert_eq!(forwarder.children(), [] as [u32; 0]);
    browser.type_text("engine\n");
    state("connected");
    let shown = folder.path().join("shown");
    browser.wait("document.activeElement.tagName === 'TEXTAREA'");
    browser.type_text(&format!("echo $((6 * 7)) >{}\n", shown.display()));
    until("the shell has it", || (std::fs::read_to_string(&shown).ok()? == "42\n").then_some(()));

    let click =
        |id: &str| browser.evaluate(&format!("document.getElementById('{id}').click(), ''"));
    let _ = click("open-settings");
    let _ = click("sign-out");
    state("out");
    forwarder.wait_no_children();
    browser.open(&url(&forwarder));
    state("out");
    sign_in("engine");
    state("connected");

    passwd(&file, "ada", "another");
    until("the file was read again", || {
        browser.open(&url(&forwarder));
        let settled = "new Promise((say) => setInterval(() => {
            const { state } = document.documentElement.dataset;
            if (state === 'out' || state === 'connected') say(state);
        }, 20))";
        (browser.evaluate(settled) == "out").then_some(())
    });
    has_words("this browser is signed out");
    sign_in("another");
    state("connected");
}

#[test]
fn guessing_is_put_off_in_words_that_fit() {
    let (_folder, file) = users();
    let listen = format!("ws:0:auth={{{{htpasswd:{}}}}}", file.display());
    let forwarder = Forwarder::between(&listen, BASH);
    let browser = browser();
    let page = browser.open(&url(&forwarder));
    page.wait_visible("#sign-in-form");
    page.fill("#sign-in-name", "ada");
    for _ in 0..6 {
        page.fill(PASSWORD, "guess");
        page.click("#sign-in-go");
        page.wait_visible("#sign-in-words:not(:empty)");
    }
    page.wait_visible("#sign-in-words:has-text('too many failed attempts')");
    fits(&page, "sign-in-put-off");
}

/// Nothing is wider than a narrow window.
fn fits(page: &Page<'_>, name: &str) {
    page.resize(320, 568);
    page.screenshot(name);
    assert_eq!(page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
    let cut = "[...document.querySelectorAll('form:not([hidden]) :is(input, button, p)')].filter((it) => {
        const { left, right, width } = it.getBoundingClientRect();
        return width > 0 && (left < 0 || right > innerWidth);
    }).length";
    assert_eq!(page.evaluate(cut), 0);
}

#[test]
fn a_folder_opens_for_who_signs_in() {
    let (folder, file) = users();
    let site = folder.path().join("site");
    std::fs::create_dir(&site).expect("a folder");
    let own = "<!doctype html><link rel=icon href='data:,'><p class=own>own page";
    std::fs::write(site.join("index.html"), own).expect("it can be written");
    let listen =
        format!("ws:0:auth={{{{htpasswd:{}}}}}:page={{{}/}}", file.display(), site.display());
    let forwarder = Forwarder::between(&listen, "echo");
    let browser = browser();
    let page = browser.open(&url(&forwarder));
    page.wait_visible("#form");
    assert_eq!(page.evaluate(FOCUSED), "name");
    assert_eq!(axe(&page), "");
    fits(&page, "sign-in-folder");
    page.type_text("ada");
    page.press("Tab");
    page.type_text("wrong\n");
    page.wait_visible("#words:has-text('the name or the password is wrong')");
    page.type_text("engine\n");
    page.wait_visible("p.own");
    assert_eq!(page.go(&format!("{}?sign-out", url(&forwarder))), 200);
    assert_eq!(axe(&page), "");
    assert_eq!(page.go(&url(&forwarder)), 200);
    // Its scripts connect with the secret, and sign out with it.
    let out = "(async () => {
        const headers = { authorization: `Bearer ${localStorage.getItem('endpointforward.secret:/')}` };
        const ticket = async () => (await fetch('/', { method: 'POST', headers })).status;
        return [await ticket(), (await fetch('/', { method: 'DELETE', headers })).status, await ticket()].join();
    })()";
    assert_eq!(page.evaluate(out), "200,200,401");
    page.go(&url(&forwarder));
    page.wait_visible("#words:has-text('sign in again')");
    page.fill("#name", "ada");
    page.fill("#password", "engine");
    page.click("#form button");
    page.wait_visible("p.own");
}

/// Sends an upgrade with that cookie alone, and with the page's origin. Returns the status.
fn upgrade_with(page: &Page<'_>, forwarder: &Forwarder) -> u16 {
    let cookies = page.cookies();
    let cookie = &cookies[0];
    let pair = format!(
        "{}={}",
        cookie["name"].as_str().unwrap_or_default(),
        cookie["value"].as_str().unwrap_or_default()
    );
    let port = forwarder.port(0);
    let request = Request::new("/")
        .header("Host", &format!("127.0.0.1:{port}"))
        .header("Origin", &format!("http://127.0.0.1:{port}"))
        .header("Cookie", &pair);
    request.send(&net::connect(port)).status
}

/// As on iOS with its scripts switched off, say: a form, a reply, a cookie.
#[test]
fn a_folder_opens_without_a_script() {
    let (folder, file) = users();
    let site = folder.path().join("site");
    std::fs::create_dir(&site).expect("a folder");
    let own = "<!doctype html><link rel=icon href='data:,'><p class=own>own page";
    std::fs::write(site.join("a.html"), own).expect("it can be written");
    let listen =
        format!("ws:0:auth={{{{htpasswd:{}}}}}:page={{{}/}}", file.display(), site.display());
    let forwarder = Forwarder::between(&listen, "echo");
    let browser = browser();
    let at = format!("{}a.html?x=1", url(&forwarder));
    let page = browser.open_without_scripts(&at);
    let sign_in = |password: &str| {
        page.wait_visible("#form");
        page.fill("#name", "ada");
        page.fill("#password", password);
        page.click("#form button");
    };
    sign_in("wrong");
    page.wait_visible("#words:has-text('the name or the password is wrong')");
    assert_eq!(page.cookies(), [] as [serde_json::Value; 0]);
    sign_in("engine");
    page.wait_visible("p.own");
    assert_eq!(page.evaluate("location.href"), at);
    let cookies = page.cookies();
    assert_eq!(
        (&cookies[0]["httpOnly"], &cookies[0]["sameSite"]),
        (&true.into(), &"Strict".into())
    );
    // It opens files, and no session.
    assert_eq!(upgrade_with(&page, &forwarder), 401);

    page.go(&format!("{}?sign-out", url(&forwarder)));
    page.click("button:has-text('Sign out')");
    page.wait_visible("#form");
    assert_eq!(page.cookies(), [] as [serde_json::Value; 0]);
    page.go(&at);
    sign_in("engine");
    page.wait_visible("p.own");
    passwd(&file, "ada", "another");
    until("the file was read again", || (page.go(&at) == 403).then_some(()));
    sign_in("another");
    page.wait_visible("p.own");
}

#[test]
fn over_tls_the_cookie_belongs_to_the_host() {
    let (folder, file) = users();
    let site = folder.path().join("site");
    std::fs::create_dir(&site).expect("a folder");
    std::fs::write(
        site.join("index.html"),
        "<!doctype html><link rel=icon href='data:,'><p class=own>own",
    )
    .expect("it can be written");
    let auth = format!("auth={{{{htpasswd:{}}}}}:page={{{}/}}", file.display(), site.display());
    let forwarder = Forwarder::between(&format!("ws:{{tls:0:cert=self-signed}}:{auth}"), "echo");
    let browser = browser();
    let page = browser.open_without_scripts(&format!("https://127.0.0.1:{}/", forwarder.port(0)));
    page.fill("#name", "ada");
    page.fill("#password", "engine");
    page.click("#form button");
    page.wait_visible("p.own");
    let cookie = &page.cookies()[0];
    let name = format!("__Host-endpointforward-{}", forwarder.port(0));
    assert_eq!((&cookie["name"], &cookie["secure"]), (&name.into(), &true.into()));
}

#[test]
fn a_screen_reader_finds_the_form() {
    let (_folder, file) = users();
    let listen = format!("ws:0:auth={{{{htpasswd:{}}}}}", file.display());
    let forwarder = Forwarder::between(&listen, BASH);
    let browser = browser();
    for look in [Look::DESKTOP, Look::DESKTOP.light(), Look::PHONE, Look::PHONE.light()] {
        let page = browser.open_as(&url(&forwarder), look);
        page.wait_visible("#sign-in-form");
        assert_eq!(axe(&page), "", "the form, {look:?}");
        page.fill("#sign-in-name", "ada");
        page.fill(PASSWORD, "wrong");
        page.click("#sign-in-go");
        page.wait_visible("#sign-in-words:not(:empty)");
        assert_eq!(axe(&page), "", "what is wrong, {look:?}");
        let name = if look.dark { "dark" } else { "light" };
        fits(&page, &format!("sign-in-{name}-{}", if look.phone { "phone" } else { "desk" }));
        page.close();
    }
}
