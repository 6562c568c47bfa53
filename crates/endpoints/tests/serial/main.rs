//! Serial lines, over pairs of ptys that `socat` joins.
//!
//! Linux's ptys take any speed, stop bits and flow control, and stay at 8 bits without parity. They have
//! no modem lines, and a break on one is nothing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod devices;
mod settings;

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
