//! What our timers and stops cut off is reported, and seen by its reader: a warning, the exit status, and a reset or a
//! Close instead of an ordinary end. Over every layer, with readers that read nothing.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use tests::net::{self, Ended, Server};
use tests::ws::{Frame, Opcode, WebSocket};
use tests::{Forwarder, Signal, until};

// === the layers ===

/// One side of a forwarder.
struct Layer {
    name: &'static str,
    /// The descriptor: to listen with, or with `PORT` to connect to.
    descriptor: &'static str,
    /// Does the peer's part of its handshake, with the port of the forwarder and that of the server.
    shake: fn(TcpStream, u16) -> TcpStream,
}

/// The reader is the client, which sends `Layer::shake`.
const NEAR: &[Layer] = &[
    Layer { name: "tcp", descriptor: "0", shake: plain },
    Layer { name: "framed", descriptor: "framed:{tcp:0}:by=lines", shake: plain },
    Layer { name: "proxy", descriptor: "proxy:{tcp:0}", shake: proxied },
    Layer { name: "socks5", descriptor: "socks5:0", shake: ask_socks },
    Layer { name: "http-connect", descriptor: "http-connect:0", shake: ask_http },
    Layer { name: "ws", descriptor: "ws:0:ping=0", shake: ask_ws },
    Layer { name: "tee", descriptor: "tee:{tcp:0}:null", shake: plain },
    Layer { name: "tls", descriptor: "tls:{tcp:0}:cert=self-signed", shake: plain },
];

/// The reader is the destination.
const FAR: &[Layer] = &[
    Layer { name: "tcp", descriptor: "tcp:127.0.0.1:PORT", shake: plain },
    Layer { name: "framed", descriptor: "framed:{tcp:127.0.0.1:PORT}:by=lines", shake: plain },
    Layer { name: "telnet", descriptor: "telnet:{tcp:127.0.0.1:PORT}", shake: plain },
    Layer { name: "proxy", descriptor: "proxy:{tcp:127.0.0.1:PORT}", shake: plain },
    Layer {
        name: "socks5",
        descriptor: "socks5:{tcp:127.0.0.1:PORT}:host=192.0.2.1:port=9",
        shake: answer_socks,
    },
    Layer {
        name: "http-connect",
        descriptor: "http-connect:{tcp:127.0.0.1:PORT}:host=192.0.2.1:port=9",
        shake: answer_http,
    },
    Layer { name: "ws", descriptor: "ws:{tcp:127.0.0.1:PORT}:ping=0", shake: answer_ws },
];

fn plain(stream: TcpStream, _: u16) -> TcpStream {
    stream
}

fn proxied(mut stream: TcpStream, _: u16) -> TcpStream {
    stream.write_all(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n").expect("it is taken");
    stream
}

fn ask_socks(mut stream: TcpStream, port: u16) -> TcpStream {
    stream.write_all(&[5, 1, 0]).expect("it is taken");
    assert_eq!(net::read_exactly(&stream, 2), [5, 0]);
    stream.write_all(&[5, 1, 0, 1, 127, 0, 0, 1]).expect("it is taken");
    stream.write_all(&port.to_be_bytes()).expect("it is taken");
    assert_eq!(net::read_exactly(&stream, 10)[..2], [5, 0]);
    stream
}

fn ask_http(mut stream: TcpStream, port: u16) -> TcpStream {
    let head = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("it is taken");
    assert!(read_head(&stream).starts_with("HTTP/1.1 200"));
    stream
}

fn ask_ws(stream: TcpStream, _: u16) -> TcpStream {
    WebSocket::open(stream, &tests::ws::Request::new("/")).expect("it is accepted").stream
}

fn answer_socks(mut stream: TcpStream, _: u16) -> TcpStream {
    assert_eq!(net::read_exactly(&stream, 3), [5, 1, 0]);
    stream.write_all(&[5, 0]).expect("it is taken");
    assert_eq!(net::read_exactly(&stream, 10)[..2], [5, 1]);
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).expect("it is taken");
    stream
}

fn answer_http(mut stream: TcpStream, _: u16) -> TcpStream {
    read_head(&stream);
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("it is taken");
    stream
}

fn answer_ws(stream: TcpStream, _: u16) -> TcpStream {
    WebSocket::accept(stream, None).stream
}

fn read_head(stream: &TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(net::read_exactly(stream, 1));
    }
    String::from_utf8(head).expect("text")
}

// === a session ===

/// The side that reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Client,
    Destination,
}

/// A session through one forwarder.
struct Session {
    what: String,
    forwarder: Forwarder,
    reader: TcpStream,
    writer: TcpStream,
    is_ws: bool,
    reads: Reader,
    /// A forwarder that speaks TLS for the reader.
    _inner: Option<Forwarder>,
    _server: Server,
}

impl Session {
    fn open(reader: Reader, layer: &Layer, options: &[&str]) -> Self {
        let server = Server::bind();
        let far = match reader {
            Reader::Client if matches!(layer.name, "socks5" | "http-connect") => {
                format!("target:allow={{loopback:{}}}", server.port())
            }
            Reader::Client => server.descriptor(),
            Reader::Destination => layer.descriptor.replace("PORT", &server.port().to_string()),
        };
        let near = if reader == Reader::Client { layer.descriptor } else { "0" };
        // Another listener, for clients that need the session's place.
        let args = [&["-e", near, "-e", "0", "-d", &far], options].concat();
        let forwarder = Forwarder::start(&args);
        let inner = (layer.name == "tls").then(|| {
            let tls = format!("tls:{{tcp:127.0.0.1:{}}}:insecure=true", forwarder.port(0));
            Forwarder::between("0", &tls)
        });
        let client = net::connect(inner.as_ref().unwrap_or(&forwarder).port(0));
        let (reader_stream, writer) = match reader {
            Reader::Client => {
                let client = (layer.shake)(client, server.port());
                (client, server.accept())
            }
            Reader::Destination => {
                let far = (layer.shake)(server.accept(), server.port());
                (far, client)
            }
        };
        Self {
            what: format!("{} {reader:?}", layer.name),
            forwarder,
            reader: reader_stream,
            writer,
            is_ws: layer.name == "ws",
            reads: reader,
            _inner: inner,
            _server: server,
        }
    }

    /// Fills every buffer on the way to the reader.
    fn fill(&self) {
        let line = [&[b'x'; 1023][..], b"\n"].concat().repeat(64);
        let pushed = net::push_until_stalled(&self.writer, &line, QUIET, 1 << 30);
        assert!(pushed > 1 << 16, "{}: {pushed}", self.what);
    }

    /// Sends a line, which the reader gets.
    fn deliver(&self) {
        (&self.writer).write_all(b"a line.\n").expect("the forwarder takes it");
        if self.is_ws {
            let frame = Frame::read(&mut &self.reader).expect("a frame").expect("a frame").0;
            assert_eq!(frame.payload, b"a line.\n");
            return;
        }
        // Behind whatever the layer puts in front of it.
        let mut got = Vec::new();
        while !got.ends_with(b"a line.") {
            got.extend(net::read_exactly(&self.reader, 1));
        }
    }

    /// Ends what the reader sends.
    fn end_reader(&self) {
        if self.is_ws {
            let mask = (self.reads == Reader::Client).then_some([1, 2, 3, 4]);
            let close = Frame::close(1000, "").encode(mask);
            (&self.reader).write_all(&close).expect("the forwarder takes it");
        } else {
            net::half_close(&self.reader);
        }
    }

    /// Connects clients until the session has given its place to one.
    fn give_way(&self) {
        until("the session gives way", || {
            let other = net::connect(self.forwarder.port(1));
            // It is refused, or has the place.
            let _ = net::readable(&other, QUIET);
            self.forwarder.log().contains("another client needs its place").then_some(())
        });
    }

    fn stop(&self, signals: usize) {
        self.forwarder.signal(Signal::TERM);
        self.forwarder.wait_for_log("stopping (SIGTERM)");
        if signals > 1 {
            self.forwarder.signal(Signal::TERM);
            self.forwarder.wait_for_log("stopping now");
        }
    }

    /// Waits for the end of the session, which is a cut with a warning: `why` is in it.
    fn is_cut(&self, why: &str) {
        let line = self.forwarder.wait_for_log(why);
        let is_warning = line.contains("WARN") && line.contains("data was lost");
        assert!(is_warning, "{}: {line}", self.what);
        assert!(self.reads_a_cut(), "{}: the reader takes it for an end\n{line}", self.what);
    }

    fn is_clean(&self, why: &str) {
        let line = self.forwarder.wait_for_log(why);
        assert!(line.contains("INFO") && !line.contains("lost"), "{}: {line}", self.what);
        if self.is_ws {
            let (close, _) = read_frames(&self.reader);
            // Our own, or the answer to its own.
            assert!(matches!(close, Some(1000 | 1001)), "{}: {close:?}", self.what);
        } else {
            assert_eq!(net::wait_end(&self.reader), Ended::Eof, "{}", self.what);
        }
    }

    fn reads_a_cut(&self) -> bool {
        if !self.is_ws {
            return net::wait_end(&self.reader) == Ended::Reset;
        }
        // 1006 is the code of an end without a Close.
        let (close, _) = read_frames(&self.reader);
        matches!(close, None | Some(1001 | 1006 | 1011))
    }

    fn exits(mut self, status: i32) {
        let exit = self.forwarder.wait_exit();
        let report = self.forwarder.report();
        assert_eq!(exit.code(), Some(status), "{}: {report}", self.what);
    }
}

/// Reads frames up to the Close, whose code is returned, or to the end of the connection.
fn read_frames(mut stream: &TcpStream) -> (Option<u16>, u64) {
    let mut bytes = 0;
    loop {
        match Frame::read(&mut stream) {
            Ok(Some((frame, _))) if frame.opcode == Opcode::Close => {
                return (frame.close_reason().0, bytes);
            }
            Ok(Some((frame, _))) => bytes += frame.payload.len() as u64,
            Ok(None) => return (None, bytes),
            Err(error) => {
                let ends = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset];
                assert!(ends.contains(&error.kind()), "{error}");
                return (None, bytes);
            }
        }
    }
}

/// Runs it for every layer and side, a few at a time.
fn everywhere(test: impl Fn(Reader, &Layer) + Sync) {
    let all: Vec<_> = NEAR
        .iter()
        .map(|layer| (Reader::Client, layer))
        .chain(FAR.iter().map(|layer| (Reader::Destination, layer)))
        .collect();
    for some in all.chunks(AT_A_TIME) {
        thread::scope(|scope| {
            for (reader, layer) in some {
                scope.spawn(|| test(*reader, layer));
            }
        });
    }
}

// === the timers and stops ===

#[test]
fn an_idle_timeout_with_data_unwritten() {
    everywhere(|reader, layer| {
        let session = Session::open(reader, layer, &["--once", "--idle-timeout", "500ms"]);
        session.fill();
        session.is_cut("ended by us: idle");
        session.exits(75);
    });
}

#[test]
fn a_grace_period_with_data_unwritten() {
    everywhere(|reader, layer| {
        let session = Session::open(reader, layer, &["--grace", "500ms"]);
        session.fill();
        session.stop(1);
        session.is_cut("ended by us: ");
        session.exits(75);
    });
}

#[test]
fn a_second_signal_with_data_unwritten() {
    everywhere(|reader, layer| {
        let session = Session::open(reader, layer, &["--grace", "1h"]);
        session.fill();
        session.stop(2);
        session.is_cut("ended by us: ");
        session.exits(75);
    });
}

/// Nothing is on its way when the session is ended.
#[test]
fn a_stop_that_loses_nothing() {
    everywhere(|reader, layer| {
        // An encrypted stream that we stop reading has not ended; its own test is below.
        if layer.name == "tls" {
            return;
        }
        for signals in [1, 2] {
            let grace = if signals == 1 { "200ms" } else { "1h" };
            let session = Session::open(reader, layer, &["--grace", grace]);
            session.deliver();
            session.stop(signals);
            session.is_clean("ended by us: ");
            session.exits(0);
        }
    });
}

/// The reader has ended its own sending and takes nothing, and another client needs the session's place.
#[test]
fn a_session_that_gives_way_with_data_unwritten() {
    everywhere(|reader, layer| {
        // A telnet server that has hung up takes nothing more.
        if layer.name == "telnet" {
            return;
        }
        let session = Session::open(reader, layer, &["--max-sessions", "1"]);
        session.fill();
        session.end_reader();
        session.give_way();
        session.is_cut("another client needs its place");
    });
}

#[test]
fn a_session_that_gives_way_and_loses_nothing() {
    everywhere(|reader, layer| {
        if matches!(layer.name, "tls" | "telnet") {
            return;
        }
        let session = Session::open(reader, layer, &["--max-sessions", "1", "--linger", "off"]);
        session.deliver();
        session.end_reader();
        session.give_way();
        session.is_clean("another client needs its place");
    });
}

/// Nothing is taken for so long: every buffer is full.
const QUIET: Duration = Duration::from_millis(300);
/// Sessions that run at the same time: each fills some megabytes of buffers.
const AT_A_TIME: usize = 8;
