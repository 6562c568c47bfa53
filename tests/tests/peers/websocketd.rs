//! websocketd, whose programs speak in lines: with the same programs and the same client, the messages are the same.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tests::ws::{Frame, Opcode, Request, WebSocket};
use tests::{Forwarder, Peer, net};

/// Programs, and what the client sends them.
const SCRIPTS: &[(&str, &[&str])] = &[
    ("for i in 1 2 3 4 5; do echo $i; done", &[]),
    (
        "while read -r l; do echo \"Hello $l!\"; [ \"$l\" = bye ] && exit 0; done",
        &["world", "you", "bye"],
    ),
    (
        "t=0; while read -r n; do t=$((t+n)); echo $t; [ $t -ge 6 ] && exit 0; done",
        &["1", "2", "3"],
    ),
    ("printf 'a\\r\\nb\\r\\n'", &[]),
    ("printf '\\n\\nx\\n'", &[]),
    ("printf 'whole\\nno end'", &[]),
    ("echo oops >&2; echo fine", &[]),
    ("echo bye; exit 3", &[]),
    ("printf 'gr\\303\\274\\303\\237e\\n\\342\\202\\254\\n'", &[]),
    (
        "printf 'one '; sleep 0.1; printf 'line\\n'; printf 'two\\nth'; sleep 0.1; printf 'ree\\n'",
        &[],
    ),
    ("while read -r l; do printf '{\"got\":\"%s\"}\\n' \"$l\"; exit 0; done", &["x"]),
    ("head -c 100000 /dev/zero | tr '\\0' x; echo", &[]),
    ("while read -r l; do [ -z \"$l\" ] && exit 0; echo \"<$l>\"; done", &["a", "b c", ""]),
];

/// Returns the messages that a client of `port` reads until the end, and the Close if there is one.
fn converse(port: u16, sends: &[&str]) -> (Vec<String>, Option<(Option<u16>, String)>) {
    converse_at(port, "/", sends)
}

fn converse_at(
    port: u16,
    path: &str,
    sends: &[&str],
) -> (Vec<String>, Option<(Option<u16>, String)>) {
    let mut client = WebSocket::connect(port, path, &[]);
    for text in sends {
        client.send_text(text);
    }
    let mut messages = Vec::new();
    let mut message = Vec::new();
    while let Some(Frame { opcode, payload, last, .. }) = client.receive() {
        match opcode {
            Opcode::Text | Opcode::Continuation => {
                message.extend_from_slice(&payload);
                if last {
                    let text = String::from_utf8(std::mem::take(&mut message));
                    messages.push(text.expect("a text message is UTF-8"));
                }
            }
            Opcode::Close => return (messages, Some(Frame::new(opcode, &payload).close_reason())),
            Opcode::Ping | Opcode::Pong => {}
            other => panic!("{other:?} was not expected"),
        }
    }
    (messages, None)
}

#[test]
fn the_same_programs_give_the_same_messages() {
    let folder = tempfile::tempdir().expect("a folder for scripts");
    for (index, (script, sends)) in SCRIPTS.iter().enumerate() {
        let file = folder.path().join(format!("{index}.sh"));
        fs::write(&file, script).expect("the script is written");
        let file = file.display().to_string();
        let port = net::free_port();
        let mut theirs = Peer::start(
            "websocketd",
            &["--address=127.0.0.1", &format!("--port={port}"), "sh", &file],
        );
        theirs.wait_for_port(port);
        let (expected, _) = converse(port, sends);
        let ours = Forwarder::between("ws:0", &format!("process:sh:{file}:framing=lines"));
        let (got, close) = converse(ours.port(0), sends);
        assert_eq!(got, expected, "{script}");
        // Theirs leaves without a word; ours has the program's status.
        let (code, reason) = close.expect("a Close");
        assert_eq!(code, Some(1000));
        let status = if script.contains("exit 3") { 3 } else { 0 };
        assert_eq!(reason, format!("exit status {status}"), "{script}");
    }
}

/// websocketd's examples, each a file of this folder.
fn examples(folder: &Path) {
    for (name, script) in [
        ("count.sh", "for i in 1 2 3 4 5; do echo $i; done"),
        ("greeter.sh", "while read -r l; do echo \"Hello $l!\"; [ \"$l\" = bye ] && exit 0; done"),
        ("dump-env.sh", "env"),
    ] {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("the script is written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is executable");
    }
    fs::write(folder.join("notes.txt"), "no program").expect("a file");
}

/// The variables that a script printed, without what differs between two sessions of one program.
fn variables(lines: &[String], port: u16) -> BTreeMap<String, String> {
    let lines = lines.iter().filter_map(|line| line.split_once('='));
    lines
        .filter(|(name, value)| {
            let same = [
                // `websocketd-CGI/0.1` before its version 0.5.
                "GATEWAY_INTERFACE",
                // Theirs doesn't have it.
                "HTTP_HOST",
                "HTTP_SEC_WEBSOCKET_KEY",
                // As it is with CGI, a path in the file system; theirs is the URL's.
                "PATH_TRANSLATED",
                "REMOTE_PORT",
                "SERVER_SOFTWARE",
                "UNIQUE_ID",
            ];
            // They clear some that ours doesn't set.
            !same.contains(name) && !value.is_empty()
        })
        .filter(|(name, _)| {
            let prefixes =
                ["HTTP_", "REMOTE_", "SERVER_", "REQUEST_", "SCRIPT_", "PATH_", "GATEWAY", "QUERY"];
            prefixes.iter().any(|prefix| name.starts_with(prefix))
        })
        .map(|(name, value)| (name.to_owned(), value.replace(&port.to_string(), "PORT")))
        .collect()
}

#[test]
fn the_same_scripts_get_the_same_variables() {
    let folder = tempfile::tempdir().expect("a folder for scripts");
    examples(folder.path());
    let script = folder.path().join("dump-env.sh").display().to_string();
    let port = net::free_port();
    let port_arg = format!("--port={port}");
    let mut theirs = Peer::start("websocketd", &["--address=127.0.0.1", &port_arg, &script]);
    theirs.wait_for_port(port);
    let path = "/a%20b/c?x=1&y=%2f";
    let (expected, _) = converse_at(port, path, &[]);
    let expected = variables(&expected, port);
    assert!(expected.contains_key("REMOTE_ADDR") && expected.contains_key("HTTP_UPGRADE"));
    let ours = Forwarder::between("ws:0", &format!("process:{script}:framing=lines"));
    let (got, _) = converse_at(ours.port(0), path, &[]);
    assert_eq!(variables(&got, ours.port(0)), expected);
}

#[test]
fn a_folder_of_scripts_is_served_as_theirs() {
    let folder = tempfile::tempdir().expect("a folder for scripts");
    examples(folder.path());
    let port = net::free_port();
    let (port_arg, dir) = (format!("--port={port}"), format!("--dir={}", folder.path().display()));
    let mut theirs = Peer::start("websocketd", &["--address=127.0.0.1", &port_arg, &dir]);
    theirs.wait_for_port(port);
    let destination = format!("process:dir={}:framing=lines", folder.path().display());
    let ours = Forwarder::between("ws:0", &destination);
    for (path, sends) in
        [("/count.sh", &[][..]), ("/greeter.sh", &["world", "bye"]), ("/count.sh/more?x", &[])]
    {
        let (expected, _) = converse_at(port, path, sends);
        assert_eq!(converse_at(ours.port(0), path, sends).0, expected, "{path}");
    }
    let path = "/dump-env.sh/a/b%20c?x=1";
    let (expected, _) = converse_at(port, path, &[]);
    let expected = variables(&expected, port);
    assert_eq!(expected.get("PATH_INFO").map(|path| &**path), Some("/a/b c"));
    let (got, _) = converse_at(ours.port(0), path, &[]);
    assert_eq!(variables(&got, ours.port(0)), expected);
    for path in ["/", "/absent", "/notes.txt", "/%2e%2e/bin/ls", "/count.sh%00"] {
        let refused = WebSocket::open(net::connect(ours.port(0)), &Request::new(path));
        assert_eq!(refused.expect_err("there is no such program").status, 404, "{path}");
    }
}
