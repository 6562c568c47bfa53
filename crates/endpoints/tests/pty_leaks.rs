//! Many terminals, and nothing of them left: alone in its process, whose descriptors it counts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::time::Duration;

use common::{LONG, connect};
use endpoint::Transport;
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};

const SESSIONS: usize = 200;
/// At a time.
const BATCH: usize = 20;

#[tokio::test]
async fn two_hundred_sessions_leave_nothing() {
    let cx = common::with_path();
    // Descriptors that are made once stay: the runtime's own.
    session(&cx, 0).await;
    assert!(cx.settled(LONG).await);
    let before = descriptors();
    let mut pids = Vec::new();
    for batch in 0..SESSIONS / BATCH {
        let sessions = (0..BATCH).map(|index| {
            let cx = cx.clone();
            tokio::spawn(async move { session(&cx, batch * BATCH + index).await })
        });
        for session in sessions.collect::<Vec<_>>() {
            pids.extend(session.await.unwrap());
        }
    }
    assert!(cx.settled(LONG).await, "something is still working");
    // Killed processes are gone only after the kernel has handled them.
    let gone = async {
        while pids.iter().any(|pid| exists(pid)) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    if timeout(LONG, gone).await.is_err() {
        let left: Vec<_> = pids.iter().filter(|pid| exists(pid)).collect();
        panic!("{left:?} of {} processes are left", pids.len());
    }
    assert_eq!(descriptors(), before, "a terminal is gone once nobody has it open");
}

/// One session, of one of the ways to end; the processes that were in it.
async fn session(cx: &endpoint::Context, index: usize) -> Vec<String> {
    let script = match index % 4 {
        // It exits, with a job left.
        0 => "sleep 1000 & echo $$ $!; exit 1",
        // It is hung up on.
        1 => "sleep 1000 & echo $$ $!; wait",
        // It has to be killed.
        2 => "trap '' HUP; sleep 1000 & echo $$ $!; while :; do sleep 1000; done",
        // Nothing reads its output.
        _ => "sleep 1000 & echo $$ $!; exec cat /dev/zero",
    };
    let text = format!("pty:bash:-c:{{set -m; {script}}}:grace=300ms");
    let Transport::Bytes(mut stream) = connect(cx, &text).await.transport else {
        panic!("a terminal carries bytes")
    };
    let mut line = String::new();
    while !line.ends_with('\n') {
        line.push(char::from(timeout(LONG, stream.read_u8()).await.unwrap().unwrap()));
    }
    if index.is_multiple_of(4) {
        let mut rest = Vec::new();
        timeout(LONG, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    }
    line.split_whitespace().map(str::to_owned).collect()
}

fn exists(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie that is no child of this process is for its parent to reap.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Returns the target of each of our descriptors.
fn descriptors() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").unwrap();
    let mut names: Vec<_> = entries
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        .filter(|name| !name.starts_with("/proc/"))
        .collect();
    names.sort();
    names
}
