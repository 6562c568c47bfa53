//! The two ends of a named pipe as streams.

use std::io;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use endpoint::{End, Life, Raw, SystemCall};
use rustix::io::retry_on_intr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::mute::Mute;
use crate::ready::{read_by, write_by};

/// The end that is read. Data sent to it is discarded.
pub(super) struct Reading {
    pipe: Receiver,
    /// Set once the last writer has closed it.
    is_over: Arc<AtomicBool>,
}

impl Reading {
    pub(super) fn new(pipe: Receiver, is_over: Arc<AtomicBool>) -> Self {
        Self { pipe, is_over }
    }
}

impl AsyncRead for Reading {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // After a read that fills no buffer, tokio's own waits for an event. A pipe whose last writer left before this
        // end was opened has none for its end: it is read once more.
        let call = &mut |fd: BorrowedFd<'_>| {
            Ok(retry_on_intr(|| rustix::io::read(fd, &mut *buf.initialize_unfilled()))?)
        };
        let len = ready!(self.poll_read_by(cx, call))?;
        buf.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Reading {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Life for Reading {
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn raw(&mut self) -> Option<&mut dyn Raw> {
        Some(self)
    }
}

impl Raw for Reading {
    fn poll_read_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        let read = ready!(read_by(cx, &self.pipe, call));
        if let Ok(0) = read {
            self.is_over.store(true, Ordering::Relaxed);
        }
        Poll::Ready(read)
    }
}

/// The end that is written.
pub(super) struct Writing {
    pipe: Option<Sender>,
    mute: Mute,
}

impl Writing {
    pub(super) fn new(pipe: Sender) -> Self {
        Self { pipe: Some(pipe), mute: Mute::default() }
    }
}

impl AsyncRead for Writing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.mute.poll_read(cx)
    }
}

impl AsyncWrite for Writing {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.pipe {
            Some(pipe) => Pin::new(pipe).poll_write(cx, buf),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        };
        self.mute.written(written)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Writing {
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        self.pipe = None;
        self.mute.finish(End::eof());
        Poll::Ready(Ok(()))
    }

    fn end(&mut self) -> End {
        self.mute.end()
    }

    fn raw(&mut self) -> Option<&mut dyn Raw> {
        Some(self)
    }
}

impl Raw for Writing {
    fn poll_write_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        match &self.pipe {
            Some(pipe) => {
                let written = write_by(cx, pipe, call);
                self.mute.written(written)
            }
            None => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }
}
