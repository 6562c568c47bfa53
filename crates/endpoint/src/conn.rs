//! An open connection: its transport, the facts about it, and its signals.

use std::any::Any;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{ByteStream, Control, End, Info, MessageStream, Plain};

/// One side of a session, open.
pub struct Conn {
    /// The transport of the data.
    pub transport: Transport,
    /// The facts about the connection.
    pub info: Info,
    /// Signals apart from the data: window sizes, breaks, line settings.
    pub control: Control,
    /// The resources that are released when the session ends.
    pub guard: SessionGuard,
}

/// Things that are dropped with a connection: the place in a limit, the turn at a device.
#[derive(Default)]
pub struct SessionGuard(Vec<Box<dyn Any + Send + Sync>>);

impl SessionGuard {
    /// Adds another guard.
    #[must_use]
    pub fn and(mut self, guard: impl Any + Send + Sync) -> Self {
        self.0.push(Box::new(guard));
        self
    }

    /// Returns `true` if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SessionGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionGuard").field(&self.0.len()).finish()
    }
}

impl Conn {
    /// Creates a connection of bytes without signals.
    pub fn bytes(stream: impl ByteStream + 'static, info: Info) -> Self {
        Self {
            transport: Transport::Bytes(Box::new(stream)),
            info,
            control: Control::default(),
            guard: SessionGuard::default(),
        }
    }

    /// Creates a connection of bytes of anything that reads and writes, such as a socket, without facts: the reverse of
    /// [`Conn::into_io`]. Its shutdown is a half-close, as a socket's is; for others, see [`Plain`].
    ///
    /// ```
    /// let (near, _far) = tokio::io::duplex(1024);
    /// let conn = endpoint::Conn::from_io(near);
    /// # let _ = conn;
    /// ```
    pub fn from_io(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self::bytes(Plain::new(io), Info::new())
    }

    /// Creates a connection of messages without signals.
    pub fn messages(stream: impl MessageStream + 'static, info: Info) -> Self {
        Self {
            transport: Transport::Messages(Box::new(stream)),
            info,
            control: Control::default(),
            guard: SessionGuard::default(),
        }
    }

    /// Returns the byte view, for code that is written against tokio's I/O traits.
    ///
    /// Message boundaries are gone. Signals are dropped; take [`Conn::control`] before.
    #[must_use]
    pub fn into_io(self) -> Io {
        Io { stream: self.transport.into_bytes(), _guard: self.guard }
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn")
            .field("transport", &self.transport)
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

/// The transport of a connection, bytes or messages, which is known once it is open.
pub enum Transport {
    /// A stream of bytes.
    Bytes(Box<dyn ByteStream>),
    /// A stream of messages.
    Messages(Box<dyn MessageStream>),
}

impl Transport {
    /// Returns the byte view: itself, or the messages flattened.
    #[must_use]
    pub fn into_bytes(self) -> Box<dyn ByteStream> {
        match self {
            Self::Bytes(stream) => stream,
            Self::Messages(stream) => stream.into_bytes(),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes(_) => "Bytes",
            Self::Messages(_) => "Messages",
        })
    }
}

/// A connection as tokio knows one: `AsyncRead + AsyncWrite`.
///
/// `poll_shutdown` sends the end of the stream; dropping closes the connection.
pub struct Io {
    stream: Box<dyn ByteStream>,
    _guard: SessionGuard,
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.keep_alive(cx)?;
        Pin::new(&mut *self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_finish(cx, &End::eof())
    }
}

impl Io {
    /// There is no splice around a library user's stream, so its reads keep it alive.
    fn keep_alive(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.stream.poll_background(cx) {
            Poll::Ready(error) => Err(error),
            Poll::Pending => Ok(()),
        }
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io").finish_non_exhaustive()
    }
}
