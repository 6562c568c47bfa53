//! The body of a reply: a short text, or a file that is read as it is sent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ::bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};

/// The body of an answer.
pub(crate) enum Body {
    Ready(Full<Bytes>),
    File(Box<Streamed>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Ready(Full::default())
    }
}

impl<T: Into<Full<Bytes>>> From<T> for Body {
    fn from(ready: T) -> Self {
        Self::Ready(ready.into())
    }
}

/// A part of a file, from where it stands.
pub(crate) struct Streamed {
    file: File,
    left: u64,
    piece: Vec<u8>,
    /// Lives as long as there is something to send.
    _sending: Arc<()>,
}

impl Streamed {
    /// The next `left` bytes of `file`; `sending` is held meanwhile.
    pub(crate) fn new(file: File, left: u64, sending: Arc<()>) -> Self {
        Self { file, left, piece: Vec::new(), _sending: sending }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let most = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        self.piece.resize(most, 0);
        let mut buf = ReadBuf::new(&mut self.piece);
        ready!(Pin::new(&mut self.file).poll_read(cx, &mut buf))?;
        let read = buf.filled().len();
        if read == 0 {
            // The promised length can't be kept; hyper cuts the connection.
            let words = "the file was truncated while it was sent";
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, words))));
        }
        self.left -= read as u64;
        let mut piece = std::mem::take(&mut self.piece);
        piece.truncate(read);
        Poll::Ready(Some(Ok(piece.into())))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::Ready(ready) => Pin::new(ready).poll_frame(cx).map_err(|never| match never {}),
            Self::File(file) => file.poll_piece(cx).map_ok(Frame::data),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Ready(ready) => ready.is_end_stream(),
            Self::File(file) => file.left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Ready(ready) => ready.size_hint(),
            Self::File(file) => SizeHint::with_exact(file.left),
        }
    }
}

/// The amount of a file that is in memory at once, for each that is sent.
const PIECE: usize = 16 * 1024;
