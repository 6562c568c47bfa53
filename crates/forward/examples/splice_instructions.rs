//! A session of the real splice over streams in memory, for a tool that counts instructions:
//! `cargo xtask bench --instructions`.
//!
//! The counted work is in [`counted`]. Prints how many reads, or messages, went through.
#![expect(clippy::print_stdout, reason = "a separate command")]

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use endpoint::{ByteStream, Conn, End, Flat, Info, Life, MessageStream, Part, Plain};
use forward::{Stop, Timers, splice};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

fn main() -> ExitCode {
    let bytes = |size, pauses, told| {
        let source = Source { size, pauses, left: READS, pause: false, told };
        Conn::bytes(Plain::new(source), Info::new())
    };
    let quiet = || bytes(0, false, false);
    let (near, far, reads) = match std::env::args().nth(1).as_deref() {
        // Each is a buffer in full; the sender is ahead.
        Some("bytes-32k") => (bytes(32 * 1024, false, false), quiet(), READS),
        // Each wakes the session and leaves it waiting.
        Some("bytes-64") => (bytes(64, true, false), quiet(), READS),
        Some("messages-64") => {
            let messages = |left| Messages {
                data: Bytes::from_static(&[b'x'; 64]),
                left,
                pause: false,
                told: false,
            };
            (
                Conn::messages(messages(READS), Info::new()),
                Conn::messages(messages(0), Info::new()),
                READS,
            )
        }
        Some("session") => (bytes(0, false, true), quiet(), 1),
        _ => return ExitCode::FAILURE,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    let _entered = runtime.enter();
    let (timers, stop) = (Timers::default(), Stop::new());
    let mut session = pin!(splice(near, far, &timers, &stop));
    let mut cx = Context::from_waker(Waker::noop());
    let outcome = counted(|| {
        loop {
            // The task that waits here wants to be polled again at once.
            if let Poll::Ready(outcome) = session.as_mut().poll(&mut cx) {
                break outcome;
            }
        }
    });
    println!("{reads} {}", outcome.sent);
    ExitCode::SUCCESS
}

/// The tool knows it by its name.
#[inline(never)]
fn counted<T>(act: impl FnOnce() -> T) -> T {
    act()
}

/// Has so many reads of one size, then ends; takes whatever it gets.
struct Source {
    size: usize,
    left: usize,
    /// Whether it has nothing more after each read, until it is asked again.
    pauses: bool,
    pause: bool,
    /// A side that sends nothing waits until it was told the end.
    told: bool,
}

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.pause || (self.size == 0 && !self.told) {
            self.pause = false;
            return Poll::Pending;
        }
        if self.left > 0 && self.size > 0 {
            self.left -= 1;
            self.pause = self.pauses;
            // What lies there already is as good as anything: copying is the kernel's part.
            buf.initialize_unfilled_to(self.size);
            buf.advance(self.size);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Source {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.told = true;
        Poll::Ready(Ok(()))
    }
}

/// Has so many messages, each of which wakes the session and leaves it waiting.
struct Messages {
    data: Bytes,
    left: usize,
    pause: bool,
    /// A side that sends nothing waits until it was told the end.
    told: bool,
}

impl Stream for Messages {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pause) {
            return Poll::Pending;
        }
        if self.left == 0 {
            return if self.told { Poll::Ready(None) } else { Poll::Pending };
        }
        self.left -= 1;
        self.pause = self.left > 0;
        self.told |= self.left == 0;
        Poll::Ready(Some(Ok(Part { data: self.data.clone(), text: false, last: true })))
    }
}

impl Sink<Part> for Messages {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, _: Part) -> io::Result<()> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Life for Messages {
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        self.told = true;
        Poll::Ready(Ok(()))
    }
}

impl MessageStream for Messages {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        Box::new(Flat::new(*self))
    }
}

const READS: usize = 2000;
