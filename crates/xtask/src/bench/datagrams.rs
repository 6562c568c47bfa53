//! `cargo xtask bench --datagrams`: the cost of a datagram, and of a line of a program, compared with other
//! forwarders.
//!
//! A client keeps [`WINDOW`] messages under way, and a server or a program sends each of them back, or counts them. Both
//! run on the load's processor, and the subject on another. A message that doesn't arrive within three seconds counts as
//! lost.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ::tests::ws::{Frame, Opcode, WebSocket};
use ::tests::{Process, net};

use super::account::Account;
use super::figures::Spread;
use super::machine::{Facts, elsewhere, version};
use crate::{Failure, root};

/// The measurements, one after another, in rounds.
const ROWS: &[Row] = &[
    Row { what: "udp to udp", by: "endpointforward", near: Near::Udp, size: 64 },
    Row { what: "udp to udp", by: "socat", near: Near::Udp, size: 64 },
    Row { what: "udp to udp", by: "nginx", near: Near::Udp, size: 64 },
    Row { what: "udp to udp", by: "endpointforward", near: Near::Udp, size: 1200 },
    Row { what: "udp to udp", by: "socat", near: Near::Udp, size: 1200 },
    Row { what: "udp to udp", by: "nginx", near: Near::Udp, size: 1200 },
    Row { what: "udp to udp, one way", by: "endpointforward", near: Near::Flood, size: 64 },
    Row { what: "udp to udp, one way", by: "socat", near: Near::Flood, size: 64 },
    Row { what: "udp to udp, one way", by: "nginx", near: Near::Flood, size: 64 },
    Row { what: "udp to udp, one way", by: "endpointforward", near: Near::Flood, size: 1200 },
    Row { what: "udp to udp, one way", by: "socat", near: Near::Flood, size: 1200 },
    Row { what: "udp to udp, one way", by: "nginx", near: Near::Flood, size: 1200 },
    Row { what: "ws to udp", by: "endpointforward", near: Near::WebSocket, size: 64 },
    Row { what: "ws to udp", by: "endpointforward", near: Near::WebSocket, size: 1200 },
    Row { what: "lines of a program", by: "endpointforward", near: Near::Lines, size: 64 },
    Row { what: "lines of a program", by: "websocketd", near: Near::Lines, size: 64 },
];

#[derive(Clone, Copy)]
struct Row {
    what: &'static str,
    by: &'static str,
    near: Near,
    size: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Near {
    /// There and back.
    Udp,
    /// One way.
    Flood,
    WebSocket,
    Lines,
}

/// The result of one round.
struct Round {
    /// Messages that came back, a second.
    rate: f64,
    /// Processor time for each message that was forwarded, there or back, in microseconds.
    cpu: f64,
    lost: usize,
}

/// Measures all rows, and writes docs/benchmarks/messages.md.
pub(super) fn run(ours: &str, rounds: usize, facts: &Facts) -> Result<(), Failure> {
    let mut all: Vec<Vec<Round>> = ROWS.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (row, results) in ROWS.iter().zip(&mut all) {
            results.push(row.round(ours)?);
        }
    }
    let Facts { date, commit, cpu, processors, kernel, rustc, load, .. } = facts;
    let mut page = format!(
        "# Messages\n\nMeasured on {date} at commit {commit}: {cpu}, {processors} processors, {kernel}, {rustc}; load average \
         before the run {load}; {rounds} rounds of {COUNT} messages there and back, {WINDOW} under way, or one way, {FLOOD} under \
         way; medians (least–most).\n\n\
         To repeat it, run `cargo xtask bench --datagrams`, which writes this page.\n\n\
         | what | by | size | messages/s | CPU µs for each, one way | lost |\n|---|---|---|---|---|---|\n"
    );
    for (row, results) in ROWS.iter().zip(&all) {
        let spread = |of: fn(&Round) -> f64| {
            let values: Vec<_> = results.iter().map(of).collect();
            Spread::of(&values).map_or_else(String::new, Spread::shown)
        };
        let by = match row.by {
            "endpointforward" => "endpointforward".to_owned(),
            other => format!("{other} {}", version(other)),
        };
        let lost: usize = results.iter().map(|round| round.lost).sum();
        let (rate, cpu) = (spread(|round| round.rate), spread(|round| round.cpu));
        let Row { what, size, .. } = row;
        let _infallible = writeln!(page, "| {what} | {by} | {size} B | {rate} | {cpu} | {lost} |");
    }
    print!("{page}");
    let file = root().join("docs/benchmarks/messages.md");
    std::fs::write(&file, page).map_err(|error| format!("{}: {error}", file.display()))
}

impl Row {
    fn round(&self, ours: &str) -> Result<Round, Failure> {
        let far = Echo::start(self.near != Near::Flood)?;
        let port = net::free_port();
        let folder = tempfile::tempdir().map_err(|error| format!("a folder: {error}"))?;
        let command = self.command(ours, folder.path(), port, far.port)?;
        let mut subject = Process::spawn(self.by, &mut elsewhere(&command, true));
        let round = match self.near {
            Near::Udp => udp(port, self.size, &mut subject),
            Near::Flood => flood(port, self.size, &far, &mut subject),
            Near::WebSocket | Near::Lines => websocket(port, self, &mut subject),
        };
        drop(subject);
        round
    }

    fn command(&self, ours: &str, folder: &Path, port: u16, far: u16) -> Result<Command, Failure> {
        let program = ::tests::binary::program(self.by).unwrap_or_else(|| self.by.into());
        let mut command =
            Command::new(if self.by == "endpointforward" { ours.into() } else { program });
        let near = match self.near {
            Near::Udp | Near::Flood => format!("udp:{port}:interface=127.0.0.1"),
            Near::WebSocket | Near::Lines => format!("ws:{port}"),
        };
        match (self.by, self.near) {
            ("socat", _) => command.args([
                format!("UDP-LISTEN:{port},bind=127.0.0.1,fork"),
                format!("UDP:127.0.0.1:{far}"),
            ]),
            ("nginx", _) => {
                let config = folder.join("nginx.conf");
                std::fs::write(&config, nginx(folder, port, far))
                    .map_err(|error| format!("{}: {error}", config.display()))?;
                command.args(["-e", "/dev/null", "-c"]).arg(config)
            }
            ("websocketd", _) => {
                command.args(["--address=127.0.0.1", &format!("--port={port}"), "cat"])
            }
            (_, Near::Lines) => command.args(["-e", &near, "-d", "process:cat:framing=lines"]),
            _ => command.args(["-e", &near, "-d", &format!("udp:127.0.0.1:{far}")]),
        };
        Ok(command)
    }
}

/// A session for each client, as ours, by nginx's module for streams. One process does all of it.
fn nginx(folder: &Path, port: u16, far: u16) -> String {
    format!(
        "daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log /dev/null; \
         load_module modules/ngx_stream_module.so; events {{}} stream {{ server {{ listen 127.0.0.1:{port} udp; \
         proxy_pass 127.0.0.1:{far}; }} }}\n",
        folder = folder.display()
    )
}

/// A server that sends datagrams back, or only the first.
struct Echo {
    port: u16,
    is_over: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    serving: Option<thread::JoinHandle<()>>,
}

impl Echo {
    fn start(is_echo: bool) -> Result<Self, Failure> {
        let failed = |error| format!("a server of datagrams: {error}");
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(failed)?;
        socket.set_read_timeout(Some(Duration::from_millis(100))).map_err(failed)?;
        let port = socket.local_addr().map_err(failed)?.port();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let serving = thread::spawn(move || {
            let mut buf = [0; 2048];
            while !over.load(Ordering::Relaxed) {
                if let Ok((len, from)) = socket.recv_from(&mut buf)
                    && (counted.fetch_add(1, Ordering::Relaxed) == 0 || is_echo)
                {
                    let _lost = socket.send_to(&buf[..len], from);
                }
            }
        });
        Ok(Self { port, is_over, count, serving: Some(serving) })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(serving) = self.serving.take() {
            let _panicked = serving.join();
        }
    }
}

/// A client whose first datagram has come back.
fn answered(port: u16, size: usize, subject: &mut Process) -> Result<UdpSocket, Failure> {
    let failed = |error| format!("a client of datagrams: {error}");
    let client = UdpSocket::bind("127.0.0.1:0").map_err(failed)?;
    client.connect(("127.0.0.1", port)).map_err(failed)?;
    client.set_read_timeout(Some(Duration::from_millis(50))).map_err(failed)?;
    let (data, mut buf) = (vec![7; size], [0; 2048]);
    // Until it answers: before it listens, the system refuses.
    let by = Instant::now() + PATIENCE;
    loop {
        let _refused = client.send(&data);
        match client.recv(&mut buf) {
            Ok(_) => break,
            Err(_) if Instant::now() > by || !subject.runs() => {
                return Err(format!("no datagram comes back\n{}", subject.report()));
            }
            Err(_) => {}
        }
    }
    client.set_read_timeout(Some(Duration::from_secs(3))).map_err(failed)?;
    Ok(client)
}

fn flood(port: u16, size: usize, far: &Echo, subject: &mut Process) -> Result<Round, Failure> {
    let client = answered(port, size, subject)?;
    let data = vec![7; size];
    let mut round = measured(subject, |count| {
        let before = far.count.load(Ordering::Relaxed);
        let arrived = || far.count.load(Ordering::Relaxed) - before;
        let (mut sent, mut lost) = (0_usize, 0);
        let (mut last, mut since) = (0, Instant::now());
        while last + lost < count {
            if sent < count && sent.saturating_sub(last + lost) < FLOOD {
                client.send(&data).map_err(|error| format!("a client of datagrams: {error}"))?;
                sent += 1;
                continue;
            }
            thread::yield_now();
            let now = arrived();
            if now > last {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() > Duration::from_secs(3) {
                // Those under way.
                lost = sent - last;
                since = Instant::now();
            }
        }
        Ok(last)
    })?;
    // They are forwarded once.
    round.cpu *= 2.0;
    Ok(round)
}

fn udp(port: u16, size: usize, subject: &mut Process) -> Result<Round, Failure> {
    let failed = |error| format!("a client of datagrams: {error}");
    let client = answered(port, size, subject)?;
    let (data, mut buf) = (vec![7; size], [0; 2048]);
    measured(subject, |count| {
        let (mut sent, mut back, mut lost) = (0_usize, 0, 0);
        while back + lost < count {
            while sent < count && sent.saturating_sub(back + lost) < WINDOW {
                client.send(&data).map_err(failed)?;
                sent += 1;
            }
            match client.recv(&mut buf) {
                Ok(_) => back += 1,
                // Those under way.
                Err(error) if error.kind() == ErrorKind::WouldBlock => lost = sent - back,
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(back)
    })
}

fn websocket(port: u16, row: &Row, subject: &mut Process) -> Result<Round, Failure> {
    let by = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > by || !subject.runs() {
            return Err(format!("nobody listens\n{}", subject.report()));
        }
        thread::sleep(Duration::from_millis(10));
    }
    let mut client = WebSocket::connect(port, "/", &[]);
    let text = "x".repeat(row.size);
    let opcode = if row.near == Near::Lines { Opcode::Text } else { Opcode::Binary };
    let frame = Frame::new(opcode, text.as_bytes()).encode(Some([1, 2, 3, 4]));
    let batch = frame.repeat(WINDOW / 2);
    measured(subject, |count| {
        let (mut sent, mut back) = (0, 0);
        while back < count {
            while sent < count && sent - back <= WINDOW / 2 {
                client.send_raw(&batch);
                sent += WINDOW / 2;
            }
            match client.receive() {
                Some(frame) if matches!(frame.opcode, Opcode::Ping | Opcode::Pong) => {}
                Some(frame) if frame.payload.len() == row.size => back += 1,
                other => return Err(format!("{other:?} came back")),
            }
        }
        Ok(back)
    })
}

/// The rate and the cost of what `work` sends and gets back: so many messages, or fewer if some are lost.
fn measured(
    subject: &Process,
    mut work: impl FnMut(usize) -> Result<usize, Failure>,
) -> Result<Round, Failure> {
    // Once around, so that everything is there that comes at first use.
    work(WINDOW * 10)?;
    let account = Account::of(subject.id());
    let (before, began) = (account.cpu(), Instant::now());
    let back = work(COUNT)?;
    let (took, cpu) = (began.elapsed(), account.cpu() - before);
    let each = 2.0 * back.max(1) as f64;
    Ok(Round {
        rate: back as f64 / took.as_secs_f64(),
        cpu: cpu.as_secs_f64() * 1e6 / each,
        lost: COUNT.saturating_sub(back),
    })
}

/// Messages there and back, in a round.
const COUNT: usize = 100_000;
/// Messages under way: fewer than any queue on the way holds.
const WINDOW: usize = 32;
/// Messages under way in one direction alone: no receive buffer has less room.
const FLOOD: usize = 64;
const PATIENCE: Duration = Duration::from_secs(10);
