//! Serial lines, over pairs of ptys that `socat` joins.
//!
//! Linux's ptys take any speed, stop bits and flow control, and stay at 8 bits without parity. They have
//! no modem lines, and a break on one is nothing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs::{self, File, OpenOptions};
use std::future::poll_fn;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::task::Poll;
use std::time::Duration;

use common::{
    LONG, accepted, bind, connect, connector, failure, noise, offer, registry, shown, try_connect,
};
use descriptor::{Report, Syntax};
use endpoint::control::{Break, LineSettings, ModemLines, Purge, Query, StopBits};
use endpoint::{Context, ErrorKind, Grants, Io, Signal, Transport};
use rustix::fs::OFlags;
use rustix::termios::{ControlModes, InputModes, LocalModes, OutputModes, Termios, tcgetattr};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

/// A line with a device at each end.
struct Pair {
    socat: Child,
    dir: tempfile::TempDir,
}

impl Pair {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let side = |name: &str| format!("pty,raw,echo=0,link={}/{name}", dir.path().display());
        let socat = Command::new("socat")
            .args([side("a"), side("b")])
            .stdin(Stdio::null())
            .spawn()
            .expect("socat is installed (apt-get install socat)");
        let pair = Self { socat, dir };
        until(|| pair.path("a").exists() && pair.path("b").exists()).await;
        pair
    }

    fn path(&self, side: &str) -> PathBuf {
        self.dir.path().join(side)
    }

    fn descriptor(&self, side: &str, more: &str) -> String {
        format!("serial:{}{more}", self.path(side).display())
    }

    /// Returns the settings of a device, as another process sees them.
    fn termios(&self, side: &str) -> Termios {
        tcgetattr(self.file(side)).unwrap()
    }

    fn file(&self, side: &str) -> File {
        let flags = (OFlags::NOCTTY | OFlags::NONBLOCK).bits();
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(flags.try_into().unwrap());
        options.open(self.path(side)).unwrap()
    }

    fn unplug(&mut self) {
        self.socat.kill().unwrap();
        self.socat.wait().unwrap();
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.unplug();
    }
}

async fn open(cx: &Context, text: &str) -> Io {
    connect(cx, text).await.into_io()
}

#[tokio::test]
async fn bytes_pass_both_ways() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let near = open(&cx, &pair.descriptor("a", ":115200")).await;
    let far = open(&cx, &pair.descriptor("b", ":baud=115200")).await;
    let (here, there) = (noise(1, 200_000), noise(2, 200_001));
    let send = |io: Io, out: Vec<u8>, length: usize| async move {
        let (mut read, mut write) = tokio::io::split(io);
        let writing = async { write.write_all(&out).await.unwrap() };
        let mut got = vec![0; length];
        let reading = async { read.read_exact(&mut got).await.unwrap() };
        tokio::join!(writing, reading);
        got
    };
    let both = async {
        tokio::join!(send(near, here.clone(), there.len()), send(far, there.clone(), here.len()),)
    };
    let (from_there, from_here) = timeout(LONG, both).await.unwrap();
    assert!(from_here == here, "what went one way was changed");
    assert!(from_there == there, "what went the other way was changed");
    assert!(cx.settled(LONG).await);
}

#[tokio::test]
async fn the_device_is_set_as_asked() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let more = ":250000:stopbits=2:xonxoff=true:rtscts=yes:exclusive=false";
    let _open = open(&cx, &pair.descriptor("a", more)).await;
    let termios = pair.termios("a");
    assert_eq!((termios.input_speed(), termios.output_speed()), (250_000, 250_000));
    let control = termios.control_modes;
    assert!(control.contains(ControlModes::CSTOPB | ControlModes::CRTSCTS | ControlModes::CREAD));
    assert!(control.contains(ControlModes::CLOCAL), "carrier detect is not waited for");
    assert!(termios.input_modes.contains(InputModes::IXON | InputModes::IXOFF));
}

#[tokio::test]
async fn the_device_is_raw_and_at_9600_otherwise() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    // A program that had it before left it as a terminal.
    let stty = Command::new("stty").args(["sane", "4800", "-F"]).arg(pair.path("a")).status();
    assert!(stty.unwrap().success());
    let _open = open(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    let termios = pair.termios("a");
    assert_eq!(termios.output_speed(), 9600);
    let (input, local) = (termios.input_modes, termios.local_modes);
    assert!(!input.intersects(InputModes::IXON | InputModes::IXOFF | InputModes::ICRNL));
    assert!(!local.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
    assert!(!termios.output_modes.contains(OutputModes::OPOST));
    assert_eq!(termios.control_modes & ControlModes::CSIZE, ControlModes::CS8);
    assert!(!termios.control_modes.intersects(ControlModes::CSTOPB | ControlModes::CRTSCTS));
}

#[tokio::test]
async fn what_came_in_before_is_forgotten() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let held = pair.file("a");
    pair.file("b").write_all(b"stale").unwrap();
    until(|| rustix::io::ioctl_fionread(&held).unwrap() == 5).await;
    let mut near = open(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    pair.file("b").write_all(b"fresh").unwrap();
    let mut got = [0; 5];
    timeout(LONG, near.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(&got, b"fresh");
}

#[tokio::test]
async fn settings_change_while_it_is_open_and_what_is_kept_is_said() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut conn = connect(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a line carries bytes") };
    let mut wanted = LineSettings::default();
    wanted.baud = Some(38_400);
    wanted.parity = Some('E');
    wanted.stop_bits = Some(StopBits::OneAndHalf);
    conn.control.incoming.as_ref().unwrap().send(Signal::Line(wanted)).unwrap();
    let outgoing = conn.control.outgoing.as_mut().unwrap();
    let said = poll_fn(|task| {
        assert!(stream.poll_background(task).is_pending());
        past_title(outgoing, task)
    });
    let Some(Signal::Line(kept)) = timeout(LONG, said).await.unwrap() else {
        panic!("the settings are said")
    };
    assert_eq!(
        (kept.baud, kept.stop_bits, kept.xonxoff),
        (Some(38_400), Some(StopBits::Two), Some(false))
    );
    assert_eq!((kept.parity, kept.data_bits), (Some('N'), Some(8)), "what a pty keeps");
    assert_eq!(pair.termios("a").output_speed(), 38_400);
}

/// The next signal but the device's name, which comes first.
fn past_title(
    from: &mut endpoint::SignalReceiver,
    task: &mut std::task::Context<'_>,
) -> Poll<Option<Signal>> {
    loop {
        match from.poll_recv(task) {
            Poll::Ready(Some(Signal::Title(title))) => assert_eq!(title, "a"),
            other => return other,
        }
    }
}

#[tokio::test]
async fn a_query_is_answered_with_all_settings() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut conn = connect(&cx, &pair.descriptor("a", ":19200:stopbits=2")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a line carries bytes") };
    let outgoing = conn.control.outgoing.as_mut().unwrap();
    let incoming = conn.control.incoming.as_ref().unwrap();
    let mut next = async |asked: bool| {
        let said = poll_fn(|task| {
            assert!(stream.poll_background(task).is_pending());
            past_title(outgoing, task)
        });
        if !asked {
            return timeout(LONG, said).await.unwrap();
        }
        incoming.send(Signal::Query(Query::Modem)).unwrap();
        incoming.send(Signal::Query(Query::Line)).unwrap();
        timeout(LONG, said).await.unwrap()
    };
    let first = next(false).await;
    let Some(Signal::Line(line)) = &first else { panic!("{first:?}") };
    assert_eq!((line.baud, line.stop_bits), (Some(19_200), Some(StopBits::Two)));
    // A pty has no modem lines to tell of.
    assert_eq!(next(true).await, first);
}

#[tokio::test]
async fn a_purge_throws_away_what_was_received() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let conn = connect(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a line carries bytes") };
    let incoming = conn.control.incoming.unwrap();
    let other = pair.file("a");
    for (what, left) in [(Purge::Output, 5), (Purge::Input, 0)] {
        if left > 0 {
            pair.file("b").write_all(b"stale").unwrap();
        }
        until(|| rustix::io::ioctl_fionread(&other).unwrap() == 5).await;
        incoming.send(Signal::Purge(what)).unwrap();
        let acted = poll_fn(|task| Poll::Ready(stream.poll_background(task).is_pending()));
        assert!(acted.await);
        assert_eq!(rustix::io::ioctl_fionread(&other).unwrap(), left, "{what:?}");
    }
}

/// Data written while a break is switched on is not held up: the signal that ends the break may come
/// behind.
#[tokio::test]
async fn a_break_that_is_switched_on_holds_nobody_up() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let conn = connect(&cx, &pair.descriptor("a", "")).await;
    let mut far = open(&cx, &pair.descriptor("b", "")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a line carries bytes") };
    let incoming = conn.control.incoming.unwrap();
    let mut wanted = LineSettings::default();
    wanted.baud = Some(1200);
    for signal in [Signal::Break(Break::On), Signal::Line(wanted), Signal::Break(Break::Off)] {
        incoming.send(signal).unwrap();
        let written = poll_fn(|task| {
            assert!(stream.poll_background(task).is_pending());
            Pin::new(&mut stream).poll_write(task, b"x")
        });
        assert_eq!(timeout(LONG, written).await.unwrap().unwrap(), 1);
    }
    let mut got = [0; 3];
    timeout(LONG, far.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(pair.termios("a").output_speed(), 1200);
}

/// A pty sends no break and has no modem lines: the line goes on, and what is written waits.
#[tokio::test]
async fn a_break_takes_its_time_and_holds_no_thread() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut conn = connect(&cx, &pair.descriptor("a", "")).await;
    let mut far = open(&cx, &pair.descriptor("b", "")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a line carries bytes") };
    let incoming = conn.control.incoming.take().unwrap();
    let mut lines = ModemLines::default();
    lines.dtr = Some(false);
    incoming.send(Signal::Modem(lines)).unwrap();
    incoming.send(Signal::Break(Break::Timed(Duration::from_millis(120)))).unwrap();
    let began = tokio::time::Instant::now();
    let mut turns = 0;
    let written = poll_fn(|task| {
        turns += 1;
        assert!(stream.poll_background(task).is_pending());
        Pin::new(&mut stream).poll_write(task, b"after")
    });
    assert_eq!(timeout(LONG, written).await.unwrap().unwrap(), 5);
    assert!(began.elapsed() >= Duration::from_millis(120), "{:?}", began.elapsed());
    assert!(turns < 20, "it is woken by its timer, not {turns} times");
    let mut got = [0; 5];
    timeout(LONG, far.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(&got, b"after");
}

#[tokio::test]
async fn a_device_that_is_in_use_is_busy() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let first = open(&cx, &pair.descriptor("a", "")).await;
    for more in ["", ":exclusive=false"] {
        let error = failure(try_connect(&cx, &pair.descriptor("a", more)).await);
        assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
        let text = shown(&error).replace(pair.dir.path().to_str().unwrap(), "DIR");
        // socat has both ends open itself.
        let text = text.replace(&format!(" and `socat` (process {})", pair.socat.id()), "");
        let told = "DIR/a is in use by another session of this program\nend that program, or share the device with `exclusive=false` if that program shares it too";
        assert_eq!(text, format!("cannot open serial:DIR/a{more}: {told}"));
    }
    // A refused one takes nothing away from who has it.
    let error = failure(try_connect(&cx, &pair.descriptor("a", "")).await);
    assert_eq!(error.kind(), ErrorKind::Busy);
    drop(first);
    assert!(cx.settled(LONG).await);
    open(&cx, &pair.descriptor("a", "")).await;
}

#[tokio::test]
async fn who_uses_it_is_named() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let path = pair.path("a");
    // As picocom does it; `flock` holds the lock while the command that it starts runs.
    let mut user = Command::new("flock")
        .arg(&path)
        .args(["sh", "-c", "echo; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(user.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    let error = failure(try_connect(&cx, &pair.descriptor("a", "")).await);
    let name = format!("`flock` (process {})", user.id());
    drop(user.stdin.take());
    user.wait().unwrap();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains(&name), "{error}");
    open(&cx, &pair.descriptor("a", "")).await;
}

#[tokio::test]
async fn those_that_share_it_may_all_have_it() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut first = open(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    let _second = open(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    let mut far = open(&cx, &pair.descriptor("b", "")).await;
    first.write_all(b"x").await.unwrap();
    assert_eq!(timeout(LONG, far.read_u8()).await.unwrap().unwrap(), b'x');
    let error = failure(try_connect(&cx, &pair.descriptor("a", "")).await);
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
}

#[tokio::test]
async fn a_missing_device_is_never_made() {
    let (cx, dir) = (Context::new(), tempfile::tempdir().unwrap());
    let path = dir.path().join("ttyNONE");
    let error = failure(try_connect(&cx, &format!("serial:{}", path.display())).await);
    assert!(!path.exists());
    assert_eq!(error.kind(), ErrorKind::NotFound);
    insta::assert_snapshot!(shown(&error).replace(dir.path().to_str().unwrap(), "DIR"), @r"
    cannot open serial:DIR/ttyNONE: no such file or directory
    plug it in; `ls -l /dev/serial/by-id` lists USB adapters
    ");
}

#[tokio::test]
async fn what_is_no_serial_device_is_said_to_be_none() {
    let (cx, dir) = (Context::new(), tempfile::tempdir().unwrap());
    let file = dir.path().join("file");
    fs::write(&file, "untouched").unwrap();
    let fifo = dir.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut texts = String::new();
    for path in [file.to_str().unwrap(), fifo.to_str().unwrap(), "/", "/dev/null"] {
        let error = failure(try_connect(&cx, &format!("serial:{path}")).await);
        texts += &error.to_string().replace(dir.path().to_str().unwrap(), "DIR");
        texts += "\n";
        assert!(error.hint().unwrap().contains("/dev/ttyUSB0"));
    }
    insta::assert_snapshot!(texts, @r"
    cannot open serial:DIR/file: DIR/file is a file, not a serial device
    cannot open serial:DIR/fifo: DIR/fifo is a pipe, not a serial device
    cannot open serial:/: / is a directory, not a serial device
    cannot open serial:/dev/null: /dev/null is a device, but not a serial port
    ");
    assert_eq!(fs::read_to_string(file).unwrap(), "untouched");
}

#[tokio::test]
async fn a_device_that_may_not_be_used_is_explained() {
    if rustix::process::geteuid().is_root() {
        // Everything is permitted; the words are tried all the same, where others run this.
        return;
    }
    let error = failure(try_connect(&Context::new(), "serial:/dev/tty0").await);
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.hint().unwrap().contains("dialout"));
}

#[tokio::test]
async fn a_device_that_is_unplugged_is_said_to_be_gone() {
    let (cx, mut pair) = (Context::new(), Pair::new().await);
    let mut near = open(&cx, &pair.descriptor("a", "")).await;
    let reading = async { near.read(&mut [0; 8]).await };
    let unplugging = async { pair.unplug() };
    let (read, ()) = timeout(LONG, async { tokio::join!(reading, unplugging) }).await.unwrap();
    let gone = format!("{} was unplugged", pair.path("a").display());
    assert_eq!(read.unwrap_err().to_string(), gone);
    let error = timeout(LONG, near.write_all(b"x")).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), gone);
    // Saying the end to one that has gone is nothing to fail at.
    timeout(LONG, near.shutdown()).await.unwrap().unwrap();
    drop(near);
    assert!(cx.settled(LONG).await);
}

#[tokio::test]
async fn listening_opens_it_again_after_each_session() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut far = open(&cx, &pair.descriptor("b", "")).await;
    let mut accept = bind(&cx, &pair.descriptor("a", "")).await;
    for byte in *b"12" {
        let near = timeout(LONG, offer(&mut *accept)).await.unwrap();
        let mut near = accepted(near).await.into_io();
        far.write_u8(byte).await.unwrap();
        assert_eq!(timeout(LONG, near.read_u8()).await.unwrap().unwrap(), byte);
    }
}

#[tokio::test]
async fn listening_to_a_missing_device_fails_at_the_start() {
    let error = failure(common::try_bind(&Context::new(), "serial:/dev/ttyNONE").await);
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_line_that_is_held_by_the_other_side_holds_the_writer() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut near = open(&cx, &pair.descriptor("a", "")).await;
    let chunk = [b'x'; 4096];
    // Nothing reads `b`: socat and the kernel keep some, and then no more.
    let mut sent = 0;
    while let Ok(written) = timeout(Duration::from_millis(300), near.write(&chunk)).await {
        sent += written.unwrap();
        assert!(sent < 8 << 20, "nothing holds the writer up");
    }
    let mut far = open(&cx, &pair.descriptor("b", "")).await;
    // Data that waits in the device is discarded when it is opened, and later data is read.
    near.write_all(b"!").await.unwrap();
    let reading = async { while far.read_u8().await.unwrap() != b'!' {} };
    timeout(LONG, reading).await.unwrap();
}

#[test]
fn a_device_is_what_it_grants() {
    assert_eq!(connector("serial:/dev/ttyS0").endpoint.grants(), Grants::Device);
}

#[test]
fn planning_opens_nothing_and_reads_every_name() {
    let plan = connector("serial:/dev/none:baudrate=115200:parity=e:rtscts=on");
    let settings = plan.tree.settings.iter().map(|(name, value, _)| format!("{name}={value}"));
    insta::assert_snapshot!(settings.collect::<Vec<_>>().join(" "), @"path=/dev/none baud=115200 bytesize=8 parity=e stopbits=1 xonxoff=false rtscts=on exclusive=true");
    let pty = connector("pty:bash:-l:term=vt100");
    let settings = pty.tree.settings.iter().map(|(name, value, _)| format!("{name}={value}"));
    insta::assert_snapshot!(settings.collect::<Vec<_>>().join(" "), @"program=bash argument=-l term=vt100 rows=24 cols=80 clearenv=false facts=true grace=5");
}

#[test]
fn mistakes_are_shown() {
    let mistakes = |text: &str| {
        let found = registry().connector(text, Syntax::Extended).map(|_| ());
        Report::new(text, &found.expect_err("this should have been a mistake")).to_string()
    };
    insta::assert_snapshot!(mistakes("serial:/dev/ttyS0:fast"), @r"
    error: `baud` must be a number from 1 to 4294967295
      | serial:/dev/ttyS0:fast
      |                   ^^^^
    ");
    insta::assert_snapshot!(mistakes("serial::parity=even:bytesize=9:stopbits=3"), @r"
    error: `parity` must be `N` or `E` or `O` or `M` or `S`
      | serial::parity=even:bytesize=9:stopbits=3
      |                ^^^^

    error: `bytesize` must be a number from 5 to 8
      | serial::parity=even:bytesize=9:stopbits=3
      |                              ^

    error: `stopbits` must be `1` or `1.5` or `2`
      | serial::parity=even:bytesize=9:stopbits=3
      |                                         ^
    ");
    insta::assert_snapshot!(mistakes("serial:"), @r"
    error: `path` is not the name of a device
      | serial:
      |        ^
    ");
    insta::assert_snapshot!(mistakes("pty:bash:${http.path}"), @r#"
    error: `argument` can't contain facts about a client: it would choose what `bash` runs
      | pty:bash:${http.path}
      |          ^^^^^^^^^^^^
      = help: pass it as an argument behind that text (`"$1"`), or from the environment: `env.X=${…}` and `"$X"`; write `\$` for literal text
    "#);
    insta::assert_snapshot!(mistakes("pty:bash:rows=0:cols=5000"), @r"
    error: `rows` must be a number from 1 to 1000
      | pty:bash:rows=0:cols=5000
      |               ^

    error: `cols` must be a number from 1 to 1000
      | pty:bash:rows=0:cols=5000
      |                      ^^^^
    ");
    insta::assert_snapshot!(mistakes("pty"), @r"
    error: `pty` needs `program`
      | pty
      | ^^^
      = help: the form is `pty:PROGRAM[:ARGUMENT][:NAME=…]…`; `help pty` lists the names
    ");
}

/// Waits until `it` is so; polling is all that there is for what other processes do.
async fn until(it: impl Fn() -> bool) {
    let waiting = async {
        while !it() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LONG, waiting).await.expect("it comes true");
}
