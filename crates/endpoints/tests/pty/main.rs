//! Programs on a terminal: sizes, signals, the last bytes, and how they end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod ends;
mod flow;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use common::{LONG, accepted, bind, connect, connector, failure, noise, offer, shown, try_connect};
use endpoint::control::{Break, WindowSize};
use endpoint::info::{Http, RequestedWindow};
use endpoint::{
    ByteStream, Conn, Context, Control, End, ErrorKind, ExitStatus, Grants, Info, Signal, Transport,
};
use rustix::process::Pid;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout};

/// A session on a terminal, as a splice has it.
struct Session {
    stream: Box<dyn ByteStream>,
    control: Control,
}

impl Session {
    fn of(conn: Conn) -> Self {
        let Transport::Bytes(stream) = conn.transport else { panic!("a terminal carries bytes") };
        Self { stream, control: conn.control }
    }

    async fn start(cx: &Context, text: &str) -> Self {
        Self::of(connect(cx, text).await)
    }

    /// Reads, and lives meanwhile, until the text is `enough`. Returns the text.
    async fn read_until(&mut self, enough: impl Fn(&str) -> bool) -> String {
        let mut text = String::new();
        let reading = poll_fn(|cx| {
            assert!(self.stream.poll_background(cx).is_pending());
            let mut bytes = [0; 4096];
            loop {
                if enough(&text) {
                    return Poll::Ready(());
                }
                let mut buf = ReadBuf::new(&mut bytes);
                match Pin::new(&mut *self.stream).poll_read(cx, &mut buf) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(read) => read.unwrap(),
                }
                assert!(!buf.filled().is_empty(), "it ended after {text:?}");
                text += &String::from_utf8_lossy(buf.filled());
            }
        });
        timeout(LONG, reading).await.expect("it says what is waited for");
        text
    }

    /// Returns its next line of output, without the line's end.
    async fn line(&mut self) -> String {
        let text = self.read_until(|text| text.ends_with('\n')).await;
        text.trim_end().to_owned()
    }

    /// Returns all of its output, and its end.
    async fn output(mut self) -> (Vec<u8>, End) {
        let mut bytes = Vec::new();
        timeout(LONG, self.stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        (bytes, self.stream.end())
    }

    fn say(&self, signal: Signal) {
        self.control.incoming.as_ref().unwrap().send(signal).unwrap();
    }

    async fn pid(&mut self) -> Pid {
        Pid::from_raw(self.line().await.parse().unwrap()).unwrap()
    }
}

fn sh(script: &str) -> String {
    format!("pty:sh:-c:{{{script}}}:grace=10")
}

/// Programs are found, and the machine's own settings don't matter.
fn cx() -> Context {
    common::with_path()
}

async fn settled(cx: &Context) {
    assert!(cx.settled(LONG).await, "something is still working");
}

/// The state of a process, from `proc_pid_stat(5)`.
fn lives(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

#[tokio::test]
async fn it_is_a_terminal_that_controls_its_program() {
    let cx = cx();
    let script =
        sh("tty >/dev/null && echo $TERM; ps -o sid=,pgid=,tpgid= -p $$; echo $$; tty </dev/tty");
    let (bytes, end) = Session::start(&cx, &script).await.output().await;
    let text = String::from_utf8(bytes).unwrap();
    let words: Vec<_> = text.split_whitespace().collect();
    let [term, sid, pgid, tpgid, pid, tty] = *words else { panic!("{text:?}") };
    assert_eq!(term, "xterm-256color");
    assert_eq!([sid, pgid, tpgid], [pid; 3], "it leads its session and is in the foreground");
    assert!(tty.starts_with("/dev/"), "{tty}");
    assert_eq!(end, End::exited(ExitStatus::Code(0)));
    settled(&cx).await;
}

#[tokio::test]
async fn the_size_is_there_from_the_start() {
    let cx = cx();
    let (bytes, _) = Session::start(&cx, "pty:stty:size").await.output().await;
    assert_eq!(bytes, b"24 80\r\n");
    let (bytes, _) = Session::start(&cx, "pty:stty:size:rows=50:cols=132").await.output().await;
    assert_eq!(bytes, b"50 132\r\n");
}

#[tokio::test]
async fn the_client_may_ask_for_a_size() {
    let cx = cx();
    let window = RequestedWindow { rows: Some(0), cols: Some(101) };
    let plan = connector("pty:stty:size:rows=33");
    let conn = plan.endpoint.connect(&cx, &Info::new().with(window)).await.unwrap();
    let (bytes, _) = Session::of(conn).output().await;
    assert_eq!(bytes, b"33 101\r\n", "rows=0 is no size");
}

/// Returns a program's input after two characters of two bytes were typed and erased again.
async fn erased(cx: &Context, near: &Info) -> String {
    let text = sh("echo ready; read line; echo got: $line.");
    let conn = connector(&text).endpoint.connect(cx, near).await.unwrap();
    let mut session = Session::of(conn);
    session.read_until(|text| text.contains("ready")).await;
    session.stream.write_all("aéé\x7f\x7fb\r".as_bytes()).await.unwrap();
    let output = session.read_until(|text| text.contains(".\r\n")).await;
    output.split("got: ").nth(1).unwrap_or_default().trim().to_owned()
}

#[tokio::test]
async fn backspace_erases_characters_where_they_are_utf_8() {
    let with = |locale: &str| {
        Context::with_environment([
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("LC_ALL".into(), locale.into()),
        ])
    };
    let mut page = Http::default();
    page.subprotocols = vec!["endpointforward.v1".to_owned()];
    let page = Info::new().with(page);
    assert_eq!(erased(&with("C.UTF-8"), &Info::new()).await, "ab.");
    assert_eq!(erased(&cx(), &Info::new()).await, "ab.", "no locale at all");
    assert_eq!(erased(&with("C"), &page).await, "ab.");
    assert_ne!(erased(&with("C"), &Info::new()).await, "ab.");
}

#[tokio::test]
async fn locale_and_colours_are_in_the_environment() {
    let text = sh("echo lang=$LANG colours=$COLORTERM.");
    let mut page = Http::default();
    page.subprotocols = vec!["endpointforward.v1".to_owned()];
    let page = Info::new().with(page);
    for (near, expected) in
        [(&Info::new(), "lang=C.UTF-8 colours=."), (&page, "lang=C.UTF-8 colours=truecolor.")]
    {
        let conn = connector(&text).endpoint.connect(&cx(), near).await.unwrap();
        let (output, _) = Session::of(conn).output().await;
        assert_eq!(String::from_utf8(output).unwrap().trim(), expected);
    }
    let own = format!("{text}:env.LANG=C");
    let (output, _) = Session::start(&cx(), &own).await.output().await;
    assert_eq!(String::from_utf8(output).unwrap().trim(), "lang=C colours=.");
}

#[tokio::test]
async fn a_new_size_reaches_the_program() {
    let cx = cx();
    let script = "trap 'stty size; exit 7' WINCH; stty size; while :; do read _; done";
    let mut session = Session::start(&cx, &sh(script)).await;
    assert_eq!(session.line().await, "24 80");
    // Those that make no sense change nothing.
    session.say(Signal::Window(WindowSize { cols: 0, rows: 0 }));
    session.read_until(|_| true).await;
    session.say(Signal::Window(WindowSize { cols: 120, rows: 40 }));
    // Some shells look at their traps only after a line.
    session.read_until(|_| true).await;
    session.stream.write_all(b"\n").await.unwrap();
    session.read_until(|text| text.contains("40 120\r\n")).await;
    let (_, end) = session.output().await;
    assert_eq!(end.status, Some(ExitStatus::Code(7)));
}

#[tokio::test]
async fn a_break_interrupts_even_what_ignores_ctrl_c() {
    let cx = cx();
    let mut session = Session::start(&cx, &sh("stty raw -echo; echo on; exec cat")).await;
    session.line().await;
    session.stream.write_all(b"\x03").await.unwrap();
    assert_eq!(session.read_until(|text| !text.is_empty()).await, "\x03");
    session.say(Signal::Break(Break::Timed(Duration::from_millis(250))));
    session.read_until(|_| true).await;
    let (_, end) = session.output().await;
    assert_eq!(end.status, Some(ExitStatus::Signal(2)));
}

#[tokio::test]
async fn variables_and_directory_arrive() {
    let cx = Context::with_environment([
        ("PATH".into(), "/usr/bin:/bin".into()),
        ("LINES".into(), "1".into()),
        ("MINE".into(), "ours".into()),
    ]);
    let text = "pty:sh:-c:{echo $PWD $TERM $A $MINE ${LINES-none}}:cwd=/:term=vt100:env.A=x y";
    let (bytes, _) = Session::start(&cx, text).await.output().await;
    assert_eq!(String::from_utf8(bytes).unwrap(), "/ vt100 x y ours none\r\n");
    let text = "pty:sh:-c:{echo $TERM}:env.TERM=dumb";
    let (bytes, _) = Session::start(&cx, text).await.output().await;
    assert_eq!(bytes, b"dumb\r\n");
}

#[tokio::test]
async fn a_shell_is_worked_with() {
    let cx = cx();
    let text = "pty:bash:--norc:--noprofile:-i:env.PS1={$ }:env.HISTFILE=";
    let mut session = Session::start(&cx, text).await;
    session.read_until(|text| text.ends_with("$ ")).await;
    session.stream.write_all(b"echo $((6*7)); stty size\r").await.unwrap();
    let text = session.read_until(|text| text.contains("24 80\r\n") && text.ends_with("$ ")).await;
    assert!(text.contains("42\r\n24 80\r\n"), "{text:?}");
    session.stream.write_all(b"exit 9\r").await.unwrap();
    assert_eq!(session.output().await.1.status, Some(ExitStatus::Code(9)));
    settled(&cx).await;
}

#[test]
fn a_program_is_what_it_grants() {
    assert_eq!(connector("pty:bash").endpoint.grants(), Grants::Program);
}

#[tokio::test]
async fn what_cannot_be_started_is_explained() {
    let cx = cx();
    let error = failure(try_connect(&cx, "pty:no-such-shell").await);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    insta::assert_snapshot!(shown(&error), @r"
    cannot start pty:no-such-shell: no such file or directory
    there is no `no-such-shell` in PATH; give its path, or install it
    ");
    let error = failure(try_connect(&cx, "pty:bash:cwd=/dev/null").await);
    insta::assert_snapshot!(shown(&error), @r"
    cannot start pty:bash:cwd=/dev/null: not a directory
    `cwd` must be a directory, and /dev/null is not one
    ");
}

/// Waits until `it` is so; polling is all that there is for what other processes do.
async fn until(it: impl Fn() -> bool) {
    let waiting = async {
        while !it() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LONG, waiting).await.expect("it comes true");
}

#[tokio::test]
async fn a_job_of_a_shell_is_told_from_the_shell() {
    use endpoint::control::Query;

    let cx = cx();
    let mut session = Session::start(&cx, "pty:sh:-i").await;
    let mut signals = session.control.outgoing.take().unwrap();
    for (typed, runs) in [("", false), ("sleep 1000\n", true), ("\u{3}", false)] {
        session.stream.write_all(typed.as_bytes()).await.unwrap();
        // Typed input takes a moment.
        timeout(LONG, async {
            loop {
                session.say(Signal::Query(Query::Job));
                let said = poll_fn(|task| {
                    let _ = session.stream.poll_background(task);
                    signals.poll_recv(task)
                });
                if said.await == Some(Signal::Job(runs)) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap();
    }
}
