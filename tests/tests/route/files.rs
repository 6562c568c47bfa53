//! Routes of files and folders.

use super::*;

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
