//! The byte view of a message stream that has none built in.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{End, Life, MessageStream, Part, pass_on};

/// The payloads of messages as a byte stream. Each write of at most 33 KiB becomes a binary message, because a
/// message may have a limit.
///
/// Holds at most one part that did not fit the reader's buffer. Empty messages vanish: a read of
/// nothing would be the end.
pub struct Flat<M> {
    inner: M,
    unread: Bytes,
    /// The error or end that follows bytes that were returned by the same read.
    failed: Option<io::Error>,
}

impl<M: MessageStream> Flat<M> {
    /// Flattens `inner`.
    pub fn new(inner: M) -> Self {
        Self { inner, unread: Bytes::new(), failed: None }
    }
}

impl<M: MessageStream> AsyncRead for Flat<M> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Every message that is there already goes into one read: small ones cost most by being
        // written one by one.
        let start = buf.filled().len();
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(error));
        }
        loop {
            let fits = self.unread.len().min(buf.remaining());
            buf.put_slice(&self.unread[..fits]);
            self.unread.advance(fits);
            if buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            match Pin::new(&mut self.inner).poll_next(cx) {
                Poll::Ready(Some(Ok(part))) => self.unread = part.data,
                Poll::Ready(Some(Err(error))) if buf.filled().len() > start => {
                    self.failed = Some(error);
                    return Poll::Ready(Ok(()));
                }
                // The next read reports the end again, once these bytes are out.
                _ if buf.filled().len() > start => return Poll::Ready(Ok(())),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<M: MessageStream> AsyncWrite for Flat<M> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.inner).poll_ready(cx))?;
        let taken = &buf[..buf.len().min(MOST)];
        let part = Part::binary(Bytes::copy_from_slice(taken));
        Pin::new(&mut self.inner).start_send(part)?;
        Poll::Ready(Ok(taken.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_finish(cx, &End::eof())
    }
}

impl<M: MessageStream> Life for Flat<M> {
    pass_on!(inner: poll_background, poll_ahead, peer, keep_little, linger, poll_finish);
    pass_on!(inner: abort, poll_close, close_timeout, ending, end);
}

/// As much as a splice writes at once.
const MOST: usize = 33 * 1024;
