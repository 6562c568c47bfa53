//! Names that lead elsewhere: to two addresses of which one is forbidden, or to another one the second time. The names are
//! in a file of this test's own, which stands in /etc/hosts' place for the forwarder alone.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tempfile::TempDir;
use tests::ws::{Request, WebSocket};
use tests::{Forwarder, net};

/// Starts a server at one of the loopback addresses that sends its name. Returns its port and a visitor count.
fn named(address: &str, port: u16, name: &'static str) -> Option<(u16, Arc<AtomicUsize>)> {
    let server = TcpListener::bind((address, port)).ok()?;
    let port = server.local_addr().expect("an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            // A client that has left needs no name.
            let _ = stream.write_all(name.as_bytes());
        }
    });
    Some((port, count))
}

/// Two servers at one port: ours at 127.0.0.2, and at 127.0.0.3 what no client may reach.
struct Servers {
    port: u16,
    ours: Arc<AtomicUsize>,
    secret: Arc<AtomicUsize>,
}

fn servers() -> Servers {
    loop {
        let (port, ours) = named(OURS, 0, "ours").expect("a port");
        if let Some((_, secret)) = named(SECRET, port, "secret") {
            return Servers { port, ours, secret };
        }
    }
}

/// The names, which may change.
struct Hosts(TempDir);

impl Hosts {
    /// Returns none, with a line with the reason, without root.
    #[expect(clippy::print_stderr, reason = "it says why a test did nothing")]
    fn new() -> Option<Self> {
        let tried = Command::new("unshare").args(["--mount", "true"]).output();
        if !tried.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: `unshare --mount` needs root");
            return None;
        }
        let hosts = Self(tempfile::tempdir().expect("a folder"));
        hosts.are(&[]);
        Some(hosts)
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.path().join("hosts")
    }

    /// In place: it is mounted.
    fn are(&self, addresses: &[&str]) {
        let lines: String = addresses.iter().map(|it| format!("{it} desk.example\n")).collect();
        fs::write(self.file(), lines).expect("it is written");
    }

    fn forwarder(&self, destination: &str) -> Forwarder {
        let mount = format!("mount --bind {} /etc/hosts && exec \"$@\"", self.file().display());
        let wrapper = ["unshare", "--mount", "sh", "-c", &mount, "sh"];
        Forwarder::start_by_wrapper(&wrapper, &["-e", "ws:0", "-d", destination])
    }
}

fn asked(forwarder: &Forwarder, path: &str) -> Result<String, u16> {
    let opened = WebSocket::open(net::connect(forwarder.port(0)), &Request::new(path));
    let mut socket = opened.map_err(|refused| refused.status)?;
    Ok(String::from_utf8(socket.message()).expect("text"))
}

/// The ways to a name that a client chooses, or that an operator has written: the destination, and a client's request.
fn ways(folder: &Path, port: u16) -> [(String, String); 4] {
    let tokens = folder.join("tokens");
    fs::write(&tokens, format!("desk: desk.example:{port}\n")).expect("it is written");
    let allow = format!("allow={{{OURS}:{port}}}");
    let path = format!("/?address=desk.example:{port}&host=desk.example");
    [
        (format!("target:address={{${{http.query.address}}}}:{allow}"), path.clone()),
        (format!("tcp:${{http.query.host}}:{port}:{allow}"), path),
        (format!("tcp:desk.example:{port}:{allow}"), "/".to_owned()),
        (format!("route:file={}:{allow}", tokens.display()), "/?token=desk".to_owned()),
    ]
}

#[test]
fn of_two_addresses_the_forbidden_one_is_not_dialled() {
    let Some(hosts) = Hosts::new() else { return };
    let servers = servers();
    for (destination, path) in ways(hosts.0.path(), servers.port) {
        let forwarder = hosts.forwarder(&destination);
        for order in [[OURS, SECRET], [SECRET, OURS]] {
            hosts.are(&order);
            assert_eq!(asked(&forwarder, &path).as_deref(), Ok("ours"), "{destination} {order:?}");
        }
        // One that is allowed and down is no reason to try the other.
        hosts.are(&[SECRET, "127.0.0.4"]);
        let wider = destination.replace(&format!("{OURS}:"), "127.0.0.4:");
        let forwarder = hosts.forwarder(&wider);
        assert_eq!(asked(&forwarder, &path), Err(502), "{wider}");
    }
    assert_eq!(servers.secret.load(Ordering::SeqCst), 0);
    assert_eq!(servers.ours.load(Ordering::SeqCst), 8);
}

#[test]
fn a_name_that_leads_elsewhere_the_second_time_is_refused() {
    let Some(hosts) = Hosts::new() else { return };
    let servers = servers();
    for (destination, path) in ways(hosts.0.path(), servers.port) {
        let forwarder = hosts.forwarder(&destination);
        hosts.are(&[OURS]);
        assert_eq!(asked(&forwarder, &path).as_deref(), Ok("ours"), "{destination}");
        for elsewhere in [SECRET, "169.254.169.254", "0.0.0.0", "::1", "::ffff:127.0.0.3"] {
            hosts.are(&[elsewhere]);
            assert_eq!(asked(&forwarder, &path), Err(403), "{destination} {elsewhere}");
        }
        forwarder.wait_for_log("`allow` doesn't permit `desk.example`, which is 127.0.0.3, port");
        hosts.are(&[OURS]);
        assert_eq!(asked(&forwarder, &path).as_deref(), Ok("ours"), "{destination}");
    }
    assert_eq!(servers.secret.load(Ordering::SeqCst), 0);
}

const OURS: &str = "127.0.0.2";
const SECRET: &str = "127.0.0.3";
