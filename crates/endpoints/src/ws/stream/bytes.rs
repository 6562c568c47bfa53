//! The byte view: payload without boundaries, decoded where the reader wants it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endpoint::{End, Ending, Life, Peer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::core::Core;

/// A WebSocket as a stream of bytes. The stream beneath reads straight into the caller's buffer; what
/// is written leaves as one frame, header and payload together.
pub(in crate::ws) struct Flattened(pub(in crate::ws) Core);

impl AsyncRead for Flattened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, buf)
    }
}

impl AsyncWrite for Flattened {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let forgets = self.0.forgets();
        if !forgets {
            ready!(self.0.poll_window(cx));
        }
        let written = self.0.poll_sending(cx, |sending, cx, inner| {
            if forgets { Poll::Ready(Ok(buf.len())) } else { sending.poll_write(cx, inner, buf) }
        });
        if let Poll::Ready(Ok(bytes)) = written {
            self.0.count_sent(bytes);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_finish(cx, &End::eof())
    }
}

impl Life for Flattened {
    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        self.0.poll_background(cx)
    }

    fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        self.0.poll_ahead(cx);
    }

    fn peer(&mut self) -> Option<Peer> {
        self.0.peer()
    }

    fn keep_little(&mut self) {
        self.0.inner.keep_little();
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        self.0.poll_finish(cx, end)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_close(cx)
    }

    fn close_timeout(&self) -> Option<Duration> {
        self.0.close
    }

    fn ending(&self) -> Ending {
        self.0.ending()
    }

    fn end(&mut self) -> End {
        self.0.end()
    }
}
