//! When bulk is moved inside the kernel, when it comes back, and that nothing is lost on the way.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use endpoint::{Conn, End, Info, Life, Raw, SystemCall};
use forward::{Outcome, Stop, Timers, splice};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinHandle;

use crate::support::{RawPeer, data, fake, raw_fake, settle};

const LENGTH: usize = 4 << 20;

/// A session between two descriptors, and what stops it.
fn session(
    change: impl FnOnce(&RawPeer, &RawPeer),
) -> (RawPeer, RawPeer, Stop, JoinHandle<Outcome>) {
    let ((near, near_peer), (far, far_peer)) = (raw_fake(), raw_fake());
    change(&near_peer, &far_peer);
    let stop = Stop::new();
    let heard = stop.clone();
    let task = tokio::spawn(async move {
        let (near, far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
        splice(near, far, &Timers::default(), &heard).await
    });
    (near_peer, far_peer, stop, task)
}

/// Sends `sent` and its end, and takes what comes across.
async fn across(near: &mut RawPeer, far: &mut RawPeer, sent: &[u8]) -> Vec<u8> {
    let (mut at, mut came) = (0, Vec::new());
    while came.len() < sent.len() {
        at += near.send(&sent[at..]);
        settle().await;
        let more = far.take();
        assert!(at < sent.len() || !more.is_empty(), "the rest is lost");
        came.extend(more);
    }
    near.end();
    far.end();
    came
}

#[tokio::test(start_paused = true)]
async fn bulk_is_moved_inside_the_kernel() {
    let (mut near, mut far, _, task) = session(|_, _| {});
    let sent = data(LENGTH);
    assert!(across(&mut near, &mut far, &sent).await == sent);
    let outcome = task.await.unwrap();
    assert_eq!(outcome.sent, LENGTH as u64);
    assert!(outcome.spliced > outcome.sent / 2, "{} bytes", outcome.spliced);
}

#[tokio::test(start_paused = true)]
async fn little_is_copied_after_bulk_as_before() {
    let (mut near, mut far, _, task) = session(|_, _| {});
    let ask = async |near: &mut RawPeer, far: &mut RawPeer| {
        for _ in 0..100 {
            near.send(b"question");
            settle().await;
            assert_eq!(far.take(), b"question");
        }
    };
    ask(&mut near, &mut far).await;
    assert_eq!(near.calls() + far.calls(), 0, "before");
    let (sent, mut at, mut came) = (data(LENGTH), 0, Vec::new());
    while came.len() < LENGTH {
        at += near.send(&sent[at..]);
        settle().await;
        came.extend(far.take());
    }
    assert!(near.calls() > 0 && came == sent, "bulk");
    ask(&mut near, &mut far).await;
    let calls = near.calls() + far.calls();
    ask(&mut near, &mut far).await;
    assert_eq!(near.calls() + far.calls(), calls, "after");
    near.end();
    far.end();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_side_without_a_descriptor_has_both_copied() {
    let ((near, mut near_peer), (far, far_peer)) = (raw_fake(), fake());
    let task = tokio::spawn(async move {
        let (near, far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
        splice(near, far, &Timers::default(), &Stop::new()).await
    });
    let (sent, mut at) = (data(LENGTH), 0);
    while at < LENGTH {
        at += near_peer.send(&sent[at..]);
        settle().await;
    }
    near_peer.end();
    far_peer.end();
    assert_eq!(task.await.unwrap().spliced, 0);
    assert!(far_peer.taken() == sent);
    assert_eq!(near_peer.calls(), 0);
}

/// A session whose sides always have more, and always take more, has to let others have their turn.
#[tokio::test(start_paused = true)]
async fn a_turn_is_bounded() {
    let (near, far, stop) = (Endless::new(), Endless::new(), Stop::new());
    let moved = Arc::clone(&far.taken);
    let (near, far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
    let timers = Timers::default();
    let mut session = pin!(splice(near, far, &timers, &stop));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..50 {
        assert!(session.as_mut().poll(&mut cx).is_pending());
        let turn = moved.swap(0, Ordering::Relaxed);
        assert!(turn > 0 && turn <= 2 << 20, "{turn} bytes in one turn");
    }
    stop.drain(End::eof());
    stop.end();
    let outcome = session.await;
    assert!(outcome.spliced > outcome.sent && outcome.spliced > outcome.received, "both ways");
}

/// Zeros that never end, and a place for as many.
struct Endless {
    zeros: File,
    nowhere: File,
    taken: Arc<AtomicUsize>,
}

impl Endless {
    fn new() -> Self {
        let open = |path| File::options().read(true).write(true).open(path).unwrap();
        Self { zeros: open("/dev/zero"), nowhere: open("/dev/null"), taken: Arc::default() }
    }

    fn took(&self, bytes: usize) {
        let taken = self.taken.fetch_add(bytes, Ordering::Relaxed) + bytes;
        assert!(taken < 1 << 30, "nobody else gets a turn");
    }
}

impl AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buf.initialize_unfilled();
        buf.set_filled(buf.capacity());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.took(buf.len());
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Life for Endless {
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn raw(&mut self) -> Option<&mut dyn Raw> {
        Some(self)
    }
}

impl Raw for Endless {
    fn poll_read_by(
        &mut self,
        _: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(call(self.zeros.as_fd()))
    }

    fn poll_write_by(
        &mut self,
        _: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        let bytes = call(self.nowhere.as_fd())?;
        self.took(bytes);
        Poll::Ready(Ok(bytes))
    }
}

/// Data that was read from the other side by then is in a pipe, and has to come out of it again.
#[tokio::test(start_paused = true)]
async fn a_writer_that_refuses_gets_all_of_it_written() {
    for writes in 0..10 {
        let (mut near, mut far, _, task) = session(|_, far| far.refuses_writes_after(writes));
        let sent = data(LENGTH);
        assert!(across(&mut near, &mut far, &sent).await == sent, "after {writes}");
        let outcome = task.await.unwrap();
        assert_eq!(outcome.sent, LENGTH as u64);
        assert_eq!(outcome.spliced == 0, writes == 0, "after {writes}");
        assert!(far.calls() <= writes, "asked no more");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_refuses_has_all_of_it_read() {
    let (mut near, mut far, _, task) = session(|near, _| near.refuses_reads());
    let sent = data(LENGTH);
    assert!(across(&mut near, &mut far, &sent).await == sent);
    assert_eq!(task.await.unwrap().spliced, 0);
}

/// A writer that stalls has a session keep a pipe with something in it.
#[tokio::test(start_paused = true)]
async fn what_is_in_the_kernel_is_written_before_an_end_of_ours() {
    let (mut near, mut far, stop, task) = session(|_, _| {});
    let sent = data(LENGTH);
    // Bulk, until it stalls.
    let (mut at, mut came) = (0, Vec::new());
    loop {
        let took = near.send(&sent[at..]);
        at += took;
        settle().await;
        if came.is_empty() {
            came = far.take();
        } else if took == 0 {
            break;
        }
    }
    stop.drain(End::eof());
    stop.end();
    settle().await;
    loop {
        let more = far.take();
        came.extend_from_slice(&more);
        settle().await;
        if more.is_empty() {
            break;
        }
    }
    let outcome = tokio::time::timeout(Duration::from_secs(3600), task).await.unwrap().unwrap();
    assert!(outcome.spliced > 0);
    assert_eq!(outcome.sent, came.len() as u64, "what it counts is what came");
    assert!(came == sent[..came.len()]);
    assert!(came.len() > 512 * 1024, "only {} bytes were on their way", came.len());
}
