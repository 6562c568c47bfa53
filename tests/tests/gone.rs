//! Nothing waits for a client that is gone: its place is free for the next one at once, a program learns of it at once,
//! and a session that ended badly is no success.

#![expect(clippy::disallowed_types, reason = "the clock of a real process can't be paused")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tests::net::{self, Server};
use tests::ws::{Frame, WebSocket};
use tests::{Forwarder, binary, until};

/// How a client leaves.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    /// As a browser's tab: a Close frame, then the end of the connection.
    Closing,
    /// Without a word.
    Ending,
    Reset,
    /// It sends Close and waits for ours.
    Politely,
}

const WAYS: [Leaves; 4] = [Leaves::Closing, Leaves::Ending, Leaves::Reset, Leaves::Politely];

impl Leaves {
    fn leave(self, mut client: WebSocket) -> Option<WebSocket> {
        match self {
            Self::Closing => {
                client.send(&Frame::close(1001, ""));
                None
            }
            Self::Ending => None,
            Self::Reset => {
                net::reset(client.stream);
                None
            }
            Self::Politely => {
                client.send(&Frame::close(1001, ""));
                Some(client)
            }
        }
    }
}

/// Opens a terminal as a serial line: the returned master keeps it open.
fn device() -> (impl AsFd, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("its other end");
    unlockpt(&master).expect("its other end");
    let path = ptsname(&master, Vec::new()).expect("its name");
    (master, path.into_string().expect("a name in ASCII"))
}

#[test]
fn a_page_on_a_device_may_be_reloaded() {
    for leaves in WAYS {
        let (_device, path) = device();
        let forwarder = Forwarder::between("ws:0", &format!("serial:{path}"));
        let mut stay = Vec::new();
        for _ in 0..10 {
            // It panics if it is refused.
            let client = WebSocket::connect(forwarder.port(0), "/", &[]);
            stay.extend(leaves.leave(client));
        }
        assert!(!forwarder.log().contains("in use"), "{leaves:?}: {}", forwarder.log());
    }
}

/// `printf 'AT\r' | nc`: an answer may still be wanted, until another client wants the device.
#[test]
fn a_half_closed_client_of_a_device_gives_way() {
    let (device, path) = device();
    let forwarder = Forwarder::between("0", &format!("serial:{path}"));
    let first = net::connect(forwarder.port(0));
    (&first).write_all(b"AT\r").expect("it is sent");
    net::half_close(&first);
    let mut line = [0; 3];
    let mut read = 0;
    while read < 3 {
        read += rustix::io::read(&device, &mut line[read..]).expect("the device is written to");
    }
    rustix::io::write(&device, b"OK").expect("it answers");
    assert_eq!(net::read_exactly(&first, 2), b"OK");
    let began = Instant::now();
    let second = net::connect(forwarder.port(0));
    (&second).write_all(b"?").expect("it is sent");
    // Between two sessions the terminal isn't open on the other side, and reading fails.
    let mut one = [0; 1];
    until("the second one is served", || rustix::io::read(&device, &mut one).ok());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    forwarder.wait_for_log("another client needs its place");
}

/// Opening it again would reset many boards (DTR), and discard what it sends meanwhile.
#[test]
fn a_device_stays_open_while_its_destination_is_down() {
    let (device, path) = device();
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("s");
    let (listen, connect) = (format!("serial:{path}"), format!("unix:{}", socket.display()));
    let forwarder = Forwarder::start(&["-v", "-e", &listen, "-d", &connect]);
    forwarder.wait_for_log("cannot connect");
    rustix::io::write(&device, b"early\n").expect("the device is open");
    let attempts = || forwarder.log().matches("cannot connect").count();
    until("it is tried again", || (attempts() >= 3).then_some(()));
    let server = UnixListener::bind(&socket).expect("a name that is free");
    let (mut far, _) = server.accept().expect("it is tried again");
    let mut line = [0; 6];
    far.read_exact(&mut line).expect("what came meanwhile");
    assert_eq!(&line, b"early\n");
    far.write_all(b"answer").expect("a session");
    let mut read = 0;
    let mut answer = [0; 6];
    while read < 6 {
        read += rustix::io::read(&device, &mut answer[read..]).expect("the device is written to");
    }
    assert_eq!(&answer, b"answer");
    let log = forwarder.log();
    let warnings =
        log.lines().filter(|line| line.contains("WARN") && line.contains("cannot connect"));
    assert_eq!(warnings.count(), 1, "one a cause:\n{log}");
}

#[test]
fn a_place_of_a_limit_is_free_at_once() {
    for leaves in WAYS {
        let args = ["-e", "ws:0", "-d", "process:cat", "--max-sessions", "1"];
        let forwarder = Forwarder::start(&args);
        let mut stay = Vec::new();
        for _ in 0..5 {
            let client = WebSocket::connect(forwarder.port(0), "/", &[]);
            stay.extend(leaves.leave(client));
        }
        assert!(!forwarder.log().contains("too many"), "{leaves:?}: {}", forwarder.log());
    }
}

#[test]
fn a_program_hears_at_once_that_its_client_has_left() {
    for leaves in [Leaves::Closing, Leaves::Ending, Leaves::Reset] {
        let script = "pty:sh:-c:{trap 'exit' HUP; echo up; while :; do sleep 0.01; done}:grace=30";
        let forwarder = Forwarder::between("ws:0", script);
        let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
        client.receive();
        let began = Instant::now();
        leaves.leave(client);
        forwarder.wait_no_children();
        // It takes milliseconds; the rest is a busy machine.
        assert!(began.elapsed() < Duration::from_secs(2), "{leaves:?}: {:?}", began.elapsed());
    }
}

/// Nothing is read from a client whose destination takes nothing; that it was reset is seen all the same.
#[test]
fn a_client_that_is_reset_behind_a_stall_is_noticed() {
    // One that waits to be spoken to first is looked at when it sends.
    for (endpoint, is_silent) in [("0", false), ("0", true), ("ws:0", false)] {
        let forwarder = Forwarder::between(endpoint, "process:sh:-c:{exec sleep 600}:grace=0.1");
        let client = if endpoint == "0" {
            net::connect(forwarder.port(0))
        } else {
            WebSocket::connect(forwarder.port(0), "/", &[]).stream
        };
        if is_silent {
            forwarder.wait_for_log("open id=1");
        }
        let mut piece = vec![0x82, 0xff, 0, 0, 0, 0, 0x10, 0, 0, 0, 1, 2, 3, 4];
        piece.resize(1 << 20, 7);
        let piece = if endpoint == "0" { &piece[14..] } else { &piece[..] };
        net::push_until_stalled(&client, piece, Duration::from_millis(300), 64 << 20);
        let began = Instant::now();
        net::reset(client);
        forwarder.wait_for_log("client failed");
        forwarder.wait_no_children();
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }
}

// === how it ended ===

fn status(last: &[u8]) -> Option<i32> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("a port").port();
    let last = last.to_vec();
    let serving = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut server = WebSocket::accept(stream, None);
        server.send_raw(b"\x82\x04part");
        server.send_raw(&last);
        server.stream.shutdown(Shutdown::Write).expect("it is open");
        let _ = server.stream.read(&mut [0; 100]);
    });
    let mut command = Command::new(binary::endpointforward());
    command.args(["-q", "-e", "stdio", "-d", &format!("ws://127.0.0.1:{port}/")]);
    // Standard input stays open, as a terminal's.
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let status = until("the command ends", || child.try_wait().expect("it is ours"));
    serving.join().expect("the server is done");
    status.code()
}

#[test]
fn a_websocket_that_ends_badly_is_no_success() {
    let close = |code: u16| Frame::close(code, "").encode(None);
    assert_eq!(status(&close(1000)), Some(0));
    assert_eq!(status(&[0x88, 0x00]), Some(0), "a Close without a code");
    for (last, name) in [
        (Vec::new(), "1006"),
        (close(1001), "1001"),
        (close(1008), "1008"),
        (close(1011), "1011"),
        (close(4000), "4000"),
    ] {
        assert_eq!(status(&last), Some(76), "{name}");
    }
}

/// The forwarder can't tell whether a silent terminal waits for an end.
#[test]
fn silent_standard_input_does_not_outlive_the_destination() {
    let server = Server::bind();
    let began = Instant::now();
    let mut ours = Forwarder::spawn(&["-q", "-e", "stdio", "-d", &server.descriptor()]);
    let far = server.accept();
    (&far).write_all(b"bye").expect("it is sent");
    drop(far);
    assert_eq!(ours.wait_exit().code(), Some(0), "{}", ours.report());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// As `yes | endpointforward | head -1`.
#[test]
fn who_reads_our_output_may_go() {
    let mut command = Command::new(binary::endpointforward());
    command.args(["-q", "-e", "stdio", "-d", "process:cat"]);
    let mut ours = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut input = ours.stdin.take().expect("a pipe");
    let mut output = ours.stdout.take().expect("a pipe");
    let feeding = std::thread::spawn(move || {
        let piece = vec![b'y'; 64 * 1024];
        let mut fed = 0_u64;
        while input.write_all(&piece).is_ok() {
            fed += piece.len() as u64;
        }
        fed
    });
    output.read_exact(&mut [0; 100]).expect("output");
    drop(output);
    let status = until("the command ends", || ours.try_wait().expect("it is ours"));
    assert_ne!(status.code(), Some(0));
    let fed = feeding.join().expect("it is told");
    assert!(fed < 64 << 20, "{fed} bytes were taken");
}
