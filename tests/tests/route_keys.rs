//! Keys that try to be more than keys: every provider of routes answers that there is no route, opens nothing else, logs
//! one line without the key, and goes on.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;
use tests::http::{reply, server};
use tests::ws::{Request, WebSocket, request};
use tests::{Forwarder, Peer, binary, net};

/// As they stand in the query, percent-encoded; each with a mark that the log may not have.
const BAD: &[&str] = &[
    // Paths.
    "../canary",
    "..%2fcanary",
    "%2e%2e%2fcanary",
    "..%5ccanary",
    "..%252fcanary",
    "keys/../../canary",
    "/etc/canary/../passwd",
    "%2fetc%2fpasswd%23canary",
    "./canary",
    "canary%2f..%2fgood",
    ".canary",
    "..",
    ".",
    // Ends of texts and lines.
    "",
    "%00",
    "good%00canary",
    "good%0acanary",
    "good%0dcanary",
    "good%0d%0aGET%20/canary%20HTTP/1.1",
    "good%0d%0aSET%20canary%201%0d%0a",
    "%1b%5b31mcanary",
    "%c2%9b31mcanary",
    "%7fcanary",
    // Text that isn't UTF-8, or looks like another one.
    "%ff%fecanary",
    "%c0%aecanary",
    "%ed%a0%80canary",
    "g%d0%bed%d0%becanary",
    "good%e2%80%8b%20canary",
    "%e2%80%aecanary",
    "%ef%bc%8e%ef%bc%8e%ef%bc%8fcanary",
    "GOOD%20canary",
    // Characters of the language of descriptors, of templates, shells, Redis and URLs.
    ":canary",
    "good:canary",
    "%5ccanary",
    "{canary",
    "%7btcp:1%7dcanary",
    "$%7bhttp.path%7dcanary",
    "%24%7Bkey%7D%24%7Bcanary%7D",
    "%25scanary",
    "-canary",
    "--help=canary",
    "$(touch%20canary)",
    "%60touch%20canary%60",
    "%3btouch%20canary",
    "*canary*",
    "good%3f%26canary%23",
    "@canary:80",
    "process:canary",
    "canary%20good",
];

/// Starts a server that sends its name and closes. Returns its port and the number of its visitors.
fn named(name: &'static str) -> (u16, Arc<AtomicUsize>) {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visits);
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            // A client that has left needs no name.
            let _ = stream.write_all(name.as_bytes());
        }
    });
    (port, visits)
}

/// Two servers: the one that the good key leads to, and the one that no key may lead to.
struct Servers {
    good: u16,
    outside: u16,
    visits: Arc<AtomicUsize>,
}

impl Servers {
    fn start() -> Self {
        let ((good, _), (outside, visits)) = (named("good"), named("outside"));
        Self { good, outside, visits }
    }

    /// A folder for keys, with files around it and hidden in it that lead outside.
    fn folder(&self, ending: &str) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        fs::create_dir(&keys).expect("a folder");
        let out = format!("127.0.0.1:{}\n", self.outside);
        for name in ["canary", "keys/.canary", "keys/.", "keys/.."] {
            let name = format!("{name}{ending}");
            // The last two are folders without an ending.
            let _ = fs::write(folder.path().join(name), &out);
        }
        folder
    }
}

/// Returns the destination's data, or the status of the refusal.
fn asked(port: u16, path: &str) -> Result<String, u16> {
    let mut socket = WebSocket::open(net::connect(port), &Request::new(path))
        .map_err(|refused| refused.status)?;
    Ok(String::from_utf8(socket.message()).expect("text"))
}

/// Tries all bad keys at a route. `at` makes a path of a key; `good` is the good path.
fn attack(
    servers: &Servers,
    route: &str,
    at: impl Fn(&str) -> String,
    good: &str,
    refused: &[u16],
) {
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", route]);
    let port = forwarder.port(0);
    assert_eq!(asked(port, good).as_deref(), Ok("good"));
    for key in BAD {
        let status = asked(port, &at(key)).expect_err(key);
        assert!(refused.contains(&status), "{key}: {status}");
        assert_eq!(asked(port, good).as_deref(), Ok("good"), "after {key}");
    }
    // Equal lines in a row are logged once, so there may be fewer than refusals.
    forwarder.wait_for_log(" cannot find a destination by ");
    let lines = forwarder.log().lines().filter(|line| line.contains(" cannot ")).count();
    assert!(lines <= BAD.len(), "a line each at most: {}", forwarder.log());
    // More than a request may have, and what is no request.
    let long = asked(port, &at(&"x".repeat(1 << 20)));
    assert!(matches!(long, Err(414 | 431)), "{long:?}");
    for raw in [&b"\xff"[..], b"\0", b"\x1b", b"a b", b"a\tb", b"a\rb"] {
        let head = [
            b"GET /?token=",
            raw,
            b" HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        ];
        let status = request(port, &head.concat()).status;
        assert!((400..500).contains(&status), "{raw:?}: {status}");
    }
    assert_eq!(asked(port, good).as_deref(), Ok("good"));
    let log = forwarder.log();
    assert!(!log.contains("canary"), "{log}");
    let is_shown = |c: char| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    let is_plain = |c: char| c == '\n' || !c.is_control() && is_shown(c);
    assert!(log.chars().all(is_plain), "{log:?}");
    assert_eq!(servers.visits.load(Ordering::SeqCst), 0);
}

fn token(key: &str) -> String {
    format!("/?token={key}")
}

fn executable(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("it is written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it may be executed");
}

#[test]
fn a_file_of_lines() {
    let servers = Servers::start();
    let folder = servers.folder("");
    let lines = format!("good: 127.0.0.1:{}\n", servers.good);
    fs::write(folder.path().join("keys/good"), lines).expect("it is written");
    let file = folder.path().join("keys/good");
    attack(&servers, &format!("route:file={}", file.display()), token, "/?token=good", &[404]);
}

#[test]
fn a_folder_of_files_of_lines() {
    let servers = Servers::start();
    let folder = servers.folder("");
    let lines = format!("good: 127.0.0.1:{}\n", servers.good);
    fs::write(folder.path().join("keys/lines"), lines).expect("it is written");
    let route = format!("route:file={}", folder.path().join("keys").display());
    attack(&servers, &route, token, "/?token=good", &[404]);
}

#[test]
fn a_folder_with_a_file_for_each_key() {
    let servers = Servers::start();
    let folder = servers.folder("");
    let line = format!("127.0.0.1:{}\n", servers.good);
    fs::write(folder.path().join("keys/good"), line).expect("it is written");
    let route = format!("route:file={}:format=names", folder.path().join("keys").display());
    attack(&servers, &route, token, "/?token=good", &[404]);
}

#[test]
fn a_folder_of_websocksy_by_path_and_by_cookie() {
    let servers = Servers::start();
    let folder = servers.folder(".txt");
    let line = format!("tcp://127.0.0.1:{}\n", servers.good);
    fs::write(folder.path().join("keys/good.txt"), line).expect("it is written");
    fs::remove_file(folder.path().join("keys/.canary.txt")).expect("its names may be hidden ones");
    for name in ["keys/..txt", "keys/...txt"] {
        fs::remove_file(folder.path().join(name)).expect("likewise");
    }
    let route = format!("route:file={}:format=websocksy", folder.path().join("keys").display());
    // A path with a scheme, or two slashes at its front, is no path.
    attack(&servers, &route, |key| format!("/x{key}"), "/good", &[400, 404]);
    let forwarder = Forwarder::start(&[
        "-e",
        "ws:{tcp:0}",
        "-d",
        &format!("{route}:expression={{%cookie:desk%.txt,%header:x-desk%.txt}}"),
    ]);
    let port = forwarder.port(0);
    let with = |name: &str, value: &str| {
        let request = Request::new("/").header(name, value);
        WebSocket::open(net::connect(port), &request).map_err(|refused| refused.status).map(drop)
    };
    let long = "x".repeat(5000);
    for key in BAD.iter().filter(|key| !key.contains(';')).chain([&&*long]) {
        assert_eq!(with("Cookie", &format!("desk={key}")), Err(404), "{key}");
        assert_eq!(with("X-Desk", key), Err(404), "{key}");
        assert_eq!(with("Cookie", "desk=good"), Ok(()));
    }
    assert!(!forwarder.log().contains("canary"), "a cookie is a secret: {}", forwarder.log());
    assert_eq!(servers.visits.load(Ordering::SeqCst), 0);
}

#[test]
fn a_redis_server() {
    let servers = Servers::start();
    let at = net::free_port();
    let args = ["--port", &at.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir", "/"];
    let mut redis = Peer::start("redis-server", &args);
    redis.wait_for_port(at);
    let cli = |args: &[&str]| {
        let file = binary::program("redis-cli").expect("`cargo xtask setup` installs it");
        let output = std::process::Command::new(file)
            .args(["-h", "127.0.0.1", "-p", &at.to_string()])
            .args(args)
            .output()
            .expect("it runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let out = format!("127.0.0.1:{}", servers.outside);
    for key in ["canary", "routes", "routes:", "routes:canar", "../canary", "*canary*"] {
        assert_eq!(cli(&["SET", key, &out]), "OK");
    }
    assert_eq!(cli(&["DEL", "routes:"]), "1");
    assert_eq!(cli(&["SET", "routes:good", &format!("127.0.0.1:{}", servers.good)]), "OK");
    let keys = cli(&["DBSIZE"]);
    let route = format!("route:redis={{tcp:127.0.0.1:{at}}}:prefix={{routes:}}:cache=0");
    attack(&servers, &route, token, "/?token=good", &[404]);
    assert_eq!(cli(&["DBSIZE"]), keys, "no key is a command");
}

/// Starts a server that answers requests whose head has `good` with the good destination, and notes all first lines and
/// bodies.
fn api(good: u16, is_good: fn(&str) -> bool) -> (u16, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let (port, _) = server(move |request| {
        noted.lock().expect("it is there").push(request.to_owned());
        match is_good(request) {
            true => reply("200 OK", "", &format!("127.0.0.1:{good}")),
            false => reply("404 Not Found", "", ""),
        }
    });
    (port, seen)
}

#[test]
fn a_server_that_is_sent_facts() {
    let servers = Servers::start();
    let (api, seen) = api(servers.good, |request| request.contains("\"key\":\"good\""));
    let route = format!("route:http={{http://127.0.0.1:{api}/where}}");
    attack(&servers, &route, token, "/?token=good", &[404]);
    for request in seen.lock().expect("it is there").iter() {
        assert!(request.starts_with("POST /where HTTP/1.1\r\n"), "{request}");
        let body = request.split_once("\r\n\r\n").expect("it has a body").1;
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok(), "{body}");
    }
}

#[test]
fn a_server_with_the_key_in_its_url() {
    let servers = Servers::start();
    let (api, seen) = api(servers.good, |request| request.starts_with("GET /keys/good?a=1 "));
    let route = format!("route:http={{http://127.0.0.1:{api}/keys/%s?a=1}}");
    attack(&servers, &route, token, "/?token=good", &[404]);
    for request in seen.lock().expect("it is there").iter() {
        let line = request.split("\r\n").next().unwrap_or_default();
        let path =
            line.strip_prefix("GET /keys/").and_then(|rest| rest.strip_suffix("?a=1 HTTP/1.1"));
        let key = path.unwrap_or_else(|| panic!("{line}"));
        assert!(
            !key.contains(['/', '?', '#', '\\', ' ', '&']) && key != ".." && key != ".",
            "{line}"
        );
    }
}

#[test]
fn a_program() {
    let servers = Servers::start();
    let folder = servers.folder("");
    let program = folder.path().join("route");
    let to = servers.good;
    let seen = folder.path().join("seen");
    executable(
        &program,
        &format!(
            "cd {}; cat >> {}; test $# = 0 || exit 9; test \"$ROUTE_KEY\" != good || echo 127.0.0.1:{to}",
            folder.path().join("keys").display(),
            seen.display()
        ),
    );
    let count = || fs::read_dir(folder.path().join("keys")).expect("it is there").count();
    let before = count();
    attack(&servers, &format!("route:exec={}", program.display()), token, "/?token=good", &[404]);
    assert_eq!(count(), before, "nothing was run");
    for line in fs::read_to_string(&seen).expect("it is there").lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn a_signed_token() {
    let servers = Servers::start();
    let folder = servers.folder("");
    let key = folder.path().join("key");
    fs::write(&key, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY").expect("it is written");
    let line = format!(
        "part() {{ base64 -w0 | tr '+/' '-_' | tr -d '='; }}
         message=$(printf '{{\"alg\":\"HS256\"}}' | part).$(printf '{{\"host\":\"127.0.0.1\",\"port\":{},\"exp\":%s}}' $(($(date +%s) + 600)) | part)
         printf %s.%s \"$message\" \"$(printf %s \"$message\" | openssl dgst -sha256 -binary -hmac 0123456789abcdef0123456789abcdef | part)\"",
        servers.good
    );
    let signed = std::process::Command::new("sh").args(["-c", &line]).output().expect("it runs");
    let signed = String::from_utf8(signed.stdout).expect("text");
    let route = format!("route:jwt={}", key.display());
    attack(&servers, &route, token, &token(&signed), &[403, 404]);
}

#[test]
fn a_bad_line_or_a_file_that_is_half_written_is_lost_alone() {
    let (good, _) = named("good");
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys");
    fs::create_dir(&keys).expect("a folder");
    let to = format!("127.0.0.1:{good}");
    let mut bytes = b"# \xff is in a comment\ngood: ".to_vec();
    bytes.extend_from_slice(to.as_bytes());
    bytes.extend_from_slice(b"\r\nodd\xff: 127.0.0.1:1\nnul\0: 127.0.0.1:1\n\x1b[31m\n:\n");
    bytes.extend_from_slice(format!("long: {}\n", "x".repeat(1 << 20)).as_bytes());
    bytes.extend_from_slice(format!("last: {to}\nhalf: 127.0.0.1:{}", good / 10).as_bytes());
    fs::write(keys.join("lines"), &bytes).expect("it is written");
    // An archive, a folder, and a link whose target is missing.
    fs::write(keys.join("archive"), [0x1f, 0x8b, 8, 0, 0xff, b'\n', 0xfe]).expect("it is written");
    fs::create_dir(keys.join("folder")).expect("a folder");
    std::os::unix::fs::symlink("nowhere", keys.join("link")).expect("a link");
    for route in [keys.join("lines"), keys.clone()] {
        let route = format!("route:file={}", route.display());
        let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
        let port = forwarder.port(0);
        for key in ["good", "last"] {
            assert_eq!(asked(port, &token(key)).as_deref(), Ok("good"), "{key}");
        }
        for (key, status) in [("odd", 404), ("nul", 404), ("long", 503)] {
            assert_eq!(asked(port, &token(key)), Err(status), "{key}");
        }
        // It is a line, though not the one that was meant.
        assert!(matches!(asked(port, "/?token=half"), Err(502 | 503)));
        for line in [
            "lines line 1: it is not UTF-8",
            "lines line 3: it is not UTF-8",
            "lines line 5: the form is",
            "lines line 6: the form is",
        ] {
            forwarder.wait_for_log(line);
        }
        assert!(!forwarder.log().contains('\x1b'));
    }
}

#[test]
fn a_line_of_websocksy_that_is_not_text_is_lost_alone() {
    let (good, _) = named("good");
    let folder = tempfile::tempdir().expect("a folder");
    let mut bytes = b"tcp://\xff\n\ntcp://127.0.0.1 \xfe\nfoo://x\n".to_vec();
    bytes.extend_from_slice(format!("tcp://127.0.0.1:{good} mqtt\ntcp://127.0").as_bytes());
    fs::write(folder.path().join("secret-desk.txt"), bytes).expect("it is written");
    let route = format!("route:file={}:format=websocksy", folder.path().display());
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    assert_eq!(asked(port, "/secret-desk").as_deref(), Ok("good"));
    forwarder.wait_for_log("line 1 of its file is not UTF-8");
    forwarder.wait_for_log("line 4 of its file has no peer");
    assert!(!forwarder.log().contains("secret-desk"), "a name may be a secret");
}

#[test]
fn a_server_that_never_ends_its_head_is_down_and_redirects_lead_nowhere() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = server.local_addr().expect("an address").port();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || {
                let mut head = [0; 4096];
                let length = stream.read(&mut head).unwrap_or_default();
                let asked = String::from_utf8_lossy(&head[..length]).into_owned();
                let path = asked.split(' ').nth(1).unwrap_or_default().to_owned();
                if let Some(status) = path.strip_prefix("/redirect-") {
                    let to = "Location: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\n\r\n";
                    let _ =
                        stream.write_all(format!("HTTP/1.1 {status} Elsewhere\r\n{to}").as_bytes());
                    return;
                }
                let start = if path == "/line" { "HTTP/1.1 200 " } else { "HTTP/1.1 200 OK\r\n" };
                let more = if path == "/line" {
                    "O".repeat(1000)
                } else {
                    format!("X: {}\r\n", "y".repeat(1000))
                };
                let mut write = |text: &str| {
                    count.fetch_add(text.len(), Ordering::SeqCst);
                    stream.write_all(text.as_bytes())
                };
                if write(start).is_ok() {
                    while write(&more).is_ok() {}
                }
            });
        }
    });
    let route = format!("route:http={{http://127.0.0.1:{at}/%s}}:timeout=3");
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    for key in [
        "redirect-301",
        "redirect-302",
        "redirect-303",
        "redirect-307",
        "redirect-308",
        "line",
        "head",
    ] {
        assert_eq!(asked(port, &token(key)), Err(503), "{key}");
    }
    forwarder.wait_for_log("the answer is 308 Permanent Redirect, and redirects are not followed");
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent < 16 << 20, "{sent} bytes of two heads were taken");
}
