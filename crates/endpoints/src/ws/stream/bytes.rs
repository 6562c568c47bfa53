//! The byte view: payload without boundaries, decoded where the reader wants it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endpoint::{End, Life, pass_on};
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
            self.0.wrote();
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
    pass_on!(0: poll_background, poll_ahead, peer, keep_little, poll_finish, poll_close);
    pass_on!(0: abort, close_timeout, ending, end);
}
