//! A soak with faults: the real command under clients that transfer, half-close, reset, vanish, stall and send
//! garbage. Its memory, descriptors and threads stay flat, and no program is left behind.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tests::data::Pattern;
use tests::net;
use tests::ws::{Frame, Opcode, WebSocket};
use tests::{Forwarder, until_within};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn ten_seconds_of_faults_leave_nothing_behind() {
    soak(Duration::from_secs(10));
}

#[test]
#[ignore = "two minutes: cargo xtask interop"]
fn two_minutes_of_faults_leave_nothing_behind() {
    soak(2 * MINUTE);
}

#[test]
#[ignore = "ten minutes: cargo xtask interop"]
fn ten_minutes_of_faults_leave_nothing_behind() {
    soak(10 * MINUTE);
}

// === the clients ===

/// How a client behaves.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Sends, half-closes, and reads the echo to its end; everything arrives.
    Transfer,
    /// Connects and ends at once.
    Glance,
    Reset,
    ResetInTheMiddle,
    /// Ends in the middle of a transfer with data unread.
    Vanish,
    /// Takes nothing for a while, then resets.
    Stall,
    Garbage,
    /// WebSocket only; a transfer otherwise.
    Close,
    PingFlood,
}

const ACTS: [Act; 9] = [
    Act::Transfer,
    Act::Glance,
    Act::Reset,
    Act::ResetInTheMiddle,
    Act::Vanish,
    Act::Stall,
    Act::Garbage,
    Act::Close,
    Act::PingFlood,
];

/// An entry of the forwarder.
#[derive(Clone, Copy, Debug)]
enum Entry<'a> {
    /// A TCP port in front of an echo, which is a program if `program` is set.
    Tcp {
        port: u16,
        program: bool,
    },
    /// A WebSocket, in front of a terminal if `terminal` is set.
    Ws {
        port: u16,
        terminal: bool,
    },
    Unix {
        path: &'a str,
    },
}

/// Counts of the clients' sessions and bytes, for the report.
#[derive(Debug, Default)]
struct Counts {
    sessions: AtomicU64,
    bytes: AtomicU64,
}

impl Entry<'_> {
    fn run(self, act: Act, seed: u64, counts: &Counts) {
        counts.sessions.fetch_add(1, Ordering::Relaxed);
        let size = 1000 + usize::try_from(seed % 300_000).expect("it is small");
        match self {
            Self::Tcp { port, program } => {
                let stream = net::connect(port);
                tcp(stream, act, seed, size, program, counts);
            }
            Self::Ws { port, terminal } => ws(port, act, seed, size, terminal, counts),
            Self::Unix { path } => unix(path, act, seed, size, counts),
        }
    }
}

fn tcp(stream: TcpStream, act: Act, seed: u64, size: usize, program: bool, counts: &Counts) {
    let mut to = &stream;
    match act {
        Act::Glance => {}
        Act::Reset => net::reset(stream),
        // Of a program's listener, an HTTP request is refused; `\x16` would be taken for TLS.
        Act::Garbage => {
            let first: &[u8] = if program { b"GET / HTTP/1.1\r\n\r\n" } else { &[0xff; 512] };
            let _ended = to.write_all(first).and_then(|()| to.read(&mut [0; 64]));
        }
        Act::ResetInTheMiddle | Act::Vanish | Act::Stall => {
            let piece = Pattern::new(seed).take(64 << 10);
            let quiet = Duration::from_millis(if matches!(act, Act::Stall) { 300 } else { 1 });
            net::push_until_stalled(&stream, &piece, quiet, 16 << 20);
            if !matches!(act, Act::Vanish) {
                net::reset(stream);
            }
        }
        Act::Transfer | Act::Close | Act::PingFlood => {
            let sending = stream.try_clone().expect("a socket can be cloned");
            let writer = thread::spawn(move || {
                Pattern::new(seed).write_to(&sending, size as u64).expect("it is taken");
                net::half_close(&sending);
            });
            let got = Pattern::new(seed).read_from(&stream, u64::MAX).expect("right");
            writer.join().expect("no panic");
            assert_eq!(got, size as u64, "an echo has no less");
            counts.bytes.fetch_add(got, Ordering::Relaxed);
        }
    }
}

fn ws(port: u16, act: Act, seed: u64, size: usize, terminal: bool, counts: &Counts) {
    let mut ws = WebSocket::connect(port, "/", &[]);
    match act {
        Act::Glance => {}
        Act::Reset => net::reset(ws.stream),
        Act::Garbage => {
            // A reserved opcode, or no mask, or noise.
            let bytes: &[u8] = match seed % 3 {
                0 => &[0x83, 0x80, 0, 0, 0, 0],
                1 => &[0x82, 0x01, b'x'],
                _ => &[0xff; 512],
            };
            ws.send_raw(bytes);
            net::wait_end(&ws.stream);
        }
        Act::ResetInTheMiddle | Act::Vanish | Act::Stall => {
            // To a terminal, lines: a control character would stop `cat` or its output, and the end of a client whose
            // data has no place to go lies behind that data.
            let noise = Pattern::new(seed).take(64 << 10);
            let data = if terminal { b"all work and no play\n".repeat(3000) } else { noise };
            let frame = Frame::new(Opcode::Binary, &data);
            let frame = frame.encode(Some([1, 2, 3, 4]));
            let quiet = Duration::from_millis(if matches!(act, Act::Stall) { 300 } else { 1 });
            net::push_until_stalled(&ws.stream, &frame, quiet, 4 << 20);
            if !matches!(act, Act::Vanish) {
                net::reset(ws.stream);
            }
        }
        Act::Transfer if !terminal => {
            let mut pattern = Pattern::new(seed);
            let data = pattern.take(size);
            for chunk in data.chunks(16 << 10) {
                ws.send_binary(chunk);
                assert_eq!(ws.bytes(chunk.len()), chunk);
            }
            counts.bytes.fetch_add(size as u64, Ordering::Relaxed);
            ws.send_close(1000, "");
            ws.wait_close().expect("a Close is answered");
        }
        Act::Transfer | Act::Close => {
            ws.send_binary(b"x\n");
            let _some = ws.message();
            ws.send_close(1000 + u16::try_from(seed % 2).expect("it is small"), "");
            ws.wait_close();
        }
        Act::PingFlood => {
            let ping = Frame::new(Opcode::Ping, b"are you there?").encode(Some([1, 2, 3, 4]));
            let flood = ping.repeat(200);
            let mut sending = ws.stream.try_clone().expect("a socket can be cloned");
            // Its pongs are left unread.
            for _ in 0..50 {
                if sending.write_all(&flood).is_err() {
                    break;
                }
            }
        }
    }
}

fn unix(path: &str, act: Act, seed: u64, size: usize, counts: &Counts) {
    let Ok(stream) = UnixStream::connect(path) else { panic!("{path} is listened on") };
    stream.set_read_timeout(Some(tests::DEADLINE)).expect("a socket has timeouts");
    stream.set_write_timeout(Some(Duration::from_millis(300))).expect("a socket has timeouts");
    let data = Pattern::new(seed).take(size);
    let mut to = &stream;
    match act {
        Act::Glance | Act::Reset => {}
        Act::Garbage | Act::ResetInTheMiddle | Act::Vanish | Act::Stall => {
            for _ in 0..8 {
                if to.write_all(&data).is_err() {
                    break;
                }
            }
        }
        Act::Transfer | Act::Close | Act::PingFlood => {
            let sending = stream.try_clone().expect("a socket can be cloned");
            let writer = thread::spawn(move || {
                let mut left = data.as_slice();
                while !left.is_empty() {
                    match (&sending).write(left) {
                        Ok(count) => left = &left[count..],
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                        Err(error) => panic!("{} bytes are not taken: {error}", left.len()),
                    }
                }
                sending.shutdown(Shutdown::Write).expect("it is open");
            });
            let got = Pattern::new(seed).read_from(&stream, u64::MAX).expect("right");
            writer.join().expect("no panic");
            assert_eq!(got, size as u64, "an echo has no less");
            counts.bytes.fetch_add(got, Ordering::Relaxed);
        }
    }
}

// === the destination ===

/// Echoes every connection until it ends.
struct Echo {
    port: u16,
    ends: std::sync::Arc<AtomicBool>,
    serving: Option<thread::JoinHandle<()>>,
}

impl Echo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let ends = std::sync::Arc::new(AtomicBool::new(false));
        let until = std::sync::Arc::clone(&ends);
        let serving = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if until.load(Ordering::Relaxed) {
                    return;
                }
                thread::spawn(move || echo(&stream));
            }
        });
        Self { port, ends, serving: Some(serving) }
    }
}

fn echo(mut stream: &TcpStream) {
    let mut chunk = vec![0; 16 << 10];
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        if stream.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
        let _ended = self.serving.take().map(thread::JoinHandle::join);
    }
}

// === the soak ===

/// The sizes that are compared.
#[derive(Clone, Copy, Debug)]
struct Size {
    rss_kib: u64,
    fds: usize,
    threads: u64,
}

struct Soaked {
    name: &'static str,
    forwarder: Forwarder,
}

impl Soaked {
    fn size(&self) -> Size {
        let it = &self.forwarder;
        Size { rss_kib: it.rss_kib(), fds: it.fds(), threads: it.threads() }
    }

    /// Waits until all sessions are over: as many descriptors and threads as at the start are left.
    fn settle(&self, before: Size) -> Size {
        let within = Duration::from_secs(90);
        let settled = until_within(within, || {
            let it = &self.forwarder;
            let less = it.fds() <= before.fds && it.threads() <= before.threads;
            (less && it.children().is_empty()).then_some(())
        });
        let (size, children) = (self.size(), self.forwarder.children());
        assert!(settled.is_some(), "{}: {before:?}, then {size:?}, {children:?}", self.name);
        size
    }
}

#[expect(clippy::print_stdout, reason = "figures, which libtest shows on demand")]
fn soak(length: Duration) {
    let echo = Echo::start();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("soak.sock").display().to_string();
    let tcp = format!("tcp:127.0.0.1:{}", echo.port);
    let start = |name, listen: &str, destination: &str| Soaked {
        name,
        forwarder: Forwarder::start(&["-e", listen, "-d", destination]),
    };
    let soaked = [
        start("tcp to tcp", "0", &tcp),
        start("ws to tcp", "ws:0", &tcp),
        start("tcp to program", "0", "process:cat"),
        start("ws to pty", "ws:0", "pty:cat"),
        start("unix to tcp", &format!("unix:{{{path}}}"), &tcp),
    ];
    let port = |at: usize| soaked[at].forwarder.port(0);
    let entries = [
        Entry::Tcp { port: port(0), program: false },
        Entry::Ws { port: port(1), terminal: false },
        Entry::Tcp { port: port(2), program: true },
        Entry::Ws { port: port(3), terminal: true },
        Entry::Unix { path: &path },
    ];
    // Every act at every entry brings whatever is made once: pipes, buffers, threads.
    let warm = Counts::default();
    run(&entries, length / 5, 1, &warm);
    // The runtime's own descriptors come with the first session, so they are counted afterwards.
    let before = quiet(&soaked);
    let counts = Counts::default();
    run(&entries, length, 1000, &counts);
    for (one, before) in soaked.iter().zip(before) {
        let after = one.settle(before);
        println!("{}: {before:?}, then {after:?}", one.name);
        let log = one.forwarder.log();
        let panic = log.lines().find(|line| line.contains("panicked at"));
        assert_eq!(panic, None, "{}", one.name);
        let grown = after.rss_kib.saturating_sub(before.rss_kib);
        assert!(grown < GROWTH_KIB, "{}: {before:?}, then {after:?}", one.name);
    }
    println!("{counts:?} in {length:?}");
}

/// Waits until nothing of the sessions is left.
fn quiet(soaked: &[Soaked]) -> Vec<Size> {
    let (mut last, mut looks) = (Vec::new(), 0);
    until_within(Duration::from_secs(90), || {
        let now: Vec<_> =
            soaked.iter().map(|one| (one.forwarder.fds(), one.forwarder.threads())).collect();
        looks = if now == last { looks + 1 } else { 0 };
        last = now;
        let programs = soaked.iter().any(|one| !one.forwarder.children().is_empty());
        (looks > QUIET_LOOKS && !programs).then_some(())
    });
    soaked.iter().map(Soaked::size).collect()
}

/// Runs several clients at once for `length`, each with acts in a separate random order.
fn run(entries: &[Entry<'_>], length: Duration, seed: u64, counts: &Counts) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let over = &over;
            scope.spawn(move || {
                let mut seed = (seed + client).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                while !over.load(Ordering::Relaxed) {
                    // Knuth's MMIX: which act is done where only has to vary.
                    seed = seed
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let pick = seed >> 33;
                    let (acts, places) = (ACTS.len() as u64, entries.len() as u64);
                    let act = ACTS[usize::try_from(pick % acts).expect("it is small")];
                    let place = usize::try_from(pick / acts % places).expect("it is small");
                    entries[place].run(act, pick, counts);
                }
            });
        }
        until_within(length, || None::<()>);
        over.store(true, Ordering::Relaxed);
    });
}

/// At the same time: enough that sessions of every sort overlap, few enough for two processors.
const CLIENTS: u64 = 12;
/// The memory that caches and the allocator may keep.
const GROWTH_KIB: u64 = 4096;
/// Each is 3 ms and more, and a session that ends takes 5 s at most.
const QUIET_LOOKS: u32 = 1500;
