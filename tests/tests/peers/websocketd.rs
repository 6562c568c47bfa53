//! websocketd, whose programs speak in lines: with the same programs and the same client, the messages are the same.

use std::fs;

use tests::ws::{Frame, Opcode, WebSocket};
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

/// What a client of `port` reads until the end, and the Close if there is one.
fn converse(port: u16, sends: &[&str]) -> (Vec<String>, Option<(Option<u16>, String)>) {
    let mut client = WebSocket::connect(port, "/", &[]);
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
