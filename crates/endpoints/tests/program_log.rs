//! Log lines about programs.
//!
//! In a separate process, in which every test has a log: `tracing` decides if an event is wanted when it comes for the
//! first time, and one that happens in a test without a log while another installs its own may be off for both.

mod common;

use std::future::poll_fn;

use common::programs::{lives, output, pid, settled};
use common::{LONG, Log, connect, with_path};
use endpoint::{ExitStatus, Signal};
use tokio::time::timeout;

#[tokio::test]
async fn standard_error_is_logged_line_by_line() {
    let log = Log::default();
    let guard = log.install();
    let cx = with_path();
    let script =
        "{printf 'one\\n\\033[31mtwo\\nlast' >&2; head -c 5000 /dev/zero | tr '\\0' x >&2}";
    output(connect(&cx, &format!("process:/bin/sh:-c:{script}")).await).await;
    settled(&cx).await;
    drop(guard);
    let text = log.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains(" INFO ")).collect();
    assert_eq!(lines[0], " INFO one program=\"sh\"");
    assert_eq!(lines[1], " INFO \\u{1b}[31mtwo program=\"sh\"");
    // A line of any length is logged in pieces of 4 KiB.
    let pieces: Vec<_> = lines[2..].iter().map(|line| line.matches('x').count()).collect();
    assert_eq!(pieces, [4092, 908]);
}

#[tokio::test]
async fn what_is_cut_short_is_killed_at_once_and_logged() {
    let log = Log::default();
    let guard = log.install();
    let cx = with_path();
    // One whose session goes on, and one whose session is over.
    let script = "process:sh:-c:{trap '' TERM; echo $$; while :; do sleep 1; done}:grace=1000";
    let mut here = connect(&cx, script).await;
    let mut signals = here.control.outgoing.take().unwrap();
    let mut here = here.into_io();
    let mut gone = connect(&cx, script).await.into_io();
    let pids = [pid(&mut here).await, pid(&mut gone).await];
    drop(gone);
    cx.cut_work();
    settled(&cx).await;
    let said = poll_fn(|task| signals.poll_recv(task)).await;
    assert_eq!(said, Some(Signal::Exit(ExitStatus::Signal(9))), "the session hears of it");
    drop(guard);
    let text = log.text();
    for pid in pids {
        assert!(!lives(pid));
        let line = format!(
            "WARN killed: its grace period is cut short program=\"sh\" pid={}",
            pid.as_raw_nonzero()
        );
        assert!(text.contains(&line), "{text}");
    }
}

#[tokio::test]
async fn what_is_killed_after_its_grace_period_is_logged() {
    let log = Log::default();
    let guard = log.install();
    let cx = with_path();
    let script = "process:sh:-c:{trap '' TERM; echo $$; while :; do sleep 1; done}:grace=50ms";
    let mut io = connect(&cx, script).await.into_io();
    let pid = pid(&mut io).await;
    drop(io);
    settled(&cx).await;
    drop(guard);
    let line = format!(
        "WARN killed: it did not end within its grace period program=\"sh\" pid={}",
        pid.as_raw_nonzero()
    );
    assert!(log.text().contains(&line), "{}", log.text());
}

/// The program itself has ended, and was reaped.
#[tokio::test]
async fn a_child_that_is_left_behind_is_killed_and_only_that_is_logged() {
    let log = Log::default();
    let guard = log.install();
    let cx = with_path();
    let script = "{trap '' TERM; sleep 1000 & echo $!; exit 0}:grace=50ms";
    let mut io = connect(&cx, &format!("process:bash:-c:{script}")).await.into_io();
    let child = pid(&mut io).await;
    drop(io);
    settled(&cx).await;
    drop(guard);
    // The kernel needs a moment for what was killed.
    let killed = async {
        while lives(child) {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, killed).await.unwrap();
    let text = log.text();
    let warnings: Vec<_> = text.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warnings.len(), 1, "{text}");
    assert!(warnings[0].contains("did not end within its grace period"), "{text}");
}

#[tokio::test]
async fn what_has_ended_is_not_cut() {
    let log = Log::default();
    let guard = log.install();
    for kind in ["process", "pty"] {
        let cx = with_path();
        let mut conn = connect(&cx, &format!("{kind}:sh:-c:{{exit 3}}:grace=1000")).await;
        let mut signals = conn.control.outgoing.take().unwrap();
        let said = poll_fn(|task| {
            match signals.poll_recv(task) {
                // A terminal sends its title first.
                std::task::Poll::Ready(Some(Signal::Title(_))) => signals.poll_recv(task),
                other => other,
            }
        });
        let said = timeout(LONG, said).await.unwrap();
        assert_eq!(said, Some(Signal::Exit(ExitStatus::Code(3))));
        cx.cut_work();
        settled(&cx).await;
    }
    drop(guard);
    assert!(!log.text().contains("WARN"), "{}", log.text());
}
