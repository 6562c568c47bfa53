//! Programs on a terminal: sizes, signals, the last bytes, and how they end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

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
async fn the_exit_status_comes_with_the_end_and_as_a_signal() {
    let cx = cx();
    let mut session = Session::start(&cx, &sh("exit 3")).await;
    let mut signals = session.control.outgoing.take().unwrap();
    let (_, end) = session.output().await;
    assert_eq!(end, End::exited(ExitStatus::Code(3)));
    let mut next = async || timeout(LONG, poll_fn(|task| signals.poll_recv(task))).await.unwrap();
    assert_eq!(next().await, Some(Signal::Title("sh".into())));
    assert_eq!(next().await, Some(Signal::Exit(ExitStatus::Code(3))));
    let (_, end) = Session::start(&cx, &sh("kill -9 $$")).await.output().await;
    assert_eq!(end.status, Some(ExitStatus::Signal(9)));
}

#[tokio::test]
async fn the_last_bytes_come_before_the_end() {
    let cx = cx();
    let (bytes, end) = Session::start(&cx, "pty:seq:1:200000").await.output().await;
    let expected: Vec<u8> = (1..=200_000).flat_map(|n| format!("{n}\r\n").into_bytes()).collect();
    assert!(bytes == expected, "{} bytes of {}", bytes.len(), expected.len());
    assert_eq!(end.status, Some(ExitStatus::Code(0)));
}

#[tokio::test]
async fn a_reader_that_comes_late_gets_the_last_bytes() {
    let cx = cx();
    let dir = tempfile::tempdir().unwrap();
    let done = dir.path().join("done");
    // Less than the kernel keeps: it exits though its output isn't read.
    let script = sh(&format!("seq 1 500; echo > {}", done.display()));
    let session = Session::start(&cx, &script).await;
    until(|| done.exists()).await;
    let (bytes, end) = session.output().await;
    assert!(bytes.ends_with(b"\r\n500\r\n"));
    assert_eq!(end.status, Some(ExitStatus::Code(0)));
}

#[tokio::test]
async fn bytes_pass_unchanged_in_raw_mode() {
    let cx = cx();
    let mut session = Session::start(&cx, &sh("stty raw -echo; echo on; exec cat")).await;
    session.line().await;
    let sent = noise(1, 1 << 20);
    let (mut read, mut write) = tokio::io::split(session.stream);
    let mut got = vec![0; sent.len()];
    let writing = async { write.write_all(&sent).await.unwrap() };
    let reading = async { read.read_exact(&mut got).await.unwrap() };
    timeout(LONG, async { tokio::join!(writing, reading) }).await.unwrap();
    assert!(got == sent, "something was lost or changed");
}

/// Canonical mode: lines of any number wait until they are read; of one line Linux keeps 4095 bytes.
#[tokio::test]
async fn a_long_paste_of_lines_is_whole() {
    let cx = cx();
    let script = sh("stty -echo; echo on; for i in 1 2 3; do read -r _; done; exec wc -l");
    let mut session = Session::start(&cx, &script).await;
    session.line().await;
    let paste = "0123456789".repeat(9) + "\n";
    let paste = paste.repeat(5_000) + "\x04";
    timeout(LONG, session.stream.write_all(paste.as_bytes())).await.unwrap().unwrap();
    assert_eq!(session.line().await, "4997");
}

#[tokio::test]
async fn writing_that_nobody_reads_is_held_up() {
    let cx = cx();
    let mut session = Session::start(&cx, &sh("stty raw -echo; echo on; exec sleep 1000")).await;
    session.line().await;
    let chunk = [b'x'; 4096];
    let mut sent = 0;
    poll_fn(|cx| {
        loop {
            match Pin::new(&mut session.stream).poll_write(cx, &chunk) {
                Poll::Ready(written) => sent += written.unwrap(),
                Poll::Pending => return Poll::Ready(()),
            }
            assert!(sent < 8 << 20, "nothing holds the writer up");
        }
    })
    .await;
    assert!(sent > 0);
}

#[tokio::test]
async fn ctrl_c_gets_through_though_nobody_reads() {
    let cx = cx();
    let dir = tempfile::tempdir().unwrap();
    let got = dir.path().join("got");
    let script = sh(&format!(
        "trap 'echo int > {}; exit 5' INT; echo $$; while :; do echo y; done",
        got.display()
    ));
    let mut session = Session::start(&cx, &script).await;
    session.read_until(|text| text.contains("y\r\ny\r\n")).await;
    // The program is held up by now, or will be soon; either way this has to reach it.
    session.stream.write_all(b"\x03").await.unwrap();
    until(|| got.exists()).await;
    let (_, end) = session.output().await;
    assert_eq!(end.status, Some(ExitStatus::Code(5)));
}

#[tokio::test]
async fn a_flood_that_nobody_reads_is_held_up() {
    let cx = cx();
    let mut session = Session::start(&cx, &sh("echo $$; exec cat /dev/zero")).await;
    let text = session.read_until(|text| text.contains('\n')).await;
    let pid: i32 = text.lines().next().unwrap().trim().parse().unwrap();
    let pid = Pid::from_raw(pid).unwrap();
    // Blocked in a write to its terminal: the kernel's buffer is all that it fills.
    let blocked = || {
        let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
        std::fs::read_to_string(path).unwrap().rsplit_once(") ").unwrap().1.starts_with('S')
    };
    until(blocked).await;
    drop(session);
    settled(&cx).await;
    assert!(!lives(pid));
}

#[tokio::test]
async fn the_end_of_the_session_hangs_up() {
    let cx = cx();
    let dir = tempfile::tempdir().unwrap();
    let got = dir.path().join("got");
    let script = format!(
        "trap 'echo hup >> {}; exit' HUP; echo $$; while :; do read _; done",
        got.display()
    );
    let mut session = Session::start(&cx, &sh(&script)).await;
    let pid = session.pid().await;
    let began = Instant::now();
    drop(session);
    settled(&cx).await;
    assert!(began.elapsed() < Duration::from_secs(10), "grace was not needed");
    assert_eq!(std::fs::read_to_string(got).unwrap(), "hup\n", "once");
    assert!(!lives(pid));
}

#[tokio::test]
async fn what_ignores_the_hang_up_is_killed() {
    let cx = cx();
    let script = "trap '' HUP TERM; sleep 1000 & echo $! $$; while :; do sleep 1000; done";
    let mut session = Session::start(&cx, &format!("pty:sh:-c:{{{script}}}:grace=200ms")).await;
    let pids: Vec<_> = session
        .line()
        .await
        .split(' ')
        .map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap())
        .collect();
    let began = Instant::now();
    drop(session);
    settled(&cx).await;
    assert!(began.elapsed() >= Duration::from_millis(200), "grace is given");
    assert!(!pids.into_iter().any(lives));
}

#[tokio::test]
async fn jobs_in_groups_of_their_own_are_reached() {
    let cx = cx();
    // `set -m` is job control: each job is a group; these ignore the hang-up.
    let script = "set -m; (trap '' HUP; exec sleep 1000) & (trap '' HUP; kill -STOP 0) & jobs -p; echo; wait";
    let mut session = Session::start(&cx, &format!("pty:bash:-c:{{{script}}}:grace=300ms")).await;
    let text = session.read_until(|text| text.contains("\r\n\r\n")).await;
    let pids: Vec<_> =
        text.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect();
    assert_eq!(pids.len(), 2, "{text}");
    drop(session);
    settled(&cx).await;
    assert!(!pids.into_iter().any(lives), "a job outlived its session");
}

#[tokio::test]
async fn a_job_that_keeps_the_terminal_does_not_hold_the_session() {
    let cx = cx();
    for job in ["exec sleep 1000", "while :; do echo noise; done"] {
        let script = format!("trap '' HUP; ({job}) & echo $!; exit 6");
        let mut session = Session::start(&cx, &format!("pty:sh:-c:{{{script}}}:grace=200ms")).await;
        let text = session.read_until(|text| text.contains('\n')).await;
        let number = text.lines().find_map(|line| line.trim().parse().ok());
        let mut bytes = Vec::new();
        timeout(LONG, session.stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        assert_eq!(session.stream.end().status, Some(ExitStatus::Code(6)));
        assert!(bytes.len() < 2 << 20, "{} bytes came after its end", bytes.len());
        drop(session);
        settled(&cx).await;
        assert!(number.is_none_or(|pid| !lives(Pid::from_raw(pid).unwrap())));
    }
}

/// The kernel's buffer is full again whenever it is looked at.
#[tokio::test]
async fn a_noisy_job_does_not_hold_a_session_that_is_read_slowly() {
    let cx = cx();
    let script = "trap '' HUP; cat /dev/zero & exit 6";
    let text = format!("pty:sh:-c:{{{script}}}:grace=200ms");
    let mut session = Session::start(&cx, &text).await;
    let reading = async {
        let mut got = 0;
        let mut bytes = [0; 64];
        loop {
            match session.stream.read(&mut bytes).await.unwrap() {
                0 => return got,
                read => got += read,
            }
            tokio::task::yield_now().await;
        }
    };
    let got = timeout(LONG, reading).await.expect("it ends");
    assert!(got < 4 << 20, "{got} bytes");
    assert_eq!(session.stream.end().status, Some(ExitStatus::Code(6)));
    drop(session);
    settled(&cx).await;
}

/// As `login` does, which throws others off the terminal (`vhangup`) and opens it again.
#[tokio::test]
async fn a_program_may_open_its_terminal_again() {
    let cx = cx();
    let script = "echo one; exec <&- >&- 2>&-; sleep 0.1; \
                  exec </dev/tty >/dev/tty 2>&1; echo two; read -r line; echo $line; exit 4";
    let mut session = Session::start(&cx, &sh(script)).await;
    session.read_until(|text| text.contains("two\r\n")).await;
    session.stream.write_all(b"three\n").await.unwrap();
    session.read_until(|text| text.ends_with("three\r\nthree\r\n")).await;
    assert_eq!(session.output().await.1.status, Some(ExitStatus::Code(4)));
}

#[tokio::test]
async fn a_program_that_leaves_its_terminal_has_ended() {
    let cx = cx();
    let script = "pty:sh:-c:{echo $$; exec <&- >&- 2>&-; exec sleep 1000}:grace=1";
    let mut session = Session::start(&cx, script).await;
    let pid = session.pid().await;
    let (_, end) = session.output().await;
    assert_eq!(end, End::eof());
    // It gets SIGHUP: it isn't left alone until it is killed.
    settled(&cx).await;
    assert!(!lives(pid));
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

#[tokio::test]
async fn listening_starts_it_again_after_each_session() {
    let cx = cx();
    let mut accept = bind(&cx, "pty:sh:-c:{echo $$; exec cat}").await;
    let mut pids = Vec::new();
    for _ in 0..2 {
        let mut conn = accepted(timeout(LONG, offer(&mut *accept)).await.unwrap()).await;
        let guard = std::mem::take(&mut conn.guard);
        pids.push(Session::of(conn).pid().await);
        drop(guard);
    }
    assert_ne!(pids[0], pids[1]);
}

#[tokio::test]
async fn a_runtime_that_ends_leaves_nothing() {
    let ending = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let script = sh("trap '' HUP; echo $$; while :; do sleep 1000; done");
            Session::start(&cx(), &script).await.pid().await
        })
    };
    let pid = std::thread::spawn(ending).join().unwrap();
    until(|| !lives(pid)).await;
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

/// The kernel's SIGHUP comes with the last descriptor of the terminal, which is the session's.
#[tokio::test]
async fn a_hangup_is_not_delayed() {
    let cx = cx();
    let dir = tempfile::tempdir().unwrap();
    let heard = dir.path().join("heard");
    let script = format!(
        "trap 'echo > {}; exit' HUP; echo $$; while :; do sleep 0.01; done",
        heard.display()
    );
    let mut session = Session::start(&cx, &sh(&script)).await;
    session.pid().await;
    let began = Instant::now();
    drop(session);
    until(|| heard.exists()).await;
    let took = began.elapsed();
    settled(&cx).await;
    // A tenth of the grace period, and a hundred times what it takes.
    assert!(took < Duration::from_secs(1), "{took:?}");
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
