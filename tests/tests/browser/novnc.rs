//! noVNC as Debian has it, unchanged, in front of real VNC servers: the token in its path chooses the desk.

use std::fs;

use tests::browser::{Browser, Page};
use tests::{Forwarder, Peer, Process, binary, net, until};

use crate::url;

/// A desk: a VNC server with a root window of one colour.
struct Desk {
    server: Peer,
    display: String,
    port: u16,
}

impl Desk {
    fn start(colour: &str) -> Self {
        let port = net::free_port();
        let server = Peer::start(
            "Xtigervnc",
            &["-displayfd", "1", "-rfbport", &port.to_string(), "-localhost", "-nolisten", "tcp"]
                .into_iter()
                .chain(["-SecurityTypes", "None", "-geometry", "640x400", "-depth", "24", "-ac"])
                .collect::<Vec<_>>(),
        );
        // The number of the display is all that it prints there.
        let display = until("the display has a number", || {
            let printed = String::from_utf8_lossy(&server.stdout().bytes()).trim().to_owned();
            (!printed.is_empty()).then_some(printed)
        });
        let mut desk = Self { server, display: format!(":{display}"), port };
        desk.server.wait_for_port(port);
        assert!(desk.run("xsetroot", &["-solid", colour]).wait_exit().success(), "it is painted");
        desk
    }

    fn run(&self, program: &str, args: &[&str]) -> Process {
        let file = binary::program(program);
        let file = file.unwrap_or_else(|| panic!("no `{program}`: run `cargo xtask interop`"));
        let mut command = std::process::Command::new(file);
        Process::spawn(program, command.args(["-display", &self.display]).args(args))
    }
}

/// The colour in the middle of the right edge of what noVNC shows, as `r,g,b`.
fn colour(page: &Page<'_>) -> String {
    let script = "(() => { const c = document.querySelector('#noVNC_container canvas'); if (!c || !c.width) return ''; \
        return [...c.getContext('2d').getImageData(c.width - 5, c.height / 2, 1, 1).data].slice(0, 3).join(); })()";
    page.evaluate(script).as_str().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "needs noVNC and a VNC server: cargo xtask interop"]
fn a_token_opens_its_desk() {
    let folder = tempfile::tempdir().expect("a folder");
    let (blue, green) = (Desk::start("#204a87"), Desk::start("#4e9a06"));
    let typed = folder.path().join("typed");
    let terminal = ["-geometry", "60x16+20+20", "-fa", "DejaVu Sans Mono", "-fs", "10", "-e", "sh"];
    let _terminal = blue.run("xterm", &terminal);
    let tokens = folder.path().join("tokens");
    let lines = format!("desk-1: 127.0.0.1:{}\ndesk-2: 127.0.0.1:{}\n", blue.port, green.port);
    fs::write(&tokens, lines).expect("it is written");
    let route = format!("route:file={}:allow=127.0.0.1", tokens.display());
    let forwarder = Forwarder::between("ws:0:page=/usr/share/novnc/", &route);
    let browser = Browser::start();
    // It looks for its version, which Debian's doesn't have there.
    browser.forgive("package.json");
    let at = |query: &str| format!("{}vnc.html?autoconnect=true&{query}", url(&forwarder));
    let first = browser.open(&at("path=%3Ftoken%3Ddesk-1"));
    let second = browser.open(&at("path=websockify%3Ftoken%3Ddesk-2"));
    until("the first desk is shown", || (colour(&first) == "32,74,135").then_some(()));
    until("the second desk is shown", || (colour(&second) == "78,154,6").then_some(()));
    // It is a desk to work at.
    first.click("#noVNC_container canvas");
    first.type_text(&format!("echo seen through noVNC | tee {}\n", typed.display()));
    until("it was typed", || {
        fs::read_to_string(&typed).ok().filter(|text| text == "seen through noVNC\n")
    });
    first.screenshot("novnc");
    // There is no such desk.
    browser.forgive("token=desk-3");
    browser.forgive("Failed when connecting");
    let third = browser.open(&at("path=%3Ftoken%3Ddesk-3"));
    until("it says that it can't connect", || {
        third.text().contains("Failed to connect to server").then_some(())
    });
}
