//! A stream whose first bytes have been read already, and come first.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use endpoint::{ByteStream, End, Ending, Life, Peer, Raw};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream with a prefix.
pub(crate) struct Prefixed {
    prefix: Vec<u8>,
    inner: Box<dyn ByteStream>,
}

impl Prefixed {
    pub(crate) fn new(prefix: Vec<u8>, inner: Box<dyn ByteStream>) -> Self {
        Self { prefix, inner }
    }
}

impl AsyncRead for Prefixed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let taken = self.prefix.len().min(buf.remaining());
        buf.put_slice(&self.prefix[..taken]);
        self.prefix.drain(..taken);
        if self.prefix.is_empty() {
            self.prefix = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl Life for Prefixed {
    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        self.inner.poll_background(cx)
    }

    fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        self.inner.poll_ahead(cx);
    }

    fn peer(&mut self) -> Option<Peer> {
        self.inner.peer()
    }

    fn keep_little(&mut self) {
        self.inner.keep_little();
    }

    fn linger(&self) -> Option<Duration> {
        self.inner.linger()
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        self.inner.poll_finish(cx, end)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_close(cx)
    }

    fn close_timeout(&self) -> Option<Duration> {
        self.inner.close_timeout()
    }

    fn ending(&self) -> Ending {
        self.inner.ending()
    }

    fn end(&mut self) -> End {
        self.inner.end()
    }

    /// The stream's own, once the prefix has been read.
    fn raw(&mut self) -> Option<&mut dyn Raw> {
        if self.prefix.is_empty() { self.inner.raw() } else { None }
    }
}
