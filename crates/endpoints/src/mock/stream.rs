//! A stream that follows a script.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use endpoint::{End, Life};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tracing::warn;

use super::{Script, Step};

/// Steps are done in their order: while the script expects something, nothing is to be read, and
/// while it sends something, writing waits. After the last step there is nothing to read, and
/// nothing more may be written.
pub(super) struct Mock {
    steps: VecDeque<Step>,
    /// The running [`Step::Wait`].
    waiting: Option<Pin<Box<Sleep>>>,
    ended: bool,
    finished: bool,
    failed: bool,
    /// The tasks that wait for a step of the other direction.
    waiters: [Option<Waker>; 2],
}

/// The direction that polls, and so the slot of its waker.
#[derive(Clone, Copy)]
enum Side {
    Read,
    Write,
}

impl Mock {
    pub(super) fn new(script: &Script) -> Self {
        Self {
            steps: script.0.iter().cloned().collect(),
            waiting: None,
            ended: false,
            finished: false,
            failed: false,
            waiters: [None, None],
        }
    }

    /// Executes steps up to one that needs a read or a write.
    fn advance(&mut self, cx: &mut Context<'_>, side: Side) -> Poll<io::Result<()>> {
        loop {
            if self.failed {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            match self.steps.front() {
                Some(Step::Wait(None)) => return self.pend(cx, side),
                Some(Step::Wait(Some(time))) => {
                    let time = *time;
                    let sleep = self.waiting.get_or_insert_with(|| Box::pin(sleep(time)));
                    if sleep.as_mut().poll(cx).is_pending() {
                        // The timer wakes the side that polled it last, and that side wakes the other.
                        return self.pend(cx, side);
                    }
                    self.waiting = None;
                }
                Some(Step::Eof) => self.ended = true,
                Some(Step::Err) => self.failed = true,
                Some(Step::Fin) if self.finished => {}
                Some(Step::Sends(text) | Step::Expects(text)) if text.is_empty() => {}
                Some(Step::Sends(_) | Step::Expects(_) | Step::Fin) | None => {
                    return Poll::Ready(Ok(()));
                }
            }
            self.done();
        }
    }

    /// The first step is done.
    fn done(&mut self) {
        self.steps.pop_front();
        for waiter in &mut self.waiters {
            if let Some(waker) = waiter.take() {
                waker.wake();
            }
        }
    }

    fn pend<T>(&mut self, cx: &mut Context<'_>, side: Side) -> Poll<T> {
        self.waiters[side as usize] = Some(cx.waker().clone());
        Poll::Pending
    }

    fn mismatch(&mut self, expected: &str, got: &str) -> io::Error {
        self.failed = true;
        let words = format!("the script expected {expected}, and got {got}");
        io::Error::new(io::ErrorKind::InvalidData, words)
    }
}

impl AsyncRead for Mock {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(Ok(()));
        }
        ready!(this.advance(cx, Side::Read))?;
        match this.steps.front_mut() {
            None => Poll::Ready(Ok(())),
            Some(_) if this.ended => Poll::Ready(Ok(())),
            Some(Step::Sends(text)) => {
                let fits = text.len().min(buf.remaining());
                buf.put_slice(&text.split_to(fits));
                if text.is_empty() {
                    this.done();
                }
                Poll::Ready(Ok(()))
            }
            Some(_) => this.pend(cx, Side::Read),
        }
    }
}

impl AsyncWrite for Mock {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(this.advance(cx, Side::Write))?;
        match this.steps.front_mut() {
            Some(Step::Expects(text)) => {
                let length = text.len().min(buf.len());
                if text[..length] != buf[..length] {
                    let expected = shown(text);
                    return Poll::Ready(Err(this.mismatch(&expected, &shown(buf))));
                }
                text.advance(length);
                if text.is_empty() {
                    this.done();
                }
                Poll::Ready(Ok(length))
            }
            Some(Step::Fin) => Poll::Ready(Err(this.mismatch("the end", &shown(buf)))),
            Some(_) => this.pend(cx, Side::Write),
            None => Poll::Ready(Err(this.mismatch("nothing more", &shown(buf)))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Mock {
    /// An end is fine at any time, unless the script still expects something from us.
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        if !self.finished {
            self.finished = true;
            let expects = self.steps.iter().find_map(|step| match step {
                Step::Expects(text) if !text.is_empty() => Some(shown(text)),
                _ => None,
            });
            if let Some(expected) = expects.filter(|_| !self.failed) {
                return Poll::Ready(Err(self.mismatch(&expected, "the end")));
            }
            for waiter in &mut self.waiters {
                if let Some(waker) = waiter.take() {
                    waker.wake();
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let passive = |step: &Step| matches!(step, Step::Eof | Step::Err | Step::Wait(_));
        if !self.failed && !self.steps.iter().all(passive) {
            warn!("the connection was dropped before the end of its script: {:?}", self.steps);
        }
    }
}

/// The beginning, as it would be typed.
fn shown(bytes: &[u8]) -> String {
    let cut = bytes.len().min(SHOWN);
    let more = if cut < bytes.len() { "…" } else { "" };
    format!("\"{}{more}\"", Bytes::copy_from_slice(&bytes[..cut]).escape_ascii())
}

/// Enough to recognise what it is.
const SHOWN: usize = 60;
