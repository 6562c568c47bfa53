//! Many programs that end at once: alone in its process, whose threads it counts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::future::{Future, poll_fn};
use std::task::Poll;

use common::{LONG, connect};
use endpoint::{ByteStream, Context, Transport};
use tokio::io::AsyncReadExt;
use tokio::task::yield_now;
use tokio::time::timeout;

const PROGRAMS: usize = 150;

/// With a thread for each look at the machine's processes there were more than a hundred; the threads left
/// are the test's own, the runtime's, and the one that looks for all.
const THREADS: usize = 10;

#[tokio::test]
async fn many_that_end_at_once_need_no_threads() {
    let cx = common::with_path();
    for (kind, script) in [
        // A shell on a terminal, and its job, which has a separate process group.
        ("pty", "set -m; sleep 1000 & echo up; read x; wait"),
        // A shell on pipes, and what it leaves in its group.
        ("process", "sleep 1000 & echo up; read x"),
    ] {
        let text = format!("{kind}:bash:-c:{{{script}}}:grace=500ms");
        let mut sessions = Vec::new();
        for _ in 0..PROGRAMS {
            sessions.push(start(&cx, &text).await);
        }
        drop(sessions);
        let mut most = 0;
        let settled = async {
            let mut finished = Box::pin(cx.finished());
            while poll_fn(|task| Poll::Ready(finished.as_mut().poll(task).is_pending())).await {
                most = most.max(threads());
                yield_now().await;
            }
        };
        timeout(LONG, settled).await.expect("all of them end");
        assert!(most < THREADS, "{most} threads for {PROGRAMS} programs of {kind}");
    }
}

async fn start(cx: &Context, text: &str) -> Box<dyn ByteStream> {
    let Transport::Bytes(mut stream) = connect(cx, text).await.transport else {
        panic!("a program carries bytes")
    };
    while timeout(LONG, stream.read_u8()).await.unwrap().unwrap() != b'\n' {}
    stream
}

fn threads() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:"));
    threads.unwrap().trim().parse().unwrap()
}
