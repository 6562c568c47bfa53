//! websockify and its plugins: with the same files, keys and tokens, a client gets to the same places.
//!
//! The differences are in docs/coming-from.md, and in the last test here.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::thread;

use tests::ws::Request;
use tests::{Forwarder, Peer, Process, interop, net, until};

use crate::succeeds;

/// Sends a destination's name to one of its clients.
fn says(name: &'static str, mut stream: impl Read + Write) {
    // A client that has left needs no name.
    let _ = stream.write_all(name.as_bytes());
}

fn named_at(address: &str, name: &'static str) -> u16 {
    let server = TcpListener::bind(address).expect("a port");
    let port = server.local_addr().expect("an address").port();
    thread::spawn(move || server.incoming().flatten().for_each(|stream| says(name, stream)));
    port
}

fn named(name: &'static str) -> u16 {
    named_at("127.0.0.1:0", name)
}

fn named_socket(path: &str, name: &'static str) {
    let server = UnixListener::bind(path).expect("a socket");
    thread::spawn(move || server.incoming().flatten().for_each(|stream| says(name, stream)));
}

/// A websockify with a plugin, and its port.
fn websockify(plugin: &str, source: &str, more: &[&str]) -> (Process, u16) {
    let port = net::free_port();
    let mut command = Command::new(interop("websockify"));
    command.args(["--token-plugin", plugin, "--token-source", source]).args(more);
    let process = Process::spawn("websockify", command.arg(format!("127.0.0.1:{port}")));
    until("websockify listens", || net::try_connect(port).ok());
    (process, port)
}

/// Returns the name of the destination that a client gets to; `None` if it gets to none. websockify then closes the
/// connection without a word, or the WebSocket once it is open.
fn reached(port: u16, path: &str, host: &str) -> Option<String> {
    let mut stream = net::connect(port);
    let request = Request::new(path).header("Host", host);
    stream.write_all(&request.encode()).expect("it is taken");
    let mut all = Vec::new();
    // Until it closes, or a whole message is there.
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        all.extend_from_slice(&piece[..length]);
        let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let (head, frames) = all.split_at(end + 4);
        if !head.starts_with(b"HTTP/1.1 101 ") {
            return None;
        }
        match *frames {
            [0x82, length, ..] if frames.len() >= 2 + usize::from(length) => {
                let name = &frames[2..2 + usize::from(length)];
                return Some(String::from_utf8_lossy(name).into_owned());
            }
            // A Close.
            [0x88, ..] => return None,
            _ => {}
        }
    }
    None
}

/// Asks both for the same; returns what both say.
fn agree(theirs: u16, ours: u16, path: &str, host: &str) -> Option<String> {
    let expected = reached(theirs, path, host);
    assert_eq!(reached(ours, path, host), expected, "{path} of {host}: ours, theirs");
    expected
}

fn ours(destination: &str) -> (Forwarder, u16) {
    let forwarder = Forwarder::between("ws:0:host=any", destination);
    let port = forwarder.port(0);
    (forwarder, port)
}

/// Compares a plugin with a destination of ours, for tokens as they stand in a URL, and returns where those lead to.
fn compare(plugin: &str, source: &str, destination: &str, tokens: &[&str]) -> Vec<Option<String>> {
    let (_process, theirs) = websockify(plugin, source, &[]);
    let (_forwarder, ours) = ours(destination);
    let path = |token: &&str| format!("/websockify?token={token}");
    tokens.iter().map(|token| agree(theirs, ours, &path(token), "127.0.0.1")).collect()
}

fn some(name: &str) -> Option<String> {
    Some(name.to_owned())
}

/// A token file with everything that websockify reads.
fn lines(one: u16, other: u16, six: u16, socket: &str) -> String {
    let down = net::free_port();
    format!(
        "# desks\n\ndesk-1: 127.0.0.1:{one}\ndesk-2:   localhost:{other}  \ntab:\t127.0.0.1:{one}\n  \
         indented: 127.0.0.1:{one}\nmy vm=1: 127.0.0.1:{one}\nx:y: 127.0.0.1:{one}\nx:z:\t127.0.0.1:{one}\n\
         v6: ::1:{six}\nlocal: unix_socket:{socket}\ntwice: 127.0.0.1:{one}\ntwice: 127.0.0.1:{other}\nnothing\n\
         no-port: 127.0.0.1\ndown: 127.0.0.1:{down}\nb\u{fc}ro: 127.0.0.1:{one}\n"
    )
}

const TOKENS: &[&str] = &[
    "desk-1",
    "desk%2d1",
    "desk-2",
    "tab",
    "indented",
    "my+vm%3D1",
    "my%20vm=1",
    "x:y",
    "x%3Az",
    "v6",
    "local",
    "twice",
    "nothing",
    "no-port",
    "down",
    "b%C3%BCro",
    "",
    "DESK-1",
    "desk",
    "desk-1%0Ax",
    "%20desk-1",
    "desk-1&token=desk-2",
    "desk-3",
    "%23",
    "desk-1%00",
    "desk-1;token=desk-2",
];

#[test]
#[ignore = "needs websockify: cargo xtask interop"]
fn a_token_file_leads_to_the_same_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (one, other, six) = (named("one"), named("other"), named_at("[::1]:0", "six"));
    named_socket(&at("socket"), "local");
    fs::write(at("tokens"), lines(one, other, six, &at("socket"))).expect("it is written");
    for plugin in ["TokenFile", "ReadOnlyTokenFile"] {
        let route = format!("route:file={}", at("tokens"));
        let found = compare(plugin, &at("tokens"), &route, TOKENS);
        let expected = [
            "one", "one", "other", "one", "one", "one", "one", "one", "one", "six", "local",
            "other",
        ];
        assert_eq!(found[..12], expected.map(some));
        assert!(found[12..15].iter().all(Option::is_none), "{found:?}");
    }
    // Wherever the token stands, and whatever else does.
    let (_process, theirs) = websockify("TokenFile", &at("tokens"), &[]);
    let (_forwarder, ours) = ours(&format!("route:file={}", at("tokens")));
    for (path, expected) in [
        ("/?token=desk-1", some("one")),
        ("/?x=1&token=desk-1&y", some("one")),
        ("/a/b?token=desk-2", some("other")),
        ("/", None),
        ("/token=desk-1", None),
        ("/?Token=desk-1", None),
    ] {
        assert_eq!(agree(theirs, ours, path, "127.0.0.1"), expected, "{path}");
    }
    // A changed file counts for both.
    fs::write(at("tokens"), format!("desk-1: 127.0.0.1:{other}\n")).expect("it is written");
    until("the new line counts", || {
        (reached(ours, "/?token=desk-1", "127.0.0.1") == some("other")).then_some(())
    });
    for (token, expected) in [("desk-1", some("other")), ("desk-2", None)] {
        assert_eq!(agree(theirs, ours, &format!("/?token={token}"), "127.0.0.1"), expected);
    }
}

#[test]
#[ignore = "needs websockify: cargo xtask interop"]
fn a_folder_of_token_files_and_the_name_of_the_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (one, other) = (named("one"), named("other"));
    fs::write(at("a.cfg"), format!("desk-1: 127.0.0.1:{one}\n")).expect("it is written");
    fs::write(at("b.cfg"), format!("desk-2: 127.0.0.1:{other}\nbad\n")).expect("it is written");
    let source = folder.path().display().to_string();
    let found = compare("TokenFile", &source, &format!("route:file={source}"), TOKENS);
    assert_eq!(found[..3], [some("one"), some("one"), some("other")]);

    let (_process, theirs) = websockify("TokenFile", &source, &["--host-token"]);
    let (_forwarder, ours) = ours(&format!("route:file={source}:key=${{http.hostname}}"));
    for (host, expected) in [
        ("desk-1", some("one")),
        ("desk-1:6080", some("one")),
        ("desk-2", some("other")),
        ("desk-3:6080", None),
        ("127.0.0.1", None),
    ] {
        assert_eq!(agree(theirs, ours, "/?token=desk-2", host), expected, "{host}");
    }
}

#[test]
#[ignore = "needs websockify: cargo xtask interop"]
fn a_folder_with_a_file_or_a_socket_for_each_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (one, other) = (named("one"), named("other"));
    for name in ["files", "sockets", "sockets-of-others"] {
        fs::create_dir(at(name)).expect("a folder");
    }
    for (name, text) in [
        ("desk-1", format!("127.0.0.1:{one}\n")),
        ("my vm=1", format!("  127.0.0.1:{one}  \n\n")),
        ("desk-2", format!("localhost:{other}")),
        ("bad", "nothing".to_owned()),
        ("empty", String::new()),
    ] {
        fs::write(at(&format!("files/{name}")), text).expect("it is written");
    }
    fs::create_dir(at("files/folder")).expect("a folder");
    let tokens = [
        "desk-1",
        "my%20vm=1",
        "desk-2",
        "bad",
        "empty",
        "folder",
        "desk-3",
        "..",
        ".",
        "%2e%2e%2fsecret",
        "",
    ];
    let route = format!("route:file={}:format=names", at("files"));
    let found = compare("TokenFileName", &at("files"), &route, &tokens);
    assert_eq!(found[..3], [some("one"), some("one"), some("other")]);
    assert!(found[3..].iter().all(Option::is_none), "{found:?}");

    named_socket(&at("sockets/desk-1"), "socket");
    named_socket(&at("sockets-of-others/desk-1"), "stolen");
    let tokens = ["desk-1", "desk-2", "", ".", "..%2ffiles%2fdesk-1", "%2fetc%2fpasswd"];
    let route = format!("route:file={}:format=names", at("sockets"));
    let found = compare("UnixDomainSocketDirectory", &at("sockets"), &route, &tokens);
    assert_eq!((&found[0], found[1..].iter().all(Option::is_none)), (&some("socket"), true));
    // Theirs compares the beginnings of paths.
    let (_process, theirs) = websockify("UnixDomainSocketDirectory", &at("sockets"), &[]);
    let (_forwarder, ours) = ours(&route);
    let path = "/?token=..%2fsockets-of-others%2fdesk-1";
    assert_eq!(reached(theirs, path, "127.0.0.1"), some("stolen"));
    assert_eq!(reached(ours, path, "127.0.0.1"), None);
}

#[test]
#[ignore = "needs websockify: cargo xtask interop"]
fn signed_tokens_lead_to_the_same_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = named("one").to_string();
    let script = tests::root().join("tests/peers/websockify_tokens.py");
    let source = folder.path().display().to_string();
    let made =
        succeeds(Command::new(interop("python")).arg(script).args([&source, "127.0.0.1", &port]));
    let made = made.text();
    for alg in ["HS256", "RS256", "ES256", "ES384"] {
        let file = format!("{source}/{alg}.key");
        let (_process, theirs) = websockify("JWTTokenApi", &file, &[]);
        let (_forwarder, ours) = ours(&format!("route:jwt={file}:lasting=true"));
        let tokens = made.lines().filter_map(|line| line.strip_prefix(alg)?.trim().split_once(' '));
        let mut count = 0;
        for (name, token) in tokens {
            count += 1;
            let path = format!("/?token={token}");
            let expected = reached(theirs, &path, "127.0.0.1");
            let got = reached(ours, &path, "127.0.0.1");
            let is_good = ["plain", "port-text", "expires", "valid", "more", "kid"].contains(&name);
            match name {
                // A token for another audience: `aud=vnc` takes it.
                "audience" => {
                    assert_eq!((got, expected), (None, some("one")), "{alg} {name}");
                }
                _ => {
                    assert_eq!(got, expected, "{alg} {name}: ours, theirs");
                    assert_eq!(got.is_some(), is_good, "{alg} {name}");
                }
            }
        }
        assert!(count > 14, "{made}");
        let (_forwarder, ours) = self::ours(&format!("route:jwt={file}:lasting=true:aud=vnc"));
        let audience = made.lines().find_map(|line| line.strip_prefix(&format!("{alg} audience ")));
        let path = format!("/?token={}", audience.expect("it is made"));
        assert_eq!(reached(ours, &path, "127.0.0.1"), some("one"));
    }
}

#[test]
#[ignore = "needs websockify: cargo xtask interop"]
fn tokens_in_redis_lead_to_the_same_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (named("one"), named("other"));
    let port = net::free_port().to_string();
    let mut redis = Peer::start(
        "redis-server",
        &[
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            "/",
            "--requirepass",
            "pw",
        ],
    );
    redis.wait_for_port(port.parse().expect("a number"));
    let set = |database: &str, key: &str, value: &str| {
        let mut cli = crate::program("redis-cli");
        cli.args(["-p", &port, "-a", "pw", "--no-auth-warning", "-n", database, "SET", key, value]);
        assert_eq!(succeeds(&mut cli).text(), "OK\n");
    };
    for (database, prefix) in [("0", ""), ("1", ""), ("1", "ns:"), ("0", "a:b:")] {
        let set = |key: &str, value: &str| set(database, &format!("{prefix}{key}"), value);
        set("plain", &format!("127.0.0.1:{one}"));
        set("spaced", &format!(" 127.0.0.1:{one}\n"));
        set("json", &format!("{{\"host\": \"127.0.0.1:{other}\"}}"));
        set("more", &format!("{{\"name\": \"x\", \"host\": \"localhost:{other}\"}}"));
        set("half", "{\"host\": ");
        set("other", "{\"target\": \"127.0.0.1:1\"}");
        set("list", "[1]");
        set("nothing", "nothing");
        set("my vm=1", &format!("127.0.0.1:{one}"));
    }
    let tokens = [
        "plain",
        "spaced",
        "json",
        "more",
        "my+vm%3D1",
        "half",
        "other",
        "list",
        "nothing",
        "absent",
        "",
        "ns:plain",
        "*",
    ];
    let file = folder.path().join("password");
    fs::write(&file, "pw\n").expect("it is written");
    for (source, options) in [
        (format!("127.0.0.1:{port}::pw"), ""),
        (format!("127.0.0.1:{port}:1:pw"), ":database=1"),
        (format!("127.0.0.1:{port}:1:pw:ns"), ":database=1:prefix={ns:}"),
        (format!("127.0.0.1:{port}::pw:\"a:b\""), ":prefix={a:b:}"),
    ] {
        let route = format!(
            "route:redis={{tcp:127.0.0.1:{port}}}:password-file={}{options}",
            file.display()
        );
        let found = compare("TokenRedis", &source, &route, &tokens);
        let expected = ["one", "one", "other", "other", "one"].map(some);
        assert_eq!(found[..5], expected, "{source}");
        assert!(found[5..11].iter().all(Option::is_none), "{source}: {found:?}");
    }
}

/// Starts a server that answers `/host/TOKEN` with the destination, as text or in JSON.
fn answers(text: impl Fn(&str) -> Option<String> + Send + 'static) -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            let (mut read, mut piece) = (Vec::new(), [0; 4096]);
            while !read.windows(4).any(|four| four == b"\r\n\r\n") {
                let Ok(length @ 1..) = stream.read(&mut piece) else { break };
                read.extend_from_slice(&piece[..length]);
            }
            let head = String::from_utf8_lossy(&read).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            let (status, body) = match path.strip_prefix("/host/").and_then(&text) {
                Some(body) => ("200 OK", body),
                None => ("404 Not Found", String::new()),
            };
            let length = body.len();
            let reply = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            let _left = stream.write_all(reply.as_bytes());
        }
    });
    port
}

#[test]
#[ignore = "needs websockify: cargo xtask interop"]
fn servers_that_are_asked_with_the_token_lead_to_the_same_places() {
    let one = named("one");
    let json = move |token: &str| match token {
        "desk-1" => Some(format!("{{\"host\": \"127.0.0.1\", \"port\": {one}}}")),
        "text" => Some(format!("{{\"host\": \"127.0.0.1\", \"port\": \"{one}\"}}")),
        "my%20vm" => Some(format!("{{\"host\": \"localhost\", \"port\": {one}}}")),
        "no-port" => Some("{\"host\": \"127.0.0.1\"}".to_owned()),
        "broken" => Some("{\"host\": ".to_owned()),
        _ => None,
    };
    let plain = move |token: &str| match token {
        "desk-1" => Some(format!("127.0.0.1:{one}")),
        "my%20vm" => Some(format!("localhost:{one}")),
        "no-port" => Some("127.0.0.1".to_owned()),
        _ => None,
    };
    let tokens = ["desk-1", "my%20vm", "text", "no-port", "broken", "other", ""];
    for (plugin, server) in [("JSONTokenApi", answers(json)), ("BaseTokenAPI", answers(plain))] {
        let source = format!("http://127.0.0.1:{server}/host/%s");
        let found = compare(plugin, &source, &format!("route:http={{{source}}}"), &tokens);
        assert_eq!(found[0], some("one"), "{plugin}: {found:?}");
        assert_eq!(found[1], some("one"), "{plugin}: {found:?}");
        assert!(found[3..].iter().all(Option::is_none), "{plugin}: {found:?}");
    }
}

/// Tokens and files that ours takes and theirs doesn't, and the other way round.
#[test]
#[ignore = "needs websockify: cargo xtask interop"]
fn what_differs() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (one, six) = (named("one"), named_at("[::1]:0", "six"));
    fs::write(at("tokens"), format!("tight:127.0.0.1:{one}\nv6: [::1]:{six}\n"))
        .expect("it is written");
    fs::create_dir(at("files")).expect("a folder");
    for name in ["desk-1", ".hidden"] {
        fs::write(at(&format!("files/{name}")), format!("127.0.0.1:{one}")).expect("it is written");
    }
    let (_process, theirs) = websockify("TokenFile", &at("tokens"), &[]);
    let (_forwarder, ours) = ours(&format!("route:file={}", at("tokens")));
    for (token, expected) in [("tight", "one"), ("v6", "six")] {
        let path = format!("/?token={token}");
        assert_eq!(reached(theirs, &path, "127.0.0.1"), None, "{token}");
        assert_eq!(reached(ours, &path, "127.0.0.1"), some(expected), "{token}");
    }
    // Names in a query are taken as they are, the first one counts, and a token has no control characters.
    fs::write(at("tokens"), format!("desk-1: 127.0.0.1:{one}\n")).expect("it is written");
    for path in ["/?tok%65n=desk-1", "/?token=&token=desk-1", "/?token=desk-1%0A"] {
        assert_eq!(reached(theirs, path, "127.0.0.1"), some("one"), "{path}");
        assert_eq!(reached(ours, path, "127.0.0.1"), None, "{path}");
    }
    let (_process, theirs) = websockify("TokenFileName", &at("files"), &[]);
    let (_forwarder, ours) = self::ours(&format!("route:file={}:format=names", at("files")));
    for token in ["any%2fdesk-1", ".hidden"] {
        let path = format!("/?token={token}");
        assert_eq!(reached(theirs, &path, "127.0.0.1"), some("one"), "{token}");
        assert_eq!(reached(ours, &path, "127.0.0.1"), None, "{token}");
    }
}
