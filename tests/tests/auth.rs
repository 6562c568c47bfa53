//! Admission (`auth=`, `from=`), as curl and WebSocket clients meet it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, UdpSocket};
use std::process::{Command, Stdio};

use tests::ws::{Request, Response, WebSocket};
use tests::{Forwarder, binary, net, until};

fn curl(args: &[&str]) -> (String, String) {
    let output = Command::new("curl").args(["-s", "-i", "--max-time", "20"]).args(args).output();
    let text = String::from_utf8(output.expect("curl runs").stdout).expect("text");
    let status = text.split(' ').nth(1).unwrap_or_default().to_owned();
    (status, text)
}

/// The answer to an upgrade with one more header, or the connection.
fn upgrade(port: u16, header: Option<(&str, &str)>) -> Result<WebSocket, Response> {
    let mut request = Request::new("/");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    WebSocket::open(net::connect(port), &request)
}

fn status(port: u16, header: Option<(&str, &str)>) -> u16 {
    upgrade(port, header).map_or_else(|refused| refused.status, |_| 101)
}

fn with_password(port: u16, user: &str, password: &str) -> Result<WebSocket, Response> {
    upgrade(port, Some(("Authorization", &basic(user, password))))
}

fn with_token(port: u16, token: &str) -> u16 {
    status(port, Some(("Authorization", &format!("Bearer {token}"))))
}

fn passwd(file: &str, name: &str, password: &str, more: &[&str]) {
    let mut child = Command::new(binary::endpointforward())
        .args(["passwd", file, name])
        .args(more)
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    writeln!(child.stdin.take().expect("a pipe"), "{password}").expect("it reads");
    assert!(child.wait().expect("it ends").success());
}

fn basic(user: &str, password: &str) -> String {
    let output = Command::new("sh")
        .args(["-c", "printf '%s' \"$1\" | base64 -w0", "sh", &format!("{user}:{password}")])
        .output();
    let token = String::from_utf8(output.expect("it runs").stdout).expect("text");
    format!("Basic {token}")
}

/// A password takes a while to be checked, and the client has said all that it has to say.
#[test]
fn who_ends_behind_a_request_with_a_password_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("users");
    let file = file.to_str().expect("text");
    passwd(file, "ada", "engine", &[]);
    let site = folder.path().join("site");
    fs::create_dir(&site).expect("it is new");
    fs::write(site.join("a.txt"), "hello\n").expect("it is written");
    let listen = format!("ws:0:auth={{{{htpasswd:{file}}}}}:page={}/", site.display());
    let forwarder = Forwarder::between(&listen, "echo");
    for (password, status) in [("engine", "200 OK"), ("wrong", "401 Unauthorized")] {
        let mut stream = net::connect(forwarder.port(0));
        let credentials = basic("ada", password);
        let request = format!(
            "GET /a.txt HTTP/1.1\r\nHost: localhost\r\nAuthorization: {credentials}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it is taken");
        stream.shutdown(Shutdown::Write).expect("it is open");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an orderly end");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer:?}");
        assert_eq!(answer.ends_with("\r\n\r\nhello\n"), password == "engine");
    }
}

#[test]
fn a_file_of_users_lets_in_who_has_the_password_and_no_longer_than_that() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("users");
    let file = file.to_str().expect("text");
    passwd(file, "ada", "engine", &[]);
    passwd(file, "guest", "welcome", &["--read-only"]);
    let listen = format!("ws:{{tcp:0}}:auth={{{{htpasswd:{file}}},{{bearer:file={file}.tokens}}}}");
    fs::write(format!("{file}.tokens"), "0123456789abcdefgh:robot\n").expect("it is written");
    let forwarder = Forwarder::start(&["-e", &listen, "-d", "process:cat", "-v"]);
    let port = forwarder.port(0);

    let refused = upgrade(port, None).expect_err("nothing was shown");
    assert_eq!(refused.status, 401);
    let asked = format!("{:?}", refused.head);
    assert!(asked.contains("Basic realm") && asked.contains("Bearer realm"), "{asked}");
    for (user, password) in [("ada", "wrong"), ("nobody", "engine"), ("ada", "")] {
        let refused = with_password(port, user, password).expect_err("it is wrong");
        assert_eq!(refused.status, 401);
    }
    assert_eq!(with_token(port, "0123456789abcdefg"), 401);
    assert_eq!(with_token(port, "0123456789abcdefgh"), 101);
    drop(with_password(port, "ada", "engine").expect("it is right"));
    forwarder.wait_for_log("user=\"ada\"");
    forwarder.wait_for_log("user=\"robot\"");

    // A browser shows its password once, and keeps a secret that ends with the password.
    let url = format!("http://127.0.0.1:{port}/");
    let ada = exchange(&url, "ada:engine");
    let secret = ada["secret"].as_str().expect("a secret");
    assert_eq!(with_token(port, secret), 101);
    let ticket = format!("endpointforward.ticket.{}", ada["ticket"].as_str().expect("a ticket"));
    let shown = Some(("Sec-WebSocket-Protocol", &*ticket));
    assert_eq!(status(port, shown), 101);
    assert_eq!(status(port, shown), 401, "it works once");
    let (code, said) = curl(&["-X", "POST", &url]);
    assert_eq!(code, "401", "{said}");
    assert!(said.contains("sign-in: password") && !said.contains("Basic"), "{said}");
    passwd(file, "ada", "another", &[]);
    until("the new password counts", || with_password(port, "ada", "another").ok());
    assert_eq!(with_token(port, secret), 401, "its password was changed");

    // Signing out ends a secret.
    let guest = exchange(&url, "guest:welcome");
    let secret = guest["secret"].as_str().expect("a secret");
    assert_eq!(with_token(port, secret), 101);
    let bearer = format!("Authorization: Bearer {secret}");
    assert_eq!(curl(&["-X", "DELETE", "-H", &bearer, &url]).0, "200");
    assert_eq!(with_token(port, secret), 401);

    // A client that guesses has to wait.
    for _ in 0..8 {
        let _ = with_password(port, "guest", "guess");
    }
    let refused = with_password(port, "guest", "welcome").expect_err("it is too soon");
    assert_eq!(refused.status, 429);
    forwarder.wait_for_log("signing in has failed");
}

/// Requests of a browser without a script, and for a page of another origin.
#[test]
fn a_form_signs_in_for_files_alone_and_from_own_pages_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("users").display().to_string();
    passwd(&file, "ada", "engine", &[]);
    let site = folder.path().join("site");
    fs::create_dir(&site).expect("a folder");
    fs::write(site.join("own.txt"), "own text").expect("it is written");
    let listen = format!("ws:0:auth={{{{htpasswd:{file}}}}}:page={}/", site.display());
    let forwarder = Forwarder::start(&["-e", &listen, "-d", "process:cat"]);
    let port = forwarder.port(0);
    let (url, origin) = (
        format!("http://127.0.0.1:{port}/own.txt?a=b"),
        format!("Origin: http://127.0.0.1:{port}"),
    );
    let form = |fields: &str, headers: &[&str]| {
        let mut args = vec!["-d", fields];
        for header in headers {
            args.extend(["-H", header]);
        }
        args.push(&url);
        curl(&args)
    };
    let right = "username=ada&password=engine";
    for (headers, why) in [
        (&[][..], "a form must come from a page of this listener"),
        (&["Origin: http://127.0.0.1:1"], "may not connect"),
        (&["Origin: null"], "may not connect"),
        (
            &[&*origin, "Sec-Fetch-Site: cross-site"],
            "a form must come from a page of this listener",
        ),
        (&[&*origin, "Sec-Fetch-Site: same-site"], "a form must come from a page of this listener"),
    ] {
        let (status, text) = form(right, headers);
        assert!(status == "403" && text.contains(why) && !text.contains("set-cookie"), "{text}");
    }
    let (status, text) = form("username=ada&password=x%3Cb%3E", &[&origin]);
    assert!(status == "403" && text.contains("the name or the password is wrong"), "{text}");
    let long = format!("{right}&x={}", "x".repeat(10_000));
    assert_eq!(form(&long, &[&origin]).0, "400");
    for twice in ["username=ada&username=ada&password=engine", "username=ada"] {
        assert_eq!(form(twice, &[&origin]).0, "403");
    }

    let (status, text) = form(right, &[&origin, "Sec-Fetch-Site: same-origin"]);
    assert!(status == "303" && text.contains("location: ./own.txt?a=b"), "{text}");
    let cookie = text.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = format!("Cookie: {}", cookie.split(';').next().expect("a pair"));
    let with = |more: &[&str]| {
        let mut args = vec!["-H", &cookie];
        for header in more {
            args.extend(["-H", header]);
        }
        args.push(&url);
        curl(&args)
    };
    let (status, text) = with(&[]);
    assert!(status == "200" && text.contains("own text"), "{text}");
    assert!(text.contains("cross-origin-resource-policy: same-origin"), "{text}");
    assert_eq!(with(&["Sec-Fetch-Site: same-origin"]).0, "200");
    let link =
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
    assert_eq!(with(&link).0, "200");
    // A picture that another port's page embeds.
    let embedded =
        ["Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"];
    assert_eq!(with(&embedded).0, "401");
    let pair = cookie.strip_prefix("Cookie: ").expect("it begins so");
    assert_eq!(status_of_upgrade(port, pair), 401);

    // Out, by its own page alone.
    let out = |headers: &[&str]| {
        let mut all = vec![&*cookie];
        all.extend(headers);
        form("action=sign-out", &all)
    };
    assert_eq!(out(&[]).0, "403");
    assert_eq!(with(&[]).0, "200");
    let (status, text) = out(&[&origin]);
    assert!(status == "303" && text.contains("; Max-Age=0"), "{text}");
    assert_eq!(with(&[]).0, "401");
    // Guessing is put off.
    let guessed: Vec<_> =
        (0..8).map(|_| form("username=ada&password=guess", &[&origin]).0).collect();
    assert!(guessed.iter().any(|status| status == "429"), "{guessed:?}");
}

fn status_of_upgrade(port: u16, cookie: &str) -> u16 {
    status(port, Some(("Cookie", cookie)))
}

#[test]
fn a_wrong_password_is_said_to_be_wrong_beside_tokens() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("users");
    let file = file.to_str().expect("text");
    passwd(file, "ada", "engine", &[]);
    fs::write(format!("{file}.tokens"), "0123456789abcdefgh:robot\n").expect("it is written");
    let listen = format!("ws:{{tcp:0}}:auth={{{{bearer:file={file}.tokens}},{{htpasswd:{file}}}}}");
    let forwarder = Forwarder::start(&["-e", &listen, "-d", "echo"]);
    let url = format!("http://127.0.0.1:{}/", forwarder.port(0));
    let (code, said) = curl(&["-X", "POST", "-u", "ada:wrong", &url]);
    assert_eq!(code, "401", "{said}");
    assert!(said.contains("the name or the password is wrong"), "{said}");
    exchange(&url, "ada:engine");
}

/// Returns the answer that a browser gets for a name and a password.
fn exchange(url: &str, user: &str) -> serde_json::Value {
    let (code, said) = curl(&["-X", "POST", "-u", user, url]);
    assert_eq!(code, "200", "{said}");
    serde_json::from_str(said.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON")
}

#[test]
fn who_may_only_watch_is_not_heard() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens");
    fs::write(&file, "0123456789abcdefgh:guest:ro\n").expect("it is written");
    let listen = format!("ws:{{tcp:0}}:auth={{bearer:file={}}}", file.display());
    let script = "process:sh:-c:{echo ready; read line; echo \"heard $line\"}";
    let forwarder = Forwarder::start(&["-e", &listen, "-d", script]);
    let shown = Some(("Authorization", "Bearer 0123456789abcdefgh"));
    let socket = upgrade(forwarder.port(0), shown).expect("it is known");
    let line = forwarder.wait_for_log("user=\"guest\"");
    assert!(line.contains("role=ro"), "{line}");
    let mut client = socket.stream;
    // A masked frame, "hi\n".
    client.write_all(&[0x82, 0x83, 0, 0, 0, 0, b'h', b'i', b'\n']).expect("it is sent");
    let mut said = [0; 8];
    client.read_exact(&mut said).expect("it watches");
    assert_eq!(&said[2..], b"ready\n");
    assert!(net::is_silent(&client, std::time::Duration::from_millis(300)));
}

#[test]
fn addresses_that_are_not_listed_are_closed_at_once() {
    let forwarder = Forwarder::start(&["-e", "tcp:0:from={10.0.0.0/8,!10.1.0.0/16}", "-d", "echo"]);
    let mut client = net::connect(forwarder.port(0));
    assert_eq!(client.read(&mut [0]).unwrap_or(0), 0);
    let line = forwarder.wait_for_log("its address is not in `from`");
    assert!(line.contains("WARN") && line.contains("peer=127.0.0.1"), "{line}");
    for (from, is_in) in [("10.0.0.0/8", false), ("127.0.0.0/8", true)] {
        let listen = format!("udp:0:interface=127.0.0.1:from={from}");
        let forwarder = Forwarder::start(&["-e", &listen, "-d", "echo"]);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(tests::DEADLINE)).expect("a socket");
        socket.send_to(b"hello", ("127.0.0.1", forwarder.port(0))).expect("it is sent");
        if is_in {
            assert_eq!(socket.recv(&mut [0; 16]).expect("it comes back"), 5);
        } else {
            forwarder.wait_for_log("its address is not in `from`");
        }
    }
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}:from=127.0.0.0/8", "-d", "echo"]);
    assert_eq!(status(forwarder.port(0), None), 101);
}

#[test]
fn mistakes_are_shown_where_they_are() {
    for (listen, words) in [
        ("ws:9000:auth=htpaswd", "did you mean `htpasswd`?"),
        ("ws:9000:auth={htpasswd}", "`htpasswd` needs `file`"),
        (
            "ws:9000:auth={{token},{none}}",
            "`none` admits every client, so other entries have no effect",
        ),
        ("ws:9000:auth={peer:10.0.0.0/33}", "`10.0.0.0/33` is not a network"),
        ("ws:9000:auth={unix:uid=root}", "`uid` must be a list of user IDs"),
        ("ws:9000:auth={header:X-User:trusted=}", "`trusted` is empty"),
        ("ws:9000:auth={header:X-User:trusted=localhost}", "`localhost` is not a network"),
        ("ws:9000:auth={cert:san=}", "`san` is empty"),
        ("ws:9000:auth={cert:cn=}", "`cn` is empty"),
        ("ws:9000:auth={cert:subject=alice}", "`subject` must be a whole name"),
        ("ws:9000:auth={cert:subject=/C=SE/CN=alice}", "`subject` must be a whole name"),
        ("tcp:9000:from=", "`from` is empty"),
        ("tcp:9000:from=localhost", "`localhost` is not a network"),
        ("ws:9000:auth={bearer:fil=x}", "did you mean `file`?"),
    ] {
        let output = Command::new(binary::endpointforward())
            .args(["-e", listen, "-d", "echo", "--check"])
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{listen}: {said}");
        assert!(said.contains(words), "{listen}: {said}");
    }
}
