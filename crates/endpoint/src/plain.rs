//! Makes a [`ByteStream`](crate::ByteStream) of anything that reads and writes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{End, Ending, Life, pass_on};

/// A reader and writer whose `poll_shutdown` is its way to end.
#[derive(Debug)]
pub struct Plain<S> {
    inner: S,
    ending: Ending,
}

impl<S> Plain<S> {
    /// Creates a stream whose shutdown is a half-close, as for sockets.
    pub fn new(inner: S) -> Self {
        Self { inner, ending: Ending::HalfClose }
    }

    /// Creates a stream with another way to end.
    pub fn with_ending(inner: S, ending: Ending) -> Self {
        Self { inner, ending }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Plain<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Plain<S> {
    pass_on!(inner: poll_write, poll_write_vectored, is_write_vectored, poll_flush, poll_shutdown);
}

impl<S: AsyncWrite + Unpin> Life for Plain<S> {
    fn poll_finish(&mut self, cx: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        // A peer that has gone needs no end from this side; Linux reports NotConnected for it.
        Pin::new(&mut self.inner).poll_shutdown(cx).map(|done| match done {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        })
    }

    fn ending(&self) -> Ending {
        self.ending
    }
}
