//! Slow readers: a reader that takes its time gets everything, though every timer is shorter than its pauses.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tests::data::Pattern;
use tests::net::{self, Server};
use tests::ws::{Frame, Opcode, Request, WebSocket};
use tests::{Forwarder, until_within};

/// How a reader takes its time.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Bytes a second.
    rate: usize,
    /// In the middle, nothing is taken for so long.
    pause: Duration,
    total: usize,
}

const FAST: Pace = Pace { rate: 1_000_000, pause: PAUSE, total: 8_000_000 };
const SLOW: Pace = Pace { rate: 200_000, pause: PAUSE, total: 1_500_000 };
const STEADY: Pace = Pace { pause: Duration::ZERO, ..SLOW };
/// Three times a ping and its pong, and more than every other timer of these tests.
const PAUSE: Duration = Duration::from_secs(6);

/// More than the buffers of the system take, at rates of a bad link, and a pause for lunch.
const LONG: [Pace; 3] = [
    Pace { rate: 5_000, pause: Duration::from_secs(90), total: 1_500_000 },
    Pace { rate: 50_000, pause: Duration::from_secs(90), total: 12_000_000 },
    Pace { rate: 1_000_000, pause: Duration::from_secs(600), total: 16_000_000 },
];

const PINGS: &str = "ping=1:pong-timeout=1:close-timeout=1";
const TIMERS: [&str; 2] = ["--linger", "1"];

/// A reader that keeps to a pace.
struct Paced<'a> {
    stream: &'a TcpStream,
    pace: Pace,
    taken: usize,
    /// The time that what was taken should have needed.
    owed: Duration,
    paused: bool,
}

impl<'a> Paced<'a> {
    fn new(stream: &'a TcpStream, pace: Pace) -> Self {
        Self { stream, pace, taken: 0, owed: Duration::ZERO, paused: false }
    }
}

impl Read for Paced<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.paused && self.taken >= self.pace.total / 2 {
            self.paused = true;
            wait(self.pace.pause);
        }
        let most = into.len().min((self.pace.rate / 20).max(1));
        let got = self.stream.read(&mut into[..most])?;
        self.taken += got;
        self.owed += Duration::from_micros(got as u64 * 1_000_000 / self.pace.rate as u64);
        // The wait keeps a pace, and many short waits are longer than they should be.
        if self.owed > Duration::from_millis(50) {
            wait(std::mem::take(&mut self.owed));
        }
        Ok(got)
    }
}

fn wait(time: Duration) {
    until_within(time, || None::<()>);
}

/// A client whose system takes little for it.
fn connect(port: u16) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(64 << 10).expect("a receive buffer can be small");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    socket.connect(&address.into()).expect("it is listened on");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(tests::DEADLINE)).expect("a socket has timeouts");
    stream
}

fn start(listen: &str, destination: &str, more: &[&str]) -> Forwarder {
    Forwarder::start(&[&["-e", listen, "-d", destination], more].concat())
}

/// Writes all of it on a thread, and ends. The socket stays open until the handle is joined: a system throws
/// away what a closed socket has not sent, once its peer's window has been closed for some minutes
/// (`tcp_orphan_retries` in tcp(7)), whatever the peer.
fn source(stream: TcpStream, total: usize) -> thread::JoinHandle<io::Result<TcpStream>> {
    stream.set_write_timeout(None).expect("a socket has timeouts");
    thread::spawn(move || {
        Pattern::new(3).write_to(&stream, total as u64)?;
        stream.shutdown(Shutdown::Write)?;
        Ok(stream)
    })
}

fn reads_all(stream: &TcpStream, pace: Pace, what: &str) {
    let mut pattern = Pattern::new(3);
    let got = pattern.read_from(Paced::new(stream, pace), u64::MAX);
    assert_eq!(got.unwrap_or_else(|error| panic!("{what}: {error}")), pace.total as u64, "{what}");
}

fn tcp(pace: Pace, more: &[&str], half_closes: bool) {
    let server = Server::bind();
    let forwarder = start("0", &server.descriptor(), more);
    let client = connect(forwarder.port(0));
    if half_closes {
        net::half_close(&client);
    }
    let writer = source(server.accept(), pace.total);
    reads_all(&client, pace, &forwarder.log());
    writer.join().expect("no panic").expect("it is taken");
}

fn ws(pace: Pace, more: &[&str]) {
    let server = Server::bind();
    let forwarder = start(&format!("ws:0:{PINGS}"), &server.descriptor(), more);
    let stream = connect(forwarder.port(0));
    let ws = WebSocket::open(stream, &Request::new("/")).expect("it is accepted");
    let writer = source(server.accept(), pace.total);
    let mut paced = Paced::new(&ws.stream, pace);
    let mut pattern = Pattern::new(3);
    let answer = |opcode, payload: &[u8]| {
        let frame = Frame::new(opcode, payload).encode(Some([4, 3, 2, 1]));
        (&ws.stream).write_all(&frame).expect("the forwarder takes it");
    };
    loop {
        let frame = Frame::read(&mut paced).expect("a frame").expect("no end without a Close").0;
        match frame.opcode {
            Opcode::Ping => answer(Opcode::Pong, &frame.payload),
            Opcode::Close => break answer(Opcode::Close, &frame.payload),
            _ => pattern.check(&frame.payload).expect("right"),
        }
    }
    assert_eq!(pattern.position(), pace.total as u64, "{}", forwarder.log());
    writer.join().expect("no panic").expect("it is taken");
    // It took longer than every timer, and is not blamed for that.
    let end = forwarder.wait_for_log(" received, ");
    assert!(end.contains(" INFO  destination ended"), "{end}");
}

/// A destination that reads slowly what a WebSocket client sends.
fn ws_up(pace: Pace) {
    let server = Server::bind_with_receive_buffer(64 << 10);
    let forwarder = start(&format!("ws:0:{PINGS}"), &server.descriptor(), &TIMERS);
    let ws = WebSocket::connect(forwarder.port(0), "/", &[]);
    let far = server.accept();
    let mut sending = ws.stream.try_clone().expect("a socket can be cloned");
    sending.set_write_timeout(None).expect("a socket has timeouts");
    let writer = thread::spawn(move || {
        let data = Pattern::new(3).take(pace.total);
        for chunk in data.chunks(8 << 10) {
            sending.write_all(&Frame::new(Opcode::Binary, chunk).encode(Some([4, 3, 2, 1])))?;
        }
        sending.write_all(&Frame::close(1000, "").encode(Some([4, 3, 2, 1])))
    });
    reads_all(&far, pace, "the destination");
    writer.join().expect("no panic").expect("it is taken");
}

/// Two forwarders with a WebSocket between them, so that neither end is one of the tests'.
fn chain(pace: Pace, inner: &str, outer: &str) {
    let server = Server::bind();
    let inner = start(&format!("ws:0:{PINGS}{inner}"), &server.descriptor(), &TIMERS);
    let to = format!("{{ws://127.0.0.1:{}/}}:{PINGS}{outer}", inner.port(0));
    let outer = start("0", &to, &TIMERS);
    let client = connect(outer.port(0));
    let writer = source(server.accept(), pace.total);
    reads_all(&client, pace, "the client");
    writer.join().expect("no panic").expect("it is taken");
}

fn page(pace: Pace) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), Pattern::new(3).take(pace.total)).expect("a file");
    let listen = format!("ws:0:page={{{}}}:handshake-timeout=1", folder.path().display());
    let forwarder = start(&listen, "echo", &[]);
    let client = connect(forwarder.port(0));
    let ask = b"GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    (&client).write_all(ask).expect("the forwarder takes it");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(net::read_exactly(&client, 1));
    }
    reads_all(&client, pace, "the page");
}

#[test]
fn over_tcp() {
    tcp(FAST, &TIMERS, false);
}

#[test]
fn over_tcp_after_a_half_close() {
    tcp(FAST, &TIMERS, true);
}

#[test]
fn over_tcp_with_an_idle_timeout() {
    tcp(STEADY, &["--idle-timeout", "2"], false);
}

#[test]
fn over_ws() {
    ws(FAST, &TIMERS);
}

#[test]
fn over_ws_at_200_kb_a_second() {
    ws(SLOW, &TIMERS);
}

#[test]
fn over_ws_with_an_idle_timeout() {
    ws(STEADY, &["--idle-timeout", "2"]);
}

#[test]
fn over_ws_to_a_slow_destination() {
    ws_up(FAST);
}

#[test]
fn over_a_chain() {
    chain(FAST, "", "");
}

#[test]
fn over_a_chain_that_compresses() {
    chain(FAST, ":compression=on", ":compression=on");
}

#[test]
fn over_a_chain_in_base64() {
    chain(SLOW, "", ":subprotocol=base64");
}

#[test]
fn of_a_folder() {
    page(FAST);
}

#[test]
#[ignore = "takes 12 minutes: cargo xtask interop"]
fn of_all_sorts_for_long() {
    thread::scope(|scope| {
        for pace in LONG {
            scope.spawn(move || tcp(pace, &TIMERS, false));
            scope.spawn(move || tcp(pace, &TIMERS, true));
            scope.spawn(move || ws(pace, &TIMERS));
            scope.spawn(move || ws_up(pace));
            scope.spawn(move || chain(pace, ":compression=on", ":compression=on"));
            scope.spawn(move || chain(pace, "", ":subprotocol=base64"));
        }
    });
}
