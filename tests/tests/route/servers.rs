//! Routes of HTTP servers.

use super::*;
use tests::http::{reply, server};

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
