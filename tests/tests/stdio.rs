//! Standard input as a terminal in raw mode, and held open.

use std::io::{Read, Write};
use std::net::TcpStream;

use tests::{Forwarder, net};

/// The command on a terminal, which a TCP client sits at.
fn at_a_terminal(script: &str) -> (Forwarder, TcpStream) {
    let program = tests::binary::endpointforward();
    let script = script.replace("EF", &program.display().to_string());
    let shell = format!("pty:sh:-c:{{{script}}}:rows=50:cols=132");
    let forwarder = Forwarder::start(&["-e", "0", "-d", &shell, "--grace", "0.1"]);
    let client = net::connect(forwarder.port(0));
    (forwarder, client)
}

fn read_until(mut client: &TcpStream, words: &str) -> String {
    let (mut said, mut byte) = (Vec::new(), [0]);
    while !String::from_utf8_lossy(&said).ends_with(words) {
        match client.read(&mut byte) {
            Ok(1) => said.push(byte[0]),
            end => panic!("{end:?} behind {:?}", String::from_utf8_lossy(&said)),
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_raw_terminal_hands_over_its_size_and_every_key() {
    let far = "trap \"echo interrupted; exit\" INT; \
               until [ \"$(stty size)\" = \"50 132\" ]; do sleep 0.01; done; \
               echo sized; while :; do sleep 0.01; done";
    let (_forwarder, client) = at_a_terminal(
        &format!("EF -q -e stdio:raw=true -d '\\''pty:sh:-c:{{{far}}}'\\''; echo over")
            .replace("'\\''", "'"),
    );
    read_until(&client, "sized\r\n");
    (&client).write_all(b"\x03").expect("the terminal takes it");
    let said = read_until(&client, "interrupted\r\n");
    // The far terminal shows the key; ours would show it once more.
    assert!(said.matches("^C").count() <= 1, "{said:?}");
    read_until(&client, "over\r\n");
}

#[test]
fn a_raw_terminal_is_left_by_its_escape_and_is_as_it_was() {
    let script = "stty -echo; echo go; EF -q -e stdio:raw=true -d process:cat; echo status $?; stty -a | grep -o -- -echo$; stty -a | grep -ow icanon";
    let (_forwarder, client) = at_a_terminal(script);
    read_until(&client, "go\r\n");
    // Input from before the mode is set is edited as a line, and an answer is the only sign of the mode.
    client.set_nonblocking(true).expect("a socket");
    tests::until("a key comes back", || {
        (&client).write_all(b"k").expect("the terminal takes it");
        (&client).read(&mut [0; 64]).ok()
    });
    client.set_nonblocking(false).expect("a socket");
    (&client).write_all(b"\r~~x\r").expect("the terminal takes it");
    read_until(&client, "\r~x\r");
    (&client).write_all(b"~.").expect("the terminal takes it");
    assert_eq!(read_until(&client, "status 0\r\n"), "status 0\r\n");
    let said = read_until(&client, "icanon\r\n");
    assert!(!said.contains("-icanon"), "{said:?}");
}

/// The script of a shell whose job gets `signal` once its terminal is raw; `status` is 0 once it is not.
fn interrupted(signal: &str, more: &str) -> String {
    format!(
        "set -m; raw() {{ stty -a | grep -q -- -icanon; }}; stty -echo; d=$(mktemp -d); \
         send() {{ until raw; do sleep 0.01; done; kill -$1 $(cat $d/pid); }}; \
         (send {signal}) & \
         sh -c \"echo \\$\\$ > $d/pid; exec EF -q -e stdio:raw=true -d process:cat --grace 0.1 {more}\"; \
         raw; echo {signal} $?"
    )
}

#[test]
fn a_raw_terminal_is_as_it_was_after_every_signal_that_can_be_caught() {
    let signals = ["QUIT", "HUP", "TERM", "INT", "ABRT", "USR1", "ALRM"].map(|signal| (signal, ""));
    for (signal, more) in signals.into_iter().chain([("TERM", "--threads 2")]) {
        let script = format!("{}; rm -r $d; echo over", interrupted(signal, more));
        let (_forwarder, client) = at_a_terminal(&script);
        let said = read_until(&client, "over\r\n");
        assert!(said.contains(&format!("{signal} 1\r\n")), "{said:?}");
    }
}

#[test]
fn a_raw_terminal_is_as_it_was_while_the_command_is_stopped() {
    let script = format!(
        "{}; (send QUIT) & fg %2 >/dev/null; raw; echo QUIT $?; rm -r $d; echo over",
        interrupted("TSTP", "")
    );
    let (_forwarder, client) = at_a_terminal(&script);
    let said = read_until(&client, "over\r\n");
    assert!(said.contains("TSTP 1\r\n") && said.contains("QUIT 1\r\n"), "{said:?}");
}

#[test]
fn raw_needs_a_terminal() {
    let mut forwarder = Forwarder::spawn(&["-e", "stdio:raw=true", "-d", "echo"]);
    assert_eq!(forwarder.wait_exit().code(), Some(69));
    let line = forwarder.wait_for_log("`raw=true` needs a terminal");
    assert!(line.contains("stdio:raw=true"), "{line}");
}

#[test]
fn input_that_is_held_has_no_end() {
    let server = net::Server::bind();
    let program = tests::binary::endpointforward();
    let child = std::process::Command::new(program)
        .args(["-q", "-e", "stdio:hold=true", "-d", &server.descriptor()])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let child = child.expect("it starts");
    let far = server.accept();
    // Longer than the second that silent input is waited for.
    assert!(net::is_silent(&far, std::time::Duration::from_millis(1500)));
    (&far).write_all(b"late").expect("it reads");
    // Then it is passed on at once.
    far.shutdown(std::net::Shutdown::Write).expect("an end");
    assert_eq!(net::read_all(&far), b"");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((&*output.stdout, output.status.code()), (&b"late"[..], Some(0)));
}

/// Feeds `input` to `stdio:message=whole` in pieces, with this option, and returns what a server sees as one message,
/// its connection, and the command.
fn as_one_message(
    option: &str,
    input: &[u8],
) -> (Vec<u8>, TcpStream, std::process::Child, Forwarder) {
    let server = net::Server::bind();
    let framed = format!("framed:{{{}}}:by=length", server.descriptor());
    let websocket = Forwarder::start(&["-e", "ws:0", "-d", &framed]);
    let url = format!("ws://127.0.0.1:{}/", websocket.port(0));
    let mut child = std::process::Command::new(tests::binary::endpointforward())
        .args(["-q", "-e", &format!("stdio:message=whole{option}"), "-d", &url])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let far = server.accept();
    let mut stdin = child.stdin.take().expect("a pipe");
    for piece in input.chunks(7000) {
        stdin.write_all(piece).expect("it reads");
    }
    assert!(net::is_silent(&far, std::time::Duration::from_millis(100)), "no part is sent before");
    drop(stdin);
    let mut length = [0; 4];
    (&far).read_exact(&mut length).expect("a message");
    let mut message = vec![0; u32::from_be_bytes(length) as usize];
    (&far).read_exact(&mut message).expect("all of it");
    (message, far, child, websocket)
}

#[test]
fn a_whole_input_is_one_message_and_its_answer_is_awaited() {
    let input = "a line of text\n".repeat(10_000).into_bytes();
    let (message, far, child, _websocket) = as_one_message(":hold=true", &input);
    assert!(message == input, "{} bytes", message.len());
    (&far).write_all(b"\0\0\0\x06answer").expect("it reads");
    drop(far);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((&*output.stdout, output.status.code()), (&b"answer"[..], Some(0)));
}

#[test]
fn a_whole_input_ends_with_its_message() {
    let (message, mut far, child, _websocket) = as_one_message("", b"question");
    assert_eq!(message, b"question");
    assert_eq!(far.read(&mut [0; 8]).expect("an end"), 0);
    drop(far);
    assert_eq!(child.wait_with_output().expect("it ends").status.code(), Some(0));
}

#[test]
fn a_whole_input_is_bounded() {
    let mut command = std::process::Command::new(tests::binary::endpointforward());
    command.args(["-e", "stdio:message=whole:max-message=1000", "-d", "echo"]);
    let output = tests::run_program(&mut command, &[b'x'; 2000]);
    let log = &output.stderr;
    assert!(log.contains("a message is longer than 1000 bytes"), "{log}");
    assert_eq!(output.status.code(), Some(74), "{log}");
}

/// A failed write is no success, and the message names the side.
#[test]
fn a_full_disk_is_an_error_of_its_side() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut command = std::process::Command::new(tests::binary::endpointforward());
    command.args(["-e", "stdio", "-d", "zero"]).stdin(std::process::Stdio::null()).stdout(full);
    let output = command.stderr(std::process::Stdio::piped()).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(74), "{said}");
    assert!(said.contains("client failed, writing: no space left on device;"), "{said}");
}
