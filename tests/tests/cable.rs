//! A cable that is pulled in the middle of sessions: neither end is told, and the forwarder notices by itself.

use std::process::Command;
use std::time::Duration;

use tests::netns::{Cable, NEAR};
use tests::{Forwarder, Process, until, until_within};

/// A client in Python: connects, shakes hands for `ws`, then sends, receives, stalls or idles for ever.
const CLIENT: &str = r"
import socket, sys, time
kind, address, port, act = sys.argv[1:]
s = socket.create_connection((address, int(port)))
if kind == 'ws':
    s.sendall(b'GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
              b'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
              % address.encode())
    head = b''
    while not head.endswith(b'\r\n\r\n'):
        head += s.recv(1)
    assert b' 101 ' in head, head
    # Masked with zeros.
    frame = b'\x82\xfe\x10\x00' + bytes(4) + bytes(4096)
else:
    frame = bytes(4096)
s.sendall(frame)
print('ready', flush=True)
while act == 'send':
    s.sendall(frame)
while act == 'receive':
    s.recv(65536)
time.sleep(600)
";

/// A destination in Python: prints that it has accepted and read something, then sends, stalls or reads, by its
/// argument; prints when its connection has ended.
const SERVER: &str = r"
import socket, sys, time
act = sys.argv[1]
l = socket.create_server(('127.0.0.1', 0))
print('port %d.' % l.getsockname()[1], flush=True)
s, _ = l.accept()
s.recv(1)
print('moving', flush=True)
s.settimeout(0.2)
while True:
    try:
        if act == 'send':
            s.sendall(bytes(65536))
        elif act == 'stall':
            # The end of what is sent is seen by the forwarder's own end of its session alone.
            time.sleep(0.2)
            s.send(b'')
            continue
        elif not s.recv(65536):
            break
    except TimeoutError:
        pass
    except OSError:
        break
print('ended', flush=True)
";

struct Case {
    listen: &'static str,
    kind: &'static str,
    client: &'static str,
    server: &'static str,
    /// When it has to be noticed, tolerance included.
    within: Duration,
}

fn python(wrapper: &[&str], name: &str, script: &str, args: &[&str]) -> Process {
    let [program, options @ ..] = wrapper else { panic!("a wrapper has a name") };
    let mut command = Command::new(program);
    command.args(options).args(["python3", "-c", script]).args(args);
    Process::spawn(name, &mut command)
}

/// Open sockets. A thread keeps its pipe for the next session.
fn sockets(forwarder: &Forwarder) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", forwarder.id())).expect("it runs");
    let what = open.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    what.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

impl Case {
    fn run(self) {
        let Some(cable) = Cable::plug() else { return };
        let server = python(&cable.near(), "server", SERVER, &[self.server]);
        let line = server.stdout().wait_for_line(tests::DEADLINE, "port ");
        let line = line.unwrap_or_else(|| panic!("no destination\n{}", server.report()));
        let port = line.trim_start_matches("port ").trim().trim_end_matches('.');
        let listen = self.listen.replace("NEAR", NEAR);
        let destination = format!("tcp:127.0.0.1:{port}");
        let forwarder =
            Forwarder::start_by_wrapper(&cable.near(), &["-e", &listen, "-d", &destination]);
        let listening = forwarder.port(0).to_string();
        let client =
            python(&cable.far(), "client", CLIENT, &[self.kind, NEAR, &listening, self.client]);
        for (process, word) in [(&client, "ready"), (&server, "moving")] {
            let said = process.stdout().wait_for_line(tests::DEADLINE, word);
            assert!(said.is_some(), "no `{word}`\n{}", process.report());
        }
        let open = sockets(&forwarder);
        cable.pull();
        let ended = until_within(self.within, || {
            let log = forwarder.log();
            log.lines().find(|line| line.contains("reason=")).map(str::to_owned)
        });
        let ended =
            ended.unwrap_or_else(|| panic!("not within {:?}\n{}", self.within, forwarder.log()));
        assert!(ended.contains("WARN") && ended.contains("unresponsive"), "{ended}");
        until("both sockets are given back", || (sockets(&forwarder) == open - 2).then_some(()));
        if self.server != "stall" {
            let told = server.stdout().wait_for_line(tests::DEADLINE, "ended");
            assert!(told.is_some(), "the far side is told\n{}", server.report());
        }
        assert!(forwarder.children().is_empty());
    }
}

/// One second of silence, one for the pong, and a look or two; the rest is for a busy machine.
const WS: &str = "ws:{tcp:0:interface=NEAR}:host=any:ping=1:pong-timeout=1";
const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_websocket_client_that_sends() {
    Case { listen: WS, kind: "ws", client: "send", server: "receive", within: SOON }.run();
}

#[test]
fn a_websocket_client_that_receives() {
    Case { listen: WS, kind: "ws", client: "receive", server: "send", within: SOON }.run();
}

#[test]
fn a_websocket_client_that_is_idle() {
    Case { listen: WS, kind: "ws", client: "idle", server: "receive", within: SOON }.run();
}

/// Nothing is read from the client, whose data has no place to go, so no ping is due: the session looks at TCP.
#[test]
#[ignore = "takes a minute: cargo xtask interop"]
fn a_websocket_client_whose_destination_stalls() {
    let within = Duration::from_secs(75);
    Case { listen: WS, kind: "ws", client: "send", server: "stall", within }.run();
}

/// Probes after 2 s, then four of them, 5 s apart.
#[test]
fn an_idle_tcp_client_by_keepalive() {
    let listen = "tcp:0:interface=NEAR:keepalive=2";
    let within = Duration::from_secs(35);
    Case { listen, kind: "tcp", client: "idle", server: "receive", within }.run();
}

#[test]
#[ignore = "takes a minute: cargo xtask interop"]
fn a_tcp_client_that_owes_an_acknowledgement() {
    let listen = "tcp:0:interface=NEAR";
    let within = Duration::from_secs(75);
    Case { listen, kind: "tcp", client: "receive", server: "send", within }.run();
}

#[test]
#[ignore = "takes a minute: cargo xtask interop"]
fn a_tcp_client_that_sends() {
    let listen = "tcp:0:interface=NEAR";
    let within = Duration::from_secs(75);
    Case { listen, kind: "tcp", client: "send", server: "receive", within }.run();
}
