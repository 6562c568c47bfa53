//! Telnet servers, in the page: inetutils' telnetd and Twisted's manhole.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;
use tests::browser::{Browser, Page};
use tests::{Forwarder, Peer, binary, until, venv};

use crate::{url, wait_for_size};

/// telnetd for every connection to a separate port, as inetd would start it.
///
/// In place of login(1), which wants an account with a password on the machine that runs the tests,
/// it starts a script that asks the same questions in the same way and knows one password, made up here.
pub(crate) struct Telnetd {
    _folder: TempDir,
    _server: Peer,
    pub(crate) port: u16,
    password: String,
}

/// It lingers over a wrong password, as login(1) does: telnetd drops what it hasn't passed on when its program ends
/// (one time in twelve, without us in between).
const LOGIN: &str = r#"#!/bin/sh
printf 'login: '
read -r name
stty -echo
printf 'Password: '
read -r password
stty echo
echo
[ "$password" = PASSWORD ] || { echo 'Login incorrect'; sleep 1; exit 1; }
cd / && exec env PS1='ready> ' HISTFILE= bash --norc --noprofile
"#;

pub(crate) fn telnetd() -> Telnetd {
    let folder = tempfile::tempdir().expect("a folder for a script");
    let login = folder.path().join("login");
    // No other user can know the folder's name.
    let password = folder.path().file_name().expect("it has a name").to_string_lossy();
    let password = password.trim_start_matches('.').to_owned();
    fs::write(&login, LOGIN.replace("PASSWORD", &password)).expect("a file can be written");
    fs::set_permissions(&login, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let program = binary::program("telnetd").expect("setup has installed it");
    // `nofork`: telnetd asks who is at the other end of its standard input, so that has to be the socket.
    let exec = format!("EXEC:{} -E {},nofork", program.display(), login.display());
    let server =
        Peer::start("socat", &["-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1,fork", exec.as_str()]);
    let line = server.wait_for_line("listening on");
    let port = line.rsplit(':').next().and_then(|port| port.trim().parse().ok());
    Telnetd { _folder: folder, _server: server, port: port.expect("a port"), password }
}

pub(crate) fn log_in(page: &Page<'_>, telnetd: &Telnetd) {
    page.wait_state("connected");
    page.wait_text("login: ");
    page.type_text("somebody\n");
    page.wait_text("login: somebody");
    page.wait_text("Password: ");
    page.type_text(&telnetd.password);
    page.type_text("\n");
    let shown = page.wait_text("ready> ");
    assert!(!shown.contains(&telnetd.password), "the password is shown:\n{shown}");
    // Once, not by the page and the server.
    assert_eq!(shown.matches("somebody").count(), 1, "{shown}");
}

#[test]
fn a_session_with_telnetd() {
    let telnetd = telnetd();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", telnetd.port));
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    log_in(&page, &telnetd);
    let size = page.size();
    page.type_text("echo $TERM; stty size\n");
    let shown = page.wait_text(&format!("{} {}", size.1, size.0));
    assert!(shown.contains("\nxterm-256color\n"), "TTYPE:\n{shown}");

    page.type_text("top\n");
    page.wait_text("load average");
    page.resize(640, 420);
    until("a smaller terminal", || (page.size() != size).then_some(()));
    page.type_text("q");
    // `top` discards input that is typed before it has exited.
    page.wait_text("ready> ");
    page.type_text(&format!("clear; {}", wait_for_size(page.size())));
    page.wait_text("followed");
    // Telnet's own character, CR and LF by themselves, and more than a screen.
    page.type_text(
        "clear; printf '\\377\\377end\\n' | od -An -tx1; seq 5000 | tail -n 1; echo do''ne\n",
    );
    let shown = page.wait_text("done");
    assert!(shown.contains(" ff ff 65 6e 64 0a\n5000\ndone"), "{shown}");

    page.type_text("exit\n");
    page.wait_state("ended");
    page.wait_status("closed");
    page.click("#reconnect");
    page.wait_text("login: ");
}

#[test]
fn a_wrong_password_ends_the_session_in_words() {
    let telnetd = telnetd();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", telnetd.port));
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_text("login: ");
    page.type_text("somebody\n");
    page.wait_text("Password: ");
    page.type_text("wrong\n");
    page.wait_text("Login incorrect");
    page.wait_state("ended");
}

#[test]
fn a_telnetd_by_the_telnet_kind_is_a_terminal_without_the_page_knowing() {
    let telnetd = telnetd();
    let destination = format!("telnet:{{tcp:127.0.0.1:{}}}", telnetd.port);
    let forwarder = Forwarder::between("ws:0", &destination);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    log_in(&page, &telnetd);
}

/// Twisted's Python shell, and the password file that it reads.
pub(crate) struct Manhole {
    _folder: TempDir,
    _server: Peer,
    pub(crate) port: u16,
}

pub(crate) fn manhole() -> Manhole {
    let folder = tempfile::tempdir().expect("a folder for a password");
    let file = folder.path().join("passwd");
    fs::write(&file, "admin:aardvark\n").expect("a file can be written");
    let file = file.display().to_string();
    let arguments = [
        "--nodaemon",
        "--pidfile=",
        "manhole",
        "--telnetPort",
        "tcp:0:interface=127.0.0.1",
        "--passwd",
        &file,
    ];
    let server = Peer::start(&venv("twistd").display().to_string(), &arguments);
    let line = server.wait_for_line("starting on");
    let port = line.rsplit(' ').next().and_then(|port| port.trim().parse().ok());
    let port = port.unwrap_or_else(|| panic!("no port in `{line}`"));
    Manhole { _folder: folder, _server: server, port }
}

/// Up to the answer of the first question; the screen then.
pub(crate) fn ask_manhole(page: &Page<'_>) -> String {
    page.wait_text("Username: ");
    page.type_text("admin\n");
    page.wait_text("Password: ");
    page.type_text("aardvark\n");
    let shown = page.wait_text(">>> ");
    assert!(!shown.contains("aardvark"), "the password is shown:\n{shown}");
    page.type_text("1+1\n");
    page.wait_text("\n2\n");
    page.type_text("[x * 1000 for x in range(3)]\n");
    page.wait_text("[0, 1000, 2000]\n>>>")
}

/// It waits for the answer to its `WILL ECHO` and to its `WONT ECHO`: the open problem of the document that this
/// project was made from.
#[test]
fn a_session_with_twisteds_manhole() {
    let manhole = manhole();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", manhole.port));
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    let shown = ask_manhole(&page);
    assert_eq!(shown.matches("range(3)").count(), 1, "typed once, shown once:\n{shown}");
    page.press("Control+D");
    page.wait_state("ended");
}
