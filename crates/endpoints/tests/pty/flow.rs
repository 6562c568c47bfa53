//! The bytes of a terminal: the last ones, large amounts, and slow readers.

use super::*;

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
