//! The heap that an idle session takes, in bytes: the number doesn't depend on the machine, as resident pages do.
//!
//! One test alone, because everything in this process counts.
#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

use std::alloc::System;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use endpointforward::{End, Forwarder, Stop};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Builder;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The bounds are the measured sizes, plus a little for other compilers. A change that exceeds one has made
/// ten thousand idle sessions larger by megabytes, and has to know why.
#[test]
fn an_idle_session_takes_little_and_gives_it_back() {
    // Spans take memory only if a subscriber shows them, as the command's does.
    tracing_subscriber::fmt().with_writer(std::io::sink).init();
    for (near, most) in [(Near::Tcp, 1850), (Near::Ws, 2490)] {
        let running = Running::start(near);
        // Once for what is shared by all and stays: buffers of the thread, tables that grow.
        let mut first = running.open(SESSIONS);
        first.iter_mut().for_each(Session::burst);
        drop(first);
        let before = settled();
        let mut sessions = running.open(SESSIONS);
        let each = (settled() - before) / SESSIONS;
        assert!(each <= most, "{near:?}: {each} bytes for an idle session");
        sessions.iter_mut().for_each(Session::burst);
        let busy = (settled() - before) / SESSIONS;
        assert!(busy <= each + 8, "{near:?}: {busy} bytes once it is idle again");
        drop(sessions);
        // A table that all share may grow once more; a session's leak comes again with the next ones.
        let mut known = before;
        let is_given_back = (0..ROUNDS).any(|_| {
            let after = settled();
            if after <= known + SESSIONS {
                return true;
            }
            known = after;
            let mut again = running.open(SESSIONS);
            again.iter_mut().for_each(Session::burst);
            false
        });
        assert!(is_given_back, "{near:?}: {before} bytes became {}", settled());
        running.stop();
    }
}

#[derive(Clone, Copy, Debug)]
enum Near {
    Tcp,
    Ws,
}

/// A forwarder to a listener of ours, on a separate thread.
struct Running {
    near: Near,
    port: u16,
    far: TcpListener,
    stop: Stop,
    thread: thread::JoinHandle<()>,
}

impl Running {
    fn start(near: Near) -> Self {
        let far = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let tcp = "tcp:0:interface=127.0.0.1";
        let listen = match near {
            Near::Tcp => tcp.to_owned(),
            Near::Ws => format!("ws:{{{tcp}}}"),
        };
        let connect = format!("tcp:127.0.0.1:{}", far.local_addr().unwrap().port());
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let forwarder = Forwarder::new(&listen, &connect).unwrap();
        let forwarding = runtime.block_on(forwarder.bind()).unwrap();
        let port = forwarding.locals()[0].address.unwrap().port();
        let stop = forwarding.stop();
        let thread = thread::spawn(move || {
            runtime.block_on(forwarding.run());
        });
        Self { near, port, far, stop, thread }
    }

    /// Opens `count` sessions, each of which has moved a byte both ways: its setup is over then.
    fn open(&self, count: usize) -> Vec<Session> {
        (0..count).map(|_| self.open_one()).collect()
    }

    fn open_one(&self) -> Session {
        let near = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        if let Near::Ws = self.near {
            (&near).write_all(REQUEST).unwrap();
        }
        let (far, _) = self.far.accept().unwrap();
        if let Near::Ws = self.near {
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                (&near).read_exact(&mut byte).unwrap();
                answer.extend(byte);
            }
            assert!(answer.starts_with(b"HTTP/1.1 101 "));
        }
        let mut session = Session { kind: self.near, near, far };
        session.there(1);
        session.back(1);
        session
    }

    fn stop(self) {
        self.stop.drain(End::eof());
        self.thread.join().unwrap();
    }
}

/// Both ends of a session.
struct Session {
    kind: Near,
    near: TcpStream,
    far: TcpStream,
}

impl Session {
    /// A large message each way.
    fn burst(&mut self) {
        self.there(BURST);
        self.back(BURST);
    }

    fn there(&mut self, len: usize) {
        let mut data = match self.kind {
            Near::Tcp => Vec::new(),
            // A binary frame (RFC 6455 section 5.2) with a mask of zeros.
            Near::Ws if len < 126 => vec![0x82, 0x80 | len as u8, 0, 0, 0, 0],
            Near::Ws => [&[0x82, 0xff][..], &(len as u64).to_be_bytes(), &[0; 4]].concat(),
        };
        data.resize(data.len() + len, 7);
        move_all(&self.near, &data, &self.far, len);
    }

    fn back(&mut self, len: usize) {
        // The forwarder sends each read as one frame, with a header of 2, 4 or 10 bytes before it.
        let Near::Ws = self.kind else {
            return move_all(&self.far, &vec![7; len], &self.near, len);
        };
        thread::scope(|scope| {
            scope.spawn(|| (&self.far).write_all(&vec![7; len]).unwrap());
            let mut left = len;
            while left > 0 {
                let payload = match self.read::<2>()[1] {
                    127 => u64::from_be_bytes(self.read()) as usize,
                    126 => u16::from_be_bytes(self.read()).into(),
                    short => short.into(),
                };
                (&self.near).read_exact(&mut vec![0; payload]).unwrap();
                left -= payload;
            }
        });
    }

    fn read<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (&self.near).read_exact(&mut bytes).unwrap();
        bytes
    }
}

fn move_all(mut from: &TcpStream, data: &[u8], mut to: &TcpStream, len: usize) {
    thread::scope(|scope| {
        scope.spawn(move || from.write_all(data).unwrap());
        to.read_exact(&mut vec![0; len]).unwrap();
    });
}

/// Returns the size of the heap once it stays the same for a while.
#[expect(clippy::disallowed_methods, reason = "no runtime is on this thread")]
fn settled() -> usize {
    let mut held = (heap(), 0);
    while held.1 < 20 {
        thread::sleep(Duration::from_millis(10));
        let now = heap();
        held = if now == held.0 { (now, held.1 + 1) } else { (now, 0) };
    }
    held.0
}

fn heap() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// How often a table may grow.
const ROUNDS: usize = 3;
/// Few enough for the limit of descriptors that is usual: a session has four of them here.
const SESSIONS: usize = 128;
const BURST: usize = 256 * 1024;

/// A request like a browser's (RFC 6455 section 4.1).
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
User-Agent: a browser whose name is as long as those of browsers are, with all that they are compatible with\r\n\
Accept-Language: en\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
