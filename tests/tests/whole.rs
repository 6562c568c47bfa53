//! Data comes out as it went in: bulk through chains of forwarders, and late answers after a half-close
//! in every pair of kinds that have one.

use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use tests::data::Pattern;
use tests::net::{self, Server};
use tests::ws::{Frame, Opcode, WebSocket};
use tests::{Forwarder, run, until};

const MIB: u64 = 1 << 20;

/// `total` bytes there and back at once, through whatever is between the two sockets.
fn both_ways(near: &std::net::TcpStream, far: &std::net::TcpStream, total: u64) {
    thread::scope(|scope| {
        scope.spawn(|| Pattern::new(1).write_to(near, total).expect("the forwarder takes it"));
        scope.spawn(|| Pattern::new(2).write_to(far, total).expect("the forwarder takes it"));
        let there = scope.spawn(|| Pattern::new(1).read_from(far, total).expect("right"));
        let back = scope.spawn(|| Pattern::new(2).read_from(near, total).expect("right"));
        assert_eq!(there.join().expect("no panic"), total);
        assert_eq!(back.join().expect("no panic"), total);
    });
}

fn tcp_to_tcp(total: u64) {
    let server = Server::bind();
    let forwarder = Forwarder::between("0", &server.descriptor());
    let near = net::connect(forwarder.port(0));
    both_ways(&near, &server.accept(), total);
}

fn ws_to_tcp(total: u64) {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0", &server.descriptor());
    let mut client = WebSocket::connect(forwarder.port(0), "/", &[]);
    let far = server.accept();
    thread::scope(|scope| {
        let sending = client.stream.try_clone().expect("a socket can be cloned");
        scope.spawn(move || {
            // Sizes of every length form, and some that don't divide anything.
            let sizes = [1, 125, 126, 4096, 65_535, 65_536, 1_000_003];
            let (mut pattern, mut sizes) = (Pattern::new(1), sizes.into_iter().cycle());
            while pattern.position() < total {
                let left = usize::try_from(total - pattern.position()).unwrap_or(usize::MAX);
                let payload = pattern.take(sizes.next().expect("endless").min(left));
                let frame = Frame::new(Opcode::Binary, &payload).encode(Some([5, 6, 7, 8]));
                (&sending).write_all(&frame).expect("the forwarder takes it");
            }
        });
        scope.spawn(|| Pattern::new(2).write_to(&far, total).expect("the forwarder takes it"));
        let there = scope.spawn(|| Pattern::new(1).read_from(&far, total).expect("right"));
        let mut pattern = Pattern::new(2);
        while pattern.position() < total {
            pattern.check(&client.message()).expect("the bytes are right");
        }
        assert_eq!(there.join().expect("no panic"), total);
    });
}

fn tcp_to_ws_to_ws_to_tcp(total: u64) {
    let server = Server::bind();
    let inner = Forwarder::between("ws:0", &server.descriptor());
    let middle = Forwarder::between("ws:0", &format!("ws://127.0.0.1:{}/", inner.port(0)));
    let outer = Forwarder::between("0", &format!("ws://127.0.0.1:{}/", middle.port(0)));
    let near = net::connect(outer.port(0));
    both_ways(&near, &server.accept(), total);
}

#[test]
fn bulk_is_whole() {
    tcp_to_tcp(32 * MIB);
    ws_to_tcp(32 * MIB);
    tcp_to_ws_to_ws_to_tcp(16 * MIB);
}

#[test]
#[ignore = "takes a while: cargo xtask interop"]
fn a_gibibyte_is_whole() {
    tcp_to_tcp(1024 * MIB);
    ws_to_tcp(1024 * MIB);
    tcp_to_ws_to_ws_to_tcp(1024 * MIB);
}

/// A destination that answers some time after the end of the question.
const LATE: &str = "process:sh:-c:{q=$(cat); sleep 0.4; echo \"re: $q\"}";

#[test]
fn late_answers_arrive_in_every_pair_with_half_close() {
    let folder = tempfile::tempdir().expect("a folder for sockets");
    let path = |name: &str| folder.path().join(name).display().to_string();
    // Each kind as a destination, with the late program behind it.
    let late = Forwarder::start(&["-e", "0", "-e", &format!("unix:{}", path("late")), "-d", LATE]);
    let destinations = [
        LATE.to_owned(),
        format!("tcp:127.0.0.1:{}", late.port(0)),
        format!("unix:{}", path("late")),
    ];
    for (number, destination) in destinations.iter().enumerate() {
        let socket = path(&format!("near{number}"));
        let listen = format!("unix:{socket}");
        let forwarder = Forwarder::start(&["-e", "0", "-e", &listen, "-d", destination]);

        let tcp = net::connect(forwarder.port(0));
        (&tcp).write_all(b"tcp").expect("the forwarder takes it");
        net::half_close(&tcp);
        assert_eq!(net::read_all(&tcp), b"re: tcp\n", "{destination}");

        let unix = UnixStream::connect(&socket).expect("it listens");
        (&unix).write_all(b"unix").expect("the forwarder takes it");
        unix.shutdown(std::net::Shutdown::Write).expect("half-closed");
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut &unix, &mut answer).expect("an orderly end");
        assert_eq!(answer, "re: unix\n", "{destination}");

        let stdio = run(&["-e", "stdio", "-d", destination], b"stdio");
        assert_eq!(
            (stdio.text().as_str(), stdio.code()),
            ("re: stdio\n", Some(0)),
            "{destination}"
        );
    }
}

#[test]
fn late_answers_come_through_websockets_within_the_close_timeout() {
    // A WebSocket has no half-close, so its Close stands for one.
    let ws = Forwarder::between("ws:0", LATE);
    let through = run(&["-e", "stdio", "-d", &format!("ws://127.0.0.1:{}/", ws.port(0))], b"ws");
    assert_eq!((through.text().as_str(), through.code()), ("re: ws\n", Some(0)));
}

#[test]
fn an_abandoned_unix_socket_is_taken_over_and_removed_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder for sockets");
    let path = folder.path().join("s");
    drop(UnixListener::bind(&path).expect("a free path"));
    assert!(path.exists(), "a listener that is dropped leaves its socket");
    let forwarder = Forwarder::between(&format!("unix:{}", path.display()), "echo");
    UnixStream::connect(&path).expect("it listens");
    forwarder.signal(tests::Signal::TERM);
    until("socket and lock are gone", || {
        std::fs::read_dir(&folder).expect("the folder is there").next().is_none().then_some(())
    });
}
