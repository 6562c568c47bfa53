//! Routes of programs.

use super::*;

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
