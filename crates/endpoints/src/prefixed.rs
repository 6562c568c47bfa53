//! A stream whose first bytes have been read already, and come first.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use endpoint::{ByteStream, Life, Raw, pass_on};
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
    pass_on!(inner: poll_write, poll_write_vectored, is_write_vectored, poll_flush, poll_shutdown);
}

impl Life for Prefixed {
    pass_on!(inner: poll_background, poll_ahead, peer, keep_little, linger, poll_finish);
    pass_on!(inner: abort, poll_close, close_timeout, ending, end);

    /// The stream's own, once the prefix has been read.
    fn raw(&mut self) -> Option<&mut dyn Raw> {
        if self.prefix.is_empty() { self.inner.raw() } else { None }
    }
}
