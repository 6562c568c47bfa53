//! Credentials as a hostile client sends them: twice, cut, with NUL, far too long, or many at once.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::thread;

use tempfile::TempDir;
use tests::ws::{Request, Response, WebSocket};
use tests::{Forwarder, net};

const BEARER: &str = "Bearer 0123456789abcdefgh";
/// `ada:engine`.
const BASIC: &str = "Basic YWRhOmVuZ2luZQ==";

/// A listener with a user and a token.
struct Ours {
    _folder: TempDir,
    forwarder: Forwarder,
}

impl Ours {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        let (users, tokens) = (at.join("users"), at.join("tokens"));
        fs::write(&tokens, "0123456789abcdefgh:robot\n").expect("it is written");
        let hash = Command::new("openssl").args(["passwd", "-apr1", "engine"]).output();
        let hash = String::from_utf8(hash.expect("openssl runs").stdout).expect("text");
        fs::write(&users, format!("ada:{hash}")).expect("it is written");
        let (users, tokens) = (users.display(), tokens.display());
        let listen = format!("ws:{{tcp:0}}:auth={{{{htpasswd:{users}}},{{bearer:file={tokens}}}}}");
        let forwarder = Forwarder::start(&["-e", &listen, "-d", "echo"]);
        Self { _folder: folder, forwarder }
    }

    /// The status for lines of a header.
    fn status(&self, lines: &[&str]) -> u16 {
        let request = String::from_utf8(Request::new("/").encode()).expect("text");
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let request = request.replacen("\r\n\r\n", &format!("\r\n{lines}\r\n"), 1);
        let stream = net::connect(self.forwarder.port(0));
        // A request that is too long is answered before it ends.
        let _ = (&stream).write_all(request.as_bytes());
        Response::read(&stream).status
    }
}

fn failed(forwarder: &Forwarder) -> usize {
    forwarder.log().matches("signing in has failed").count()
}

#[test]
fn two_of_them_are_none() {
    let ours = Ours::new();
    let (bearer, basic) = (format!("Authorization: {BEARER}"), format!("Authorization: {BASIC}"));
    for (lines, status) in [
        (&[&*bearer][..], 101),
        (&[&*basic], 101),
        (&["aUTHORIZATION: bEARER 0123456789abcdefgh"], 101),
        (&[&*bearer, &*bearer], 401),
        (&[&*basic, &*bearer], 401),
        (&[&*bearer, "Authorization: Bearer x"], 401),
        (&["Authorization: Bearer x", &*bearer], 401),
        (&["Authorization:", &*bearer], 401),
        // Another header that a proxy may have checked.
        (&["Proxy-Authorization: Bearer 0123456789abcdefgh"], 401),
        (&["X-Remote-User: ada", "Remote-User: ada"], 401),
        // A line that goes on in the next one, and a name with a space, are read differently by proxies.
        (&["Authorization: Bearer", " 0123456789abcdefgh"], 400),
        (&["Authorization : Bearer 0123456789abcdefgh"], 400),
    ] {
        assert_eq!(ours.status(lines), status, "{lines:?}");
    }
}

#[test]
fn they_are_whole_or_none() {
    let ours = Ours::new();
    let long = format!("Authorization: Bearer {}", "x".repeat(1 << 20));
    for (line, status) in [
        ("Authorization: Bearer 0123456789abcdefgh\0", 400),
        ("Authorization: Bearer\t0123456789abcdefgh", 401),
        ("Authorization: Bearer 0123456789abcdefgh, Basic x", 401),
        ("Authorization: Basic", 401),
        ("Authorization: Basic !!!!", 401),
        // `ada`
        ("Authorization: Basic YWRh", 401),
        // `ada:` and bytes that are not UTF-8
        ("Authorization: Basic YWRhOv/+", 401),
        ("Sec-WebSocket-Protocol: endpointforward.ticket.", 401),
        ("Sec-WebSocket-Protocol: a\0b", 400),
        (&long, 431),
    ] {
        let seen = ours.status(&[line]);
        assert_eq!(seen, status, "{:?}", line.chars().take(70).collect::<String>());
    }
    let ours = Ours::new();
    for encoded in [
        // `ada\n:engine`, `ada\0:engine`, `ada:engine\0`, `ada:engine\0x`
        "YWRhCjplbmdpbmU=",
        "YWRhADplbmdpbmU=",
        "YWRhOmVuZ2luZQA=",
        "YWRhOmVuZ2luZQB4",
    ] {
        assert_eq!(ours.status(&[&format!("Authorization: Basic {encoded}")]), 401, "{encoded}");
    }
    let log = ours.forwarder.log();
    assert!(log.contains(r#"user="ada\n""#) && !log.contains('\0'), "{log}");
}

#[test]
fn a_long_name_is_cut_in_the_log() {
    let ours = Ours::new();
    // `aaa…:aaa…`, in base64.
    let line = format!("Authorization: Basic {}OmFh{}", "YWFh".repeat(1500), "YWFh".repeat(10));
    assert_eq!(ours.status(&[&line]), 401);
    let line = ours.forwarder.wait_for_log("signing in has failed");
    assert!(line.len() < 300, "{line}");
}

#[test]
fn two_cookies_of_one_name_open_a_folder_if_one_of_them_is_right_and_no_session() {
    let ours = Ours::new();
    let name = format!("endpointforward-{}", ours.forwarder.port(0));
    for cookies in [
        &[&*format!("Cookie: {name}=a; {name}=b")][..],
        &[&*format!("Cookie: {name}=a"), &*format!("Cookie: {name}=b")],
    ] {
        assert_eq!(ours.status(cookies), 401, "{cookies:?}");
    }
}

#[test]
fn guesses_at_the_same_time_are_counted_too() {
    let ours = Ours::new();
    let port = ours.forwarder.port(0);
    let ask = |stream: TcpStream| {
        let request = Request::new("/").header("Authorization", "Basic YWRhOmd1ZXNz");
        WebSocket::open(stream, &request).map_or_else(|refused| refused.status, |_| 101)
    };
    let guesses: Vec<_> = (0..60).map(|_| net::connect(port)).collect();
    let guesses: Vec<_> = guesses.into_iter().map(|it| thread::spawn(move || ask(it))).collect();
    let statuses: Vec<_> = guesses.into_iter().map(|it| it.join().expect("no panic")).collect();
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    // Two passwords are verified at the same time: both may have been begun before the fifth has failed.
    let failed = failed(&ours.forwarder);
    assert!((5..=7).contains(&failed), "{failed} passwords were looked at");
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!(refused, statuses.len() - failed);
}
