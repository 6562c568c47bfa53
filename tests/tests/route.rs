//! Destinations that are looked up (`route:`): websockify's token files, websocksy's peers.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tests::ws::{Request, Response, WebSocket};
use tests::{Forwarder, net, until};

/// Starts a server that sends its name and closes. Returns its port.
fn named(name: &'static str) -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            // A client that has left needs no name.
            let _ = stream.write_all(name.as_bytes());
        }
    });
    port
}

fn open(port: u16, path: &str, subprotocol: Option<&str>) -> Result<WebSocket, Response> {
    let mut request = Request::new(path);
    if let Some(subprotocol) = subprotocol {
        request = request.header("Sec-WebSocket-Protocol", subprotocol);
    }
    WebSocket::open(net::connect(port), &request)
}

fn said(port: u16, path: &str) -> String {
    let mut socket = open(port, path, None).unwrap_or_else(|refused| panic!("{refused:?}"));
    let data = socket.message();
    String::from_utf8(data).expect("text")
}

fn status(port: u16, path: &str) -> u16 {
    open(port, path, None).map_or_else(|refused| refused.status, |_| 101)
}

#[test]
fn a_token_chooses_a_line_of_a_file_that_may_change() {
    let (one, other) = (named("one"), named("other"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens");
    fs::write(
        &file,
        format!("# hosts\na: 127.0.0.1:{one}\nnothing\nsh: process:cat\nbad: ws:{{tcp:h:90o0}}:auth=ada\\:s3cret\nmy vm=1: 127.0.0.1:{one}\nsecret: ws://ada:s3cret@127.0.0.1:1/?key=s3cret\n"),
    )
    .expect("it is written");
    let route = format!("route:file={}", file.display());
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    assert_eq!(said(port, "/?token=a"), "one");
    // Encoded in a query, as websockify reads it.
    assert_eq!(said(port, "/?token=my%20vm%3D1"), "one");
    assert_eq!(said(port, "/?token=my+vm%3d1"), "one");
    forwarder.wait_for_log("line 3: the form is");
    forwarder.wait_for_log(&format!("routed to tcp:127.0.0.1:{one}"));
    assert_eq!(status(port, "/?token=b"), 404);
    assert_eq!(status(port, "/"), 404);
    assert_eq!(status(port, "/?token=sh"), 403, "a program has to be allowed");
    assert_eq!(status(port, "/?token=bad"), 503);
    forwarder.wait_for_log("cannot plan the route");
    assert_eq!(status(port, "/?token=secret"), 502);
    forwarder.wait_for_log("routed to ws:{tcp:127.0.0.1:1}");
    assert!(!forwarder.log().contains("s3cret"), "a route may have a password");
    fs::write(&file, format!("b: tcp:127.0.0.1:{other}\n")).expect("it is written");
    until("the new lines count", || (status(port, "/?token=a") == 404).then_some(()));
    assert_eq!(said(port, "/?token=b"), "other");
    fs::remove_file(&file).expect("it is there");
    assert_eq!(said(port, "/?token=b"), "other", "what was read before stays");
    let log = forwarder.log();
    assert!(!log.contains("token=b"), "keys may be secrets: {log}");
}

#[test]
fn a_folder_of_files_and_a_default() {
    let (one, other) = (named("one"), named("other"));
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a"), format!("a: 127.0.0.1:{one}\n")).expect("it is written");
    let route = format!("route:file={}:default={{tcp:127.0.0.1:{other}}}", folder.path().display());
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    assert_eq!(said(port, "/?token=a"), "one");
    assert_eq!(said(port, "/?token=x"), "other");
    assert_eq!(said(port, "/"), "other");
    fs::write(folder.path().join("b"), format!("x: 127.0.0.1:{one}\n")).expect("it is written");
    assert_eq!(said(port, "/?token=x"), "one");
}

#[test]
fn files_of_websocksy_are_read_as_it_reads_them() {
    let (one, other) = (named("one\n"), named("other"));
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: String| {
        fs::write(Path::new(folder.path()).join(name), text).expect("it is written");
    };
    put("a_b.txt", format!("tcp://127.0.0.1:{one} lines newline\ntcp://127.0.0.1:{other} *\n"));
    put("default.txt", format!("tcp://127.0.0.1:{other}\n"));
    let route = format!(
        "route:file={}:format=websocksy:expression={{%endpoint%.txt,default.txt}}",
        folder.path().display()
    );
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    let mut socket = open(port, "/a/b/", Some("x, lines")).expect("there is a line");
    assert_eq!(socket.handshake.value("sec-websocket-protocol"), Some("lines"));
    assert_eq!(socket.message(), b"one\n");
    let socket = open(port, "/a/b", Some("x")).expect("there is a line for any");
    assert_eq!(socket.handshake.value("sec-websocket-protocol"), Some("x"));
    assert_eq!(said(port, "/../../etc/passwd"), "other");
    assert_eq!(said(port, "/else"), "other");
}

#[test]
fn a_list_of_what_is_allowed_is_asked_about_each_address() {
    let one = named("one");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens");
    let socket = folder.path().join("socket");
    // `localhost` is 127.0.0.1 and ::1, of which one is allowed.
    let lines = format!(
        "a: localhost:{one}\nb: 127.0.0.2:{one}\nc: 127.0.0.1:1\nd: unix_socket:{}\ne: tls:{{tcp:127.0.0.2:{one}}}\n\
         f: socks5:{{tcp:127.0.0.1:{one}}}:host=127.0.0.2:port=1\n",
        socket.display()
    );
    fs::write(&file, lines).expect("it is written");
    let route = format!("route:file={}:allow={{127.0.0.1:{one}}}", file.display());
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    assert_eq!(said(port, "/?token=a"), "one");
    for token in ["b", "c", "d", "e", "f"] {
        assert_eq!(status(port, &format!("/?token={token}")), 403, "{token}");
    }
    forwarder.wait_for_log(&format!("`allow` doesn't permit 127.0.0.2, port {one}"));
    forwarder.wait_for_log("the route leads to `unix`, but `allow` lists hosts");
}

#[test]
fn keys_that_are_none_are_refused_and_looked_up_nowhere() {
    let one = named("one");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens");
    // The last line is half written.
    fs::write(&file, format!("a: 127.0.0.1:{one}\nb: 127.0.0.1:{one}\nc")).expect("it is written");
    let route = format!("route:file={}", file.display());
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    assert_eq!(said(port, "/?token=b"), "one");
    forwarder.wait_for_log("line 3: the form is");
    for token in ["c", "a%00", "a%0A", "a%0d%0ab"] {
        assert_eq!(status(port, &format!("/?token={token}")), 404, "{token}");
    }
    // A token of 1 MB is more than a request may have.
    let long = Request::new(&format!("/?token={}", "x".repeat(1 << 20)));
    let answered = WebSocket::open(net::connect(port), &long).map_err(|refused| refused.status);
    assert!(matches!(answered, Err(414 | 431)), "{:?}", answered.err());
    assert_eq!(said(port, "/?token=a"), "one");
}

#[test]
fn other_protocols_are_refused_in_their_own_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens");
    let one = named("one");
    fs::write(&file, format!("a: 127.0.0.1:{one}\nsh: process:cat\n")).expect("it is written");
    let route = format!("route:file={}:key=${{target.host}}", file.display());
    let forwarder =
        Forwarder::start(&["-e", "socks5:{tcp:0}", "-e", "http-connect:{tcp:0}", "-d", &route]);
    let curl = |scheme: &str, port: u16, host: &str| {
        let output = std::process::Command::new("curl")
            .args(["-sv", "--max-time", "20", "-x", &format!("{scheme}://127.0.0.1:{port}"), "-p"])
            .arg(format!("http://{host}:80/"))
            .output()
            .expect("curl runs");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let (socks, connect) = (forwarder.port(0), forwarder.port(1));
    for (host, reply, status) in [("none", "(4)", "404"), ("sh", "(2)", "403")] {
        let said = curl("socks5h", socks, host);
        assert!(said.contains(reply), "{said}");
        let said = curl("http", connect, host);
        assert!(said.contains(status), "{said}");
    }
}

/// An executable script.
fn script(folder: &Path, name: &str, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;

    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("it is written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may be executed");
    path.display().to_string()
}

#[test]
fn a_program_says_where_a_client_goes() {
    let one = named("one");
    let folder = tempfile::tempdir().expect("a folder");
    let program = script(
        folder.path(),
        "route",
        &format!(
            "cat > {}/$ROUTE_KEY.json\n\
             case $ROUTE_KEY in\n\
             a) echo 127.0.0.1:{one};;\n\
             json) printf '{{\"destination\": \"tcp:127.0.0.1:{one}\", \"subprotocol\": \"mqtt\"}}';;\n\
             none) ;;\n\
             no) exit 77;;\n\
             fails) echo 127.0.0.1:{one}; echo went wrong >&2; exit 3;;\n\
             long) yes;;\n\
             two) echo a:1; echo b:2;;\n\
             sh) echo process:cat;;\n\
             slow) sleep 1000 & echo $! > {0}/pid; wait;;\n\
             esac",
            folder.path().display()
        ),
    );
    let route = format!("route:exec={{{program}:one}}:timeout=2");
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route, "-v"]);
    let port = forwarder.port(0);
    assert_eq!(said(port, "/x?token=a&user=%0A"), "one");
    let facts = fs::read_to_string(folder.path().join("a.json")).expect("it was told");
    for fact in [
        "{\"key\":\"a\",",
        "\"http.path\":\"/x\"",
        "\"http.query.user\":\"%0A\"",
        "\"tcp.peer_host\":\"127.0.0.1\"",
    ] {
        assert!(facts.contains(fact), "{facts}");
    }
    let socket = open(port, "/?token=json", Some("chat, mqtt")).expect("there is a route");
    assert_eq!(socket.handshake.value("sec-websocket-protocol"), Some("mqtt"));
    for (token, expected) in
        [("none", 404), ("no", 403), ("fails", 503), ("long", 503), ("two", 503), ("sh", 403)]
    {
        assert_eq!(status(port, &format!("/?token={token}")), expected, "{token}");
    }
    forwarder.wait_for_log("the program failed: exit status 3");
    forwarder.wait_for_log("went wrong");
    forwarder.wait_for_log("the program prints more than 8192 bytes");
    forwarder.wait_for_log("the answer is more than a line of text");
    assert_eq!(status(port, "/?token=slow"), 503);
    forwarder.wait_for_log("no answer within 2 s");
    let pid = fs::read_to_string(folder.path().join("pid")).expect("it was started");
    until("its child is killed", || {
        (!Path::new(&format!("/proc/{}", pid.trim())).exists()).then_some(())
    });
}

#[test]
fn a_program_is_asked_once_about_a_key_that_is_cached() {
    let one = named("one");
    let folder = tempfile::tempdir().expect("a folder");
    let count = folder.path().join("count");
    let program = script(
        folder.path(),
        "route",
        &format!("echo >> {}; echo 127.0.0.1:{one}", count.display()),
    );
    let lines = || fs::read_to_string(&count).unwrap_or_default().lines().count();
    let start = |more: &str| {
        Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &format!("route:exec={program}{more}")])
    };
    let forwarder = start(":cache=1h");
    for _ in 0..5 {
        assert_eq!(said(forwarder.port(0), "/?token=a"), "one");
    }
    assert_eq!(lines(), 1);
    let forwarder = start("");
    for _ in 0..2 {
        assert_eq!(said(forwarder.port(0), "/?token=a"), "one");
    }
    assert_eq!(lines(), 3, "its answer may differ from client to client");
}

/// Starts a server that answers each request with `answer`'s text: status, header fields, body. Counts connections.
fn server(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (u16, Arc<AtomicUsize>) {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let (mut read, mut piece) = (Vec::new(), [0; 4096]);
                while let Ok(length @ 1..) = stream.read(&mut piece) {
                    read.extend_from_slice(&piece[..length]);
                    let text = String::from_utf8_lossy(&read).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head.to_ascii_lowercase();
                    let length = length.split("content-length: ").nth(1);
                    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
                    if body.len() >= length.unwrap_or(0) {
                        read.clear();
                        let _ = stream.write_all(answer(&text).as_bytes());
                    }
                }
            });
        }
    });
    (port, count)
}

fn reply(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn a_server_says_where_a_client_goes_and_redirects_nobody() {
    let one = named("one");
    let (elsewhere, visits) = server(|_| reply("200 OK", "", "127.0.0.1:1"));
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let requests = Arc::clone(&asked);
    let (api, connections) = server(move |request| {
        requests.lock().expect("it is there").push(request.to_owned());
        let token = request.split("\"key\":\"").nth(1).and_then(|rest| rest.split('"').next());
        match token.unwrap_or_default() {
            "text" => {
                reply("200 OK", "Content-Type: text/plain\r\n", &format!("127.0.0.1:{one}\n"))
            }
            "json" => {
                let body =
                    format!("{{\"destination\":\"tcp:127.0.0.1:{one}\",\"subprotocol\":\"mqtt\"}}");
                reply("200 OK", "Content-Type: application/json\r\n", &body)
            }
            "kept" => {
                reply("200 OK", "Cache-Control: max-age=600\r\n", &format!("127.0.0.1:{one}"))
            }
            "none" => reply("404 Not Found", "", "no"),
            "no" => reply("403 Forbidden", "", "no"),
            "redirect" => {
                let to = format!("Location: http://127.0.0.1:{elsewhere}/latest/meta-data\r\n");
                reply("302 Found", &to, "")
            }
            "broken" => reply("500 Internal Server Error", "", "127.0.0.1:1"),
            "endless" => {
                "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n".to_owned()
                    + &"x".repeat(1 << 20)
            }
            // The body never comes.
            "slow 404" => "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n".to_owned(),
            "slow 502" => "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\n".to_owned(),
            "silent" => String::new(),
            "rubbish" => "\0\x01\x02 rubbish\r\n\r\n".to_owned(),
            _ => reply("200 OK", "", ""),
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    fs::write(&secret, "tell-nobody\n").expect("it is written");
    let route = format!(
        "route:http={{http://127.0.0.1:{api}/where?site=a}}:bearer-file={}:timeout=2",
        secret.display()
    );
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route, "-v"]);
    let port = forwarder.port(0);
    for _ in 0..3 {
        assert_eq!(said(port, "/?token=text"), "one");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1, "a connection is used again");
    let request = asked.lock().expect("it is there")[0].clone();
    for part in [
        "POST /where?site=a HTTP/1.1\r\n",
        &format!("host: 127.0.0.1:{api}\r\n"),
        "authorization: Bearer tell-nobody\r\n",
        "\"tcp.peer_host\":\"127.0.0.1\"",
    ] {
        assert!(request.contains(part), "{part} in {request}");
    }
    let socket = open(port, "/?token=json", Some("mqtt")).expect("there is a route");
    assert_eq!(socket.handshake.value("sec-websocket-protocol"), Some("mqtt"));
    let before = asked.lock().expect("it is there").len();
    for _ in 0..3 {
        assert_eq!(said(port, "/?token=kept"), "one");
    }
    assert_eq!(asked.lock().expect("it is there").len(), before + 1, "it counts for 600 s");
    for (token, expected) in [
        ("none", 404),
        ("empty", 404),
        ("no", 403),
        ("redirect", 503),
        ("broken", 503),
        ("endless", 503),
        ("slow+404", 404),
        ("slow+502", 503),
        ("silent", 503),
        ("rubbish", 503),
    ] {
        assert_eq!(status(port, &format!("/?token={token}")), expected, "{token}");
    }
    forwarder.wait_for_log("the answer is 302 Found, and redirects are not followed");
    forwarder.wait_for_log("it answers 500 Internal Server Error");
    forwarder.wait_for_log("it answers 502 Bad Gateway");
    forwarder.wait_for_log("no answer within 2 s");
    assert_eq!(visits.load(Ordering::SeqCst), 0);
    assert_eq!(said(port, "/?token=text"), "one");
    assert!(!forwarder.log().contains("tell-nobody"));
}

#[test]
fn a_server_is_asked_by_get_with_the_token_in_its_url() {
    let one = named("one");
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let requests = Arc::clone(&asked);
    let (api, _) = server(move |request| {
        let line = request.lines().next().unwrap_or_default().to_owned();
        requests.lock().expect("it is there").push(request.to_owned());
        let path = line.split(' ').nth(1).unwrap_or_default();
        match path.strip_prefix("/routes/").and_then(|rest| rest.strip_suffix("?site=a")) {
            Some("json") => {
                reply("200 OK", "", &format!("{{\"host\": \"127.0.0.1\", \"port\": {one}}}"))
            }
            Some("tab") => reply("200 OK", "", &format!("tcp:127.0.0.1:{one}:keepalive=1")),
            Some("text" | "a%20b%2Fc%3Fd%26e%23f%25") => {
                reply("200 OK", "", &format!("127.0.0.1:{one}"))
            }
            Some("kept") => {
                reply("200 OK", "Cache-Control: max-age=600\r\n", &format!("127.0.0.1:{one}"))
            }
            Some("no") => reply("403 Forbidden", "", ""),
            Some("gone") => reply("410 Gone", "", ""),
            _ => reply("404 Not Found", "", ""),
        }
    });
    let route = format!("route:http={{http://127.0.0.1:{api}/routes/%s?site=a}}");
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route, "-v"]);
    let port = forwarder.port(0);
    for token in ["json", "text", "a%20b%2Fc%3Fd%26e%23f%25", "a+b%2fc%3fd%26e%23f%25"] {
        assert_eq!(said(port, &format!("/?token={token}")), "one", "{token}");
    }
    let request = asked.lock().expect("it is there")[0].to_ascii_lowercase();
    assert!(request.starts_with("get /routes/json?site=a http/1.1\r\n"), "{request}");
    assert!(!request.contains("content-type"), "{request}");
    let before = asked.lock().expect("it is there").len();
    for _ in 0..3 {
        assert_eq!(said(port, "/?token=kept"), "one");
    }
    assert_eq!(asked.lock().expect("it is there").len(), before + 1, "it counts for 600 s");
    for (token, expected) in [("no", 403), ("gone", 503), ("other", 404)] {
        assert_eq!(status(port, &format!("/?token={token}")), expected, "{token}");
    }
    // None of these is asked about: there is no token, or one that leads elsewhere.
    let before = asked.lock().expect("it is there").len();
    let long = "x".repeat(1 << 12);
    for path in [
        "/",
        "/?token=",
        "/?token=..",
        "/?token=..%2fadmin",
        "/?token=a%2f..%5cb",
        "/?token=%00",
        "/?token=a%0d%0ab",
    ] {
        assert_eq!(status(port, path), 404, "{path}");
    }
    assert_eq!(asked.lock().expect("it is there").len(), before);
    assert_eq!(status(port, &format!("/?token={long}")), 404, "the server doesn't know it");
    let output =
        tests::run(&["-e", "ws:9000", "-d", "route:http={http://%s.example/}", "--check"], b"");
    assert!(output.stderr.contains("`http` must be a URL"), "{}", output.stderr);
    let output = tests::run(&["-e", "ws:9000", "-d", "route:http={http://h/#%s}", "--check"], b"");
    let words = "`%s`, the key, can only stand in the path or the query";
    assert!(output.stderr.contains(words), "{}", output.stderr);
}

#[test]
fn a_server_is_asked_over_tls_and_one_that_is_gone_is_down() {
    let one = named("one");
    let (api, _) = server(move |_| reply("200 OK", "", &format!("127.0.0.1:{one}")));
    let folder = tempfile::tempdir().expect("a folder");
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost"])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .current_dir(folder.path())
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{made:?}");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let tls =
        format!("tls:{{tcp:0:interface=127.0.0.1}}:cert={}:key={}", at("cert.pem"), at("key.pem"));
    let front = Forwarder::start(&["-e", &tls, "-d", &format!("tcp:127.0.0.1:{api}")]);
    let secure = front.port(0);
    let trusting = format!(
        "route:http={{https://localhost:{secure}/}}:over={{tls:{{tcp:localhost:{secure}}}:ca={}}}",
        at("cert.pem")
    );
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &trusting]);
    assert_eq!(said(forwarder.port(0), "/?token=a"), "one");
    // Its certificate is self-signed.
    let strict = format!("route:http={{https://localhost:{secure}/}}");
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &strict]);
    assert_eq!(status(forwarder.port(0), "/?token=a"), 503);
    let gone = format!("route:http={{http://127.0.0.1:1/}}:default={{tcp:127.0.0.1:{one}}}");
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &gone]);
    assert_eq!(status(forwarder.port(0), "/?token=a"), 503, "it is not that there is no route");
}
