//! Bulk goes through the kernel, between real descriptors, and arrives as it was sent.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

use std::time::Duration;

use endpointforward::forward::{Ended, Outcome, Side, splice};
use endpointforward::{Stop, Timers, connect, listen};
use rustix::net::{SendFlags, send, sockopt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn between_tcp_and_tcp() {
    let (mut near, mut far, session) = tcp_session().await;
    there_and_back(&mut near, &mut far).await;
    assert_spliced(&session.await.unwrap(), 2 * LENGTH);
}

#[tokio::test]
async fn between_tcp_and_unix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let (near, far) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), UnixListener::bind(&path));
    let far = far.unwrap();
    let session = session(&tcp(&near), &format!("unix:{}", path.display())).await;
    let (mut near, _) = near.accept().await.unwrap();
    let (mut far, _) = far.accept().await.unwrap();
    there_and_back(&mut near, &mut far).await;
    assert_spliced(&session.await.unwrap(), 2 * LENGTH);
}

#[tokio::test]
async fn through_a_program() {
    let near = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let session = session(&tcp(&near), "process:cat").await;
    let (near, _) = near.accept().await.unwrap();
    let (mut reading, mut writing) = near.into_split();
    let (got, ()) = tokio::join!(check(&mut reading, 0, LENGTH), send_all(&mut writing, LENGTH));
    assert_eq!(got, LENGTH);
    let outcome = session.await.unwrap();
    assert_eq!(outcome.sent + outcome.received, 2 * LENGTH as u64, "{outcome}");
    // How much a program writes at once is its own affair.
    assert!(
        outcome.spliced > LENGTH as u64 / 2,
        "{} bytes went through the kernel",
        outcome.spliced
    );
}

#[tokio::test]
async fn towards_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heard");
    let near = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let script = format!("stty raw -echo; echo ready; head -c {TYPED} >{}", path.display());
    let session = session(&tcp(&near), &format!("pty:sh:-c:{{{script}}}")).await;
    let (mut near, _) = near.accept().await.unwrap();
    let mut ready = [0; 6];
    near.read_exact(&mut ready).await.unwrap();
    try_send(&mut near, 0, TYPED).await.unwrap();
    let mut rest = Vec::new();
    timeout(LONG, near.read_to_end(&mut rest)).await.unwrap().unwrap();
    let outcome = session.await.unwrap();
    assert_eq!(outcome.sent, TYPED as u64, "{outcome}");
    assert!(outcome.spliced > 0, "none of it went through the kernel");
    let heard = std::fs::read(path).unwrap();
    assert_eq!(check(&mut &*heard, 0, TYPED).await, TYPED);
}

/// Data that the program doesn't read is no failure, whichever way the data would have come.
#[tokio::test]
async fn a_program_that_has_read_enough_is_heard_to_its_end() {
    let near = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let session = session(&tcp(&near), "process:head:-c:8000000").await;
    let (near, _) = near.accept().await.unwrap();
    let (mut reading, mut writing) = near.into_split();
    let sending = tokio::spawn(async move {
        // The session may be over before all is sent.
        let _ = try_send(&mut writing, 0, LENGTH).await;
    });
    assert_eq!(check(&mut reading, 0, 8_000_000).await, 8_000_000);
    let outcome = session.await.unwrap();
    assert!(matches!(outcome.end, Ended::Eof(_)), "{outcome}");
    assert!(outcome.spliced > 0);
    sending.await.unwrap();
}

#[tokio::test]
async fn a_reader_that_stalls_gets_all_of_it() {
    let (mut near, mut far, session) = tcp_session().await;
    let sending = tokio::spawn(async move {
        send_all(&mut near, LENGTH).await;
        near
    });
    // Every buffer on the way is full at each of these pauses, and the sender has long finished
    // what they can hold when the last of them is over.
    let mut at = 0;
    for bytes in (0..200).map(|n| 100 + n * n) {
        sleep(Duration::from_millis(1)).await;
        assert_eq!(check(&mut far, at, at + bytes).await, bytes);
        at += bytes;
    }
    assert_eq!(check(&mut far, at, LENGTH).await, LENGTH - at);
    drop(far);
    drop(sending.await.unwrap());
    assert_spliced(&session.await.unwrap(), LENGTH);
}

#[tokio::test]
async fn what_was_read_before_a_reset_is_delivered() {
    let (mut near, mut far, session) = tcp_session().await;
    sockopt::set_socket_linger(&near, Some(Duration::ZERO)).unwrap();
    let sending = tokio::spawn(async move {
        try_send(&mut near, 0, LENGTH).await.unwrap();
        // Dropping it resets the connection.
    });
    // As much as proves that it was spliced by then; how much more gets through is the kernel's.
    assert_eq!(check(&mut far, 0, 8 << 20).await, 8 << 20);
    let got = (8 << 20) + check(&mut far, 8 << 20, LENGTH).await as u64;
    sending.await.unwrap();
    drop(far);
    let outcome = session.await.unwrap();
    assert_eq!(outcome.sent, got, "what it counts is what came");
    assert!(matches!(outcome.end, Ended::Error(Side::Near, _)), "{outcome}");
    assert!(outcome.spliced > got / 2, "{} of {got}", outcome.spliced);
}

#[tokio::test]
async fn a_reader_that_is_lost_ends_it() {
    let (mut near, mut far, session) = tcp_session().await;
    let sending = tokio::spawn(async move { try_send(&mut near, 0, 16 * LENGTH).await });
    assert_eq!(check(&mut far, 0, 8 << 20).await, 8 << 20);
    sockopt::set_socket_linger(&far, Some(Duration::ZERO)).unwrap();
    drop(far);
    let outcome = session.await.unwrap();
    assert!(matches!(outcome.end, Ended::Error(Side::Far, _)), "{outcome}");
    assert!(outcome.spliced > 0);
    assert!(sending.await.unwrap().is_err(), "nobody takes that much");
}

/// splice(2) stops before an urgent byte, and calls what is behind it an end.
#[tokio::test]
async fn what_comes_after_an_urgent_byte_is_not_lost() {
    let (mut near, mut far, session) = tcp_session().await;
    let sending = tokio::spawn(async move {
        try_send(&mut near, 0, LENGTH / 2).await.unwrap();
        near.writable().await.unwrap();
        while send(&near, b"!", SendFlags::OOB).is_err() {
            sleep(Duration::from_millis(1)).await;
        }
        try_send(&mut near, LENGTH / 2, LENGTH).await.unwrap();
        near
    });
    assert_eq!(check(&mut far, 0, LENGTH).await, LENGTH);
    drop(far);
    drop(sending.await.unwrap());
    assert_spliced(&session.await.unwrap(), LENGTH);
}

/// Small amounts of data are copied: the kernel's way costs more for them.
#[tokio::test]
async fn questions_and_answers_are_copied() {
    let (mut near, mut far, session) = tcp_session().await;
    for size in [1, 64, 1000, 30_000] {
        for _ in 0..20 {
            let question = vec![7; size];
            near.write_all(&question).await.unwrap();
            let mut heard = vec![0; size];
            far.read_exact(&mut heard).await.unwrap();
            far.write_all(&heard).await.unwrap();
            near.read_exact(&mut heard).await.unwrap();
            assert!(heard == question);
        }
    }
    drop(near);
    drop(far);
    assert_eq!(session.await.unwrap().spliced, 0);
}

/// A layer that let bytes go past it would send them in no protocol at all.
#[tokio::test]
async fn layers_let_nothing_go_past_them() {
    let folder = tempfile::tempdir().unwrap();
    let descriptor = format!("ws:{{unix:{}}}", folder.path().join("socket").display());
    let mut listening = listen(&descriptor).await.unwrap();
    let dialling = tokio::spawn(async move { connect(&descriptor).await.unwrap() });
    let accepted = listening.accept().await.unwrap();
    let telnet = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = connect(&tcp(&telnet)).await.unwrap();
    let layered = connect(&format!("telnet:{{{}}}", tcp(&telnet))).await.unwrap();
    for conn in [accepted, dialling.await.unwrap(), layered] {
        assert!(conn.transport.into_bytes().raw().is_none());
    }
    assert!(plain.transport.into_bytes().raw().is_some(), "what is under them would");
}

/// All of it one way, its end, then all of it the other way.
async fn there_and_back<N, F>(near: &mut N, far: &mut F)
where
    N: AsyncRead + AsyncWrite + Unpin,
    F: AsyncRead + AsyncWrite + Unpin,
{
    assert_eq!(tokio::join!(check(far, 0, LENGTH), send_all(near, LENGTH)).0, LENGTH);
    assert_eq!(far.read(&mut [0]).await.unwrap(), 0, "the end");
    assert_eq!(tokio::join!(check(near, 0, LENGTH), send_all(far, LENGTH)).0, LENGTH);
    assert_eq!(near.read(&mut [0]).await.unwrap(), 0, "the end");
}

/// All `bytes` were moved, and nearly all of them inside the kernel.
fn assert_spliced(outcome: &Outcome, bytes: usize) {
    assert_eq!(outcome.sent + outcome.received, bytes as u64, "{outcome}");
    let spliced = outcome.spliced;
    assert!(spliced > bytes as u64 / 4 * 3, "{spliced} of {bytes} bytes went through the kernel");
}

async fn send_all(to: &mut (impl AsyncWrite + Unpin), length: usize) {
    try_send(to, 0, length).await.unwrap();
    to.shutdown().await.unwrap();
}

/// Sends the bytes from `at` to `until`.
async fn try_send(
    to: &mut (impl AsyncWrite + Unpin),
    mut at: usize,
    until: usize,
) -> std::io::Result<()> {
    let period = data();
    while at < until {
        let from = at % PERIOD;
        at += to.write(&period[from..PERIOD.min(from + until - at)]).await?;
    }
    Ok(())
}

/// Reads what was sent from `at` on, up to `until` or the end or an error; how much it was.
async fn check(from: &mut (impl AsyncRead + Unpin), at: usize, until: usize) -> usize {
    let period = data();
    let mut buffer = vec![0; 256 * 1024];
    let mut now = at;
    while now < until {
        let room = buffer.len().min(until - now).min(PERIOD - now % PERIOD);
        let read = timeout(LONG, from.read(&mut buffer[..room])).await;
        let Ok(got @ 1..) = read.expect("nothing comes any more") else { break };
        assert!(buffer[..got] == period[now % PERIOD..][..got], "other bytes after {now}");
        now += got;
    }
    now - at
}

/// Data that is not the same everywhere.
fn data() -> Vec<u8> {
    (0..PERIOD).map(|at| (at * 31 + at / 251 + at / 65_521) as u8).collect()
}

/// A session between two TCP sockets whose other ends are given back.
async fn tcp_session() -> (TcpStream, TcpStream, JoinHandle<Outcome>) {
    let near = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let far = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let session = session(&tcp(&near), &tcp(&far)).await;
    (near.accept().await.unwrap().0, far.accept().await.unwrap().0, session)
}

fn tcp(listener: &TcpListener) -> String {
    format!("tcp:127.0.0.1:{}", listener.local_addr().unwrap().port())
}

/// Both sides are dialled, so that a test holds what is at the other end of each.
async fn session(near: &str, far: &str) -> JoinHandle<Outcome> {
    let (near, far) = (connect(near).await.unwrap(), connect(far).await.unwrap());
    tokio::spawn(async move { splice(near, far, &Timers::default(), &Stop::new()).await })
}

const LENGTH: usize = 64 << 20;

/// Terminals are slow.
const TYPED: usize = 4 << 20;

const LONG: Duration = Duration::from_secs(60);

/// Prime to every size of buffer, so that what is lost or doubled is seen.
const PERIOD: usize = 1_000_003;
