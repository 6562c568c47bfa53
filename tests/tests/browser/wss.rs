//! The page over TLS: with a certificate that the listener makes, which its user takes, and with one of an authority that
//! the browser trusts.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use tests::browser::Browser;
use tests::firefox::Firefox;
use tests::{Forwarder, binary};

use crate::BASH;
use crate::signin::{passwd, users};

/// An authority of the test's own, and a certificate for this host.
struct Authority(TempDir);

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
        let openssl = |more: &[&str]| {
            let mut command = Command::new(program("openssl"));
            ran(command.current_dir(&folder).args(["req", "-x509"]).args(new).args(more));
        };
        openssl(&["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=of the test"]);
        openssl(&[
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ]);
        Self(folder)
    }

    fn listener(&self) -> String {
        let at = self.0.path().display();
        format!("ws:{{tls:0:cert={at}/cert.pem:key={at}/key.pem}}")
    }

    /// Has a browser trust it whose database of certificates is in this folder.
    fn trusted_in(&self, database: &Path) {
        std::fs::create_dir_all(database).expect("a folder");
        let database = format!("sql:{}", database.display());
        let certutil = |more: &[&str]| {
            ran(Command::new(program("certutil")).args(["-d", &database]).args(more));
        };
        certutil(&["-N", "--empty-password"]);
        let ca = self.0.path().join("ca.pem");
        certutil(&["-A", "-t", "C,,", "-n", "of the test", "-i", &ca.display().to_string()]);
    }
}

fn program(name: &str) -> std::path::PathBuf {
    binary::program(name)
        .unwrap_or_else(|| panic!("`{name}` is not installed: run `cargo xtask setup`"))
}

fn ran(command: &mut Command) {
    let Output { status, stderr, .. } = command.output().expect("it starts");
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
}

fn secure(forwarder: &Forwarder) -> String {
    format!("https://localhost:{}/", forwarder.port(0))
}

#[test]
fn a_certificate_of_its_own_is_taken_by_who_says_so() {
    let forwarder = Forwarder::between("ws:{tls:0:cert=self-signed}", BASH);
    let browser = Browser::start();
    let page = browser.open_trusting(&secure(&forwarder));
    page.wait_text("ready> ");
    page.type_text("echo $((6 * 7))\n");
    page.wait_text("\n42");
}

#[test]
fn an_authority_that_is_trusted_is_enough() {
    let authority = Authority::new();
    let forwarder = Forwarder::between(&authority.listener(), BASH);
    let browser = Browser::start_with(&[], |home| authority.trusted_in(&home.join(".pki/nssdb")));
    let page = browser.open(&secure(&forwarder));
    page.wait_text("ready> ");
    page.type_text("echo $((6 * 7))\n");
    page.wait_text("\n42");
}

/// The expression for the terminal's text.
const SCREEN: &str = "window.endpointforward.text()";

#[test]
#[ignore = "needs Firefox: cargo xtask interop"]
fn firefox_takes_a_certificate_of_its_own_if_its_user_does() {
    let forwarder = Forwarder::between("ws:{tls:0:cert=self-signed}", BASH);
    let browser = Firefox::start_with(true, |_| ());
    browser.open(&secure(&forwarder));
    browser.wait(&format!("{SCREEN}.includes('ready>')"));
    browser.type_text("echo $((6 * 7))\n");
    browser.wait(&format!("{SCREEN}.includes('\\n42')"));
}

#[test]
#[ignore = "needs Firefox: cargo xtask interop"]
fn firefox_connects_where_it_trusts_the_authority() {
    let authority = Authority::new();
    let forwarder = Forwarder::between(&authority.listener(), BASH);
    let browser = Firefox::start_with(false, |profile| authority.trusted_in(profile));
    browser.open(&secure(&forwarder));
    browser.wait(&format!("{SCREEN}.includes('ready>')"));
}

/// A wrong password, the right one, the terminal, out, and a password that was changed.
#[test]
#[ignore = "needs Firefox: cargo xtask interop"]
fn firefox_signs_in_and_out() {
    let (_folder, file) = users();
    let listen = format!("ws:0:auth={{{{htpasswd:{}}}}}", file.display());
    let forwarder = Forwarder::between(&listen, BASH);
    let browser = Firefox::start();
    let state = |state: &str| format!("document.documentElement.dataset.state === '{state}'");
    let sign_in = |password: &str| {
        browser.wait("document.activeElement.id.startsWith('sign-in-')");
        // It fills in names that it has seen.
        let name = "document.getElementById('sign-in-name')";
        let _empty = browser.evaluate(&format!("({name}.value = '', {name}.focus(), '')"));
        browser.type_text("ada");
        // Tab.
        browser.type_text("\u{e004}");
        browser.type_text(&format!("{password}\n"));
    };
    browser.open(&crate::url(&forwarder));
    sign_in("wrong");
    browser
        .wait("document.getElementById('sign-in-words').textContent.includes('password is wrong')");
    browser.type_text("engine\n");
    browser.wait(&state("connected"));
    browser.wait(&format!("{SCREEN}.includes('ready>')"));
    browser.type_text("echo $((6 * 7))\n");
    browser.wait(&format!("{SCREEN}.includes('\\n42')"));
    let _clicked = browser.evaluate("String(document.getElementById('sign-out').click())");
    browser.wait(&state("out"));
    sign_in("engine");
    browser.wait(&state("connected"));
    passwd(&file, "ada", "another");
    tests::until("the file was read again", || {
        browser.open(&crate::url(&forwarder));
        let settled = format!("{} || {}", state("out"), state("connected"));
        browser.wait(&settled);
        (browser.evaluate("document.documentElement.dataset.state") == "out").then_some(())
    });
    sign_in("another");
    browser.wait(&state("connected"));
}
