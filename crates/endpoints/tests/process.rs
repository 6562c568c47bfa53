//! Programs: their ends, their groups, their standard error.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::future::poll_fn;
use std::path::Path;
use std::time::Duration;

use common::programs::{lives, output, pid, settled, stat};
use common::{
    LONG, accepted, bind, connect, connector, failure, noise, offer, shown, try_connect, with_path,
};
use endpoint::{Context, End, ErrorKind, ExitStatus, Grants, Reason, Signal, Transport};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

fn sh(script: &str) -> String {
    format!("process:sh:-c:{{{script}}}:grace=200ms")
}

/// How many processes of a group run.
fn members(group: Pid) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap();
    let stats = entries.filter_map(|entry| stat(entry.unwrap().file_name().to_str()?));
    stats.filter(|(state, of)| *state != 'Z' && *of == group.as_raw_nonzero().get()).count()
}

/// Waits until nothing of a group runs: the kernel needs a moment for what was killed.
async fn gone(group: Pid) {
    let gone = async {
        while members(group) > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, gone).await.expect("nothing of the group is left");
}

#[tokio::test]
async fn the_exit_status_comes_with_the_end() {
    let cx = with_path();
    let (text, end) = output(connect(&cx, &sh("echo hello; exit 3")).await).await;
    assert_eq!(text, "hello\n");
    assert_eq!(end, End::exited(ExitStatus::Code(3)));
    let (_, end) = output(connect(&cx, &sh("kill -9 $$")).await).await;
    assert_eq!(end.status, Some(ExitStatus::Signal(9)));
    assert_eq!(end.to_string(), "ended by signal 9");
    settled(&cx).await;
}

#[tokio::test]
async fn the_exit_status_is_a_signal_too() {
    let cx = with_path();
    let mut conn = connect(&cx, &sh("exit 4")).await;
    let mut signals = conn.control.outgoing.take().unwrap();
    let said = poll_fn(|task| signals.poll_recv(task));
    let said = timeout(LONG, said).await.unwrap();
    assert_eq!(said, Some(Signal::Exit(ExitStatus::Code(4))));
}

#[tokio::test]
async fn a_program_that_ends_at_once_is_an_empty_session() {
    let cx = with_path();
    let (text, end) = output(connect(&cx, "process:true").await).await;
    assert_eq!((&*text, end.status), ("", Some(ExitStatus::Code(0))));
    settled(&cx).await;
}

#[tokio::test]
async fn input_that_a_program_does_not_want_is_no_failure() {
    let cx = with_path();
    let conn = connect(&cx, &sh("head -n1; exit 5")).await;
    let Transport::Bytes(stream) = conn.transport else { panic!("a program carries bytes") };
    let (mut read, mut write) = tokio::io::split(stream);
    let writing = async {
        write.write_all(b"first\n").await.unwrap();
        // Far more than fits a pipe: `head` has gone by then.
        write.write_all(&noise(1, 1 << 20)).await.unwrap();
    };
    let mut text = String::new();
    let reading = async { read.read_to_string(&mut text).await.unwrap() };
    timeout(LONG, async { tokio::join!(writing, reading) }).await.unwrap();
    assert_eq!(text, "first\n");
    assert_eq!(read.unsplit(write).end().status, Some(ExitStatus::Code(5)));
}

#[tokio::test]
async fn a_half_close_ends_its_input() {
    let cx = with_path();
    let mut io = connect(&cx, "process:wc:-c").await.into_io();
    io.write_all(&noise(2, 100_000)).await.unwrap();
    io.shutdown().await.unwrap();
    let mut text = String::new();
    io.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.trim(), "100000");
}

#[tokio::test]
async fn arguments_directory_and_variables_arrive_as_they_are() {
    let cx = with_path();
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().canonicalize().unwrap();
    let text = format!(
        "process:sh:-c:{{pwd; echo \"$A|$1|$2|${{SECRET-none}}\"}}:sh:{{a b=c:d}}::\
         cwd={}:env.A=x y",
        at.display()
    );
    let (text, _) = output(connect(&cx, &text).await).await;
    assert_eq!(text, format!("{}\nx y|a b=c:d||none\n", at.display()));
}

#[tokio::test]
async fn standard_error_may_join_or_vanish() {
    let cx = with_path();
    let script = "process:sh:-c:{echo out; echo err >&2}:stderr";
    let (text, _) = output(connect(&cx, &format!("{script}=merge")).await).await;
    assert_eq!(text, "out\nerr\n");
    let (text, _) = output(connect(&cx, &format!("{script}=null")).await).await;
    assert_eq!(text, "out\n");
    let (text, _) = output(connect(&cx, &format!("{script}=log")).await).await;
    assert_eq!(text, "out\n");
    settled(&cx).await;
}

/// More than a pipe holds: were it not read, the program would wait for ever.
#[tokio::test]
async fn a_flood_of_errors_does_not_stop_it() {
    let cx = with_path();
    let script = sh("head -c 1000000 /dev/zero >&2; echo done");
    let (text, _) = output(connect(&cx, &script).await).await;
    assert_eq!(text, "done\n");
    settled(&cx).await;
}

#[tokio::test]
async fn a_flood_that_nobody_reads_is_held_up_and_ends_with_the_session() {
    let cx = with_path();
    let conn = connect(&cx, &sh("echo $$; exec cat /dev/zero")).await;
    let mut io = conn.into_io();
    let pid = pid(&mut io).await;
    assert!(lives(pid));
    drop(io);
    settled(&cx).await;
    assert!(!lives(pid), "it is still there");
}

#[tokio::test]
async fn a_program_that_ignores_everything_is_killed() {
    let cx = with_path();
    let conn = connect(&cx, &sh("trap '' TERM HUP; echo $$; while :; do sleep 1; done")).await;
    let mut io = conn.into_io();
    let group = pid(&mut io).await;
    let began = Instant::now();
    drop(io);
    settled(&cx).await;
    assert!(began.elapsed() >= Duration::from_millis(400), "grace is given twice");
    gone(group).await;
}

#[tokio::test]
async fn a_program_that_may_end_is_not_signalled() {
    let cx = with_path();
    let dir = tempfile::tempdir().unwrap();
    let done = dir.path().join("done");
    let script = format!("process:sh:-c:{{cat; echo fine > {}}}:grace=20", done.display());
    drop(connect(&cx, &script).await);
    settled(&cx).await;
    assert_eq!(std::fs::read_to_string(done).unwrap(), "fine\n");
}

#[tokio::test]
async fn a_program_that_closes_its_output_ends_the_reading_only() {
    let cx = with_path();
    let dir = tempfile::tempdir().unwrap();
    let got = dir.path().join("got");
    let script = sh(&format!("echo last; exec >&-; cat > {}", got.display()));
    let mut io = connect(&cx, &script).await.into_io();
    let mut text = String::new();
    timeout(LONG, io.read_to_string(&mut text)).await.unwrap().unwrap();
    assert_eq!(text, "last\n");
    io.write_all(b"still read").await.unwrap();
    io.shutdown().await.unwrap();
    drop(io);
    settled(&cx).await;
    assert_eq!(std::fs::read_to_string(got).unwrap(), "still read");
}

#[tokio::test]
async fn a_child_that_keeps_the_output_is_waited_for_until_it_is_silent() {
    let cx = with_path();
    let conn = connect(&cx, &sh("(echo late; exec sleep 1000) & echo $!; exit 6")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a program carries bytes") };
    let mut text = String::new();
    timeout(LONG, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    assert_eq!(stream.end().status, Some(ExitStatus::Code(6)));
    // Either of the two may be the first to write.
    let (words, numbers): (Vec<_>, Vec<_>) = text.lines().partition(|line| *line == "late");
    assert_eq!((words.len(), numbers.len()), (1, 1), "{text}");
    let child = Pid::from_raw(numbers[0].parse().unwrap()).unwrap();
    assert!(lives(child), "the session lives, and so does the child");
    drop(stream);
    settled(&cx).await;
    assert!(!lives(child), "the child outlived its group");
}

#[tokio::test]
async fn a_runtime_that_ends_leaves_nothing() {
    let group = std::thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let cx = with_path();
            let script = "process:sh:-c:{trap '' TERM; echo $$; while :; do sleep 1; done}";
            let mut io = connect(&cx, script).await.into_io();
            pid(&mut io).await
        })
    })
    .join()
    .unwrap();
    gone(group).await;
}

#[tokio::test]
async fn listening_starts_it_again_after_each_session() {
    let cx = with_path();
    let mut accept = bind(&cx, "process:sh:-c:{echo $$; exec cat}").await;
    let mut first = accepted(offer(&mut *accept).await).await;
    let Transport::Bytes(stream) = &mut first.transport else { panic!("a program carries bytes") };
    let one = pid(stream).await;
    drop(first);
    let mut second = accepted(timeout(LONG, offer(&mut *accept)).await.unwrap()).await;
    let Transport::Bytes(stream) = &mut second.transport else { panic!("a program carries bytes") };
    assert_ne!(one, pid(stream).await);
}

#[test]
fn a_program_is_what_it_grants() {
    assert_eq!(connector("exec:cat").endpoint.grants(), Grants::Program);
}

#[tokio::test]
async fn what_cannot_be_started_is_explained() {
    let cx = with_path();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "\0\0\0\0").unwrap();
    let shown = |error: endpoint::Error| shown(&error).replace(dir.path().to_str().unwrap(), "DIR");
    let start = |text: String| {
        let cx = &cx;
        async move { failure(try_connect(cx, &text).await) }
    };
    let error = start("process:no-such-program".into()).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    insta::assert_snapshot!(shown(error), @r"
    cannot start process:no-such-program: no such file or directory
    there is no `no-such-program` in PATH; give its path, or install it
    ");
    let error = start(format!("process:{}/no", dir.path().display())).await;
    insta::assert_snapshot!(shown(error), @r"
    cannot start process:DIR/no: no such file or directory
    there is no program DIR/no
    ");
    let error = start(format!("process:{}", file.display())).await;
    assert_eq!(error.kind(), ErrorKind::Permission);
    insta::assert_snapshot!(shown(error), @r"
    cannot start process:DIR/file: permission denied
    DIR/file must be an executable file (`chmod +x`)
    ");
    make_executable(&file);
    let error = start(format!("process:{}", file.display())).await;
    insta::assert_snapshot!(shown(error), @r"
    cannot start process:DIR/file: exec format error
    it is neither an executable for this machine nor a script
    ");
    std::fs::write(&file, "#!/bin/sh\r\necho\r\n").unwrap();
    let error = start(format!("process:{}", file.display())).await;
    insta::assert_snapshot!(shown(error), @r"
    cannot start process:DIR/file: no such file or directory
    the first line of DIR/file ends in a carriage return, which becomes part of its interpreter's name (`sed -i 's/\r$//'`)
    ");
    std::fs::write(&file, "#!/no/such/shell -e\n").unwrap();
    let error = start(format!("process:{}", file.display())).await;
    insta::assert_snapshot!(shown(error), @r"
    cannot start process:DIR/file: no such file or directory
    the interpreter of DIR/file, /no/such/shell, is missing
    ");
    let error = start(format!("process:{}", dir.path().display())).await;
    insta::assert_snapshot!(shown(error), @r"
    cannot start process:DIR: permission denied
    DIR is a folder, not a program
    ");
    let error = start(format!("process:cat:cwd={}/no", dir.path().display())).await;
    insta::assert_snapshot!(shown(error), @r"
    cannot start process:cat:cwd=DIR/no: no such file or directory
    `cwd` must be a directory, and DIR/no is not one
    ");
}

/// As execvp(3) has it, and so shells and socat's EXEC.
#[tokio::test]
async fn a_script_without_an_interpreter_is_run_by_sh() {
    let cx = with_path();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script");
    std::fs::write(&file, "echo \"$0 $1\"; exit 6\n").unwrap();
    make_executable(&file);
    let path = file.display();
    for text in [
        format!("process:{path}:{{an argument}}"),
        format!("process:./script:{{an argument}}:cwd={}", dir.path().display()),
        format!("process:script:{{an argument}}:env.PATH={}", dir.path().display()),
        format!("process:{path}:{{an argument}}:limit.nofile=100"),
        format!("pty:{path}:{{an argument}}"),
    ] {
        let (said, end) = output(connect(&cx, &text).await).await;
        assert!(said.trim_end().ends_with("script an argument"), "{text}: {said:?}");
        assert_eq!(end.status, Some(ExitStatus::Code(6)), "{text}");
    }
    settled(&cx).await;
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A library's user may wait for all children, and take the status that we wait for.
#[tokio::test]
async fn a_status_that_somebody_else_took_is_unknown_and_not_zero() {
    let cx = with_path();
    let mut conn = connect(&cx, &sh("echo $$; read x; exit 0")).await;
    let mut signals = conn.control.outgoing.take().unwrap();
    let mut io = conn.into_io();
    let child = pid(&mut io).await;
    io.write_all(b"\n").await.unwrap();
    // The runtime has this thread alone: nothing of ours can be faster.
    waitid(WaitId::Pid(child), WaitIdOptions::EXITED).unwrap();
    let said = timeout(LONG, poll_fn(|task| signals.poll_recv(task))).await.unwrap();
    assert_eq!(said, Some(Signal::Exit(ExitStatus::Unknown)));
    assert_eq!(ExitStatus::Unknown.to_string(), "exit status unknown");
    drop(io);
    settled(&cx).await;
}

/// The wait at the forwarder's end once cut a grace period at 40 s.
#[tokio::test]
async fn a_grace_period_of_any_length_is_waited_for() {
    let cx = with_path();
    let conn = connect(&cx, "process:sh:-c:{echo $$; exec sleep 1000}:grace=50").await;
    let mut io = conn.into_io();
    let pid = pid(&mut io).await;
    drop(io);
    // The paused clock skips idle time, but the program's time is real: it lives as long as it may.
    tokio::time::pause();
    let began = Instant::now();
    assert!(!cx.settled(Duration::from_secs(49)).await);
    assert!(lives(pid));
    tokio::time::resume();
    cx.cut_work();
    settled(&cx).await;
    assert!(began.elapsed() < Duration::from_secs(50));
    assert!(!lives(pid));
}

/// The end of a session is the end of its input, at once; SIGTERM comes when the grace period is over.
#[tokio::test]
async fn the_end_of_the_input_is_not_delayed() {
    let cx = with_path();
    let conn = connect(&cx, "process:sh:-c:{echo $$; cat}:grace=20").await;
    let mut io = conn.into_io();
    pid(&mut io).await;
    let began = Instant::now();
    drop(io);
    settled(&cx).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// As from a TLS connection that ends without `close_notify`: the data may be half of what was to come.
#[tokio::test]
async fn an_input_that_is_cut_is_no_end_of_input() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("whole");
    let script = sh(&format!("cat; : >{}", mark.display()));
    for (end, is_whole) in [(End::of(Reason::Truncated), false), (End::eof(), true)] {
        let conn = connect(&Context::new(), &script).await;
        let Transport::Bytes(mut stream) = conn.transport else { panic!("bytes") };
        stream.write_all(b"half").await.unwrap();
        let mut echo = [0; 4];
        timeout(LONG, stream.read_exact(&mut echo)).await.unwrap().unwrap();
        poll_fn(|cx| stream.poll_finish(cx, &end)).await.unwrap();
        timeout(LONG, stream.read_to_end(&mut Vec::new())).await.unwrap().unwrap();
        let status = if is_whole { ExitStatus::Code(0) } else { ExitStatus::Signal(15) };
        assert_eq!(stream.end().status, Some(status));
        assert_eq!(mark.exists(), is_whole);
    }
}

#[tokio::test]
async fn standard_error_is_signalled_line_by_line() {
    let cx = with_path();
    let script = "process:sh:-c:{printf 'one\\n\\033[31mtwo\\tlast' >&2; head -c 3000 /dev/zero | tr '\\0' x >&2}:stderr=signal";
    let conn = connect(&cx, script).await;
    let mut signals = conn.control.outgoing.expect("it says how it ended");
    let mut lines = Vec::new();
    while let Some(signal) = poll_fn(|task| signals.poll_recv(task)).await {
        match signal {
            Signal::Stderr(line) => lines.push(line),
            Signal::Exit(_) => break,
            _ => {}
        }
    }
    drop(conn.transport);
    assert_eq!(lines[0], "one");
    assert!(lines[1].starts_with("\\u{1b}[31mtwo\tlastxxx"), "{}", lines[1]);
    assert!(lines.iter().all(|line| line.len() <= 1024));
    assert_eq!(lines[1..].concat().matches('x').count(), 3000);
    settled(&cx).await;
}
