//! The two types of transport, and what both do apart from moving data.
//!
//! Everything here is polled from one task a session; nothing needs a lock or a queue. Cancel
//! safety is that of poll functions: a future that is dropped between two polls loses nothing.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{End, Peer, Raw};

/// A stream of bytes without boundaries: TCP, a serial line, a program's pipes.
///
/// A `poll_read` that fills nothing is the end of the peer's data; [`Life::end`] then has the
/// reason. `poll_shutdown` is not used: [`Life::poll_finish`] replaces it, because an end has a
/// reason.
pub trait ByteStream: AsyncRead + AsyncWrite + Life + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Life + Send + Unpin> ByteStream for T {}

/// A stream of messages that keep their boundaries: WebSocket, datagrams.
///
/// A message may come in several [`Part`]s, so one of 1 GiB passes in constant memory. `None` is
/// the end of the peer's data. The sink follows [`Sink`]'s contract: a part is sent only after
/// `poll_ready` has returned ready, and is on its way only after `poll_flush`.
pub trait MessageStream:
    Stream<Item = io::Result<Part>> + Sink<Part, Error = io::Error> + Life + Send + Unpin
{
    /// Returns the same connection as a stream of bytes: boundaries are gone, and parts may be joined.
    ///
    /// Implementations that buffer payloads return [`Flat::new`](crate::Flat::new); one that can
    /// read straight into the caller's buffer returns its own view.
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream>;

    /// Splits the bytes of the other side into messages, if this side has a framing. Otherwise they are returned, and
    /// this side is flattened.
    ///
    /// # Errors
    /// `bytes`: this side knows no framing.
    fn frame(
        &self,
        bytes: Box<dyn ByteStream>,
    ) -> Result<Box<dyn MessageStream>, Box<dyn ByteStream>> {
        Err(bytes)
    }
}

/// The operations of a stream apart from moving data, the same for bytes and messages.
pub trait Life {
    /// Does the work of a connection that nothing is read from or written to: answers pings, keeps timers, writes what it
    /// has queued for itself.
    ///
    /// Called at every wake-up of the session, whatever the backpressure. `Ready` means that the connection is dead,
    /// with the reason; it is not called again. A peer that has ended and then leaves is
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe), which is not a failure.
    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let _ = cx;
        Poll::Pending
    }

    /// Reads ahead a bounded amount, instead of being read: called at every wake-up at which the other side reads
    /// nothing. So a layer whose peer sends more than data answers its pings and sees its Close although its data is
    /// not read.
    ///
    /// Data that was read ahead is the next to be read. A stream of bare bytes does nothing here: behind unread data
    /// there is only its end, which [`Life::peer`] reports.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        let _ = cx;
    }

    /// Returns the facts that the transport knows about its peer without asking it; `None` if it knows nothing.
    ///
    /// It takes a system call or two, and is asked seldom: when something is due, or stalls.
    fn peer(&mut self) -> Option<Peer> {
        None
    }

    /// Returns [`Peer::pending`] alone; `None` if the transport doesn't know it.
    ///
    /// It may take fewer system calls than [`Life::peer`]. The splice asks it once after each end that was sent: an
    /// ordinary peer has acknowledged everything by then, and nothing else has to be known.
    fn pending(&mut self) -> Option<u64> {
        self.peer().map(|peer| peer.pending)
    }

    /// Asks for little of what is written to be kept in the system's buffers, because what is written later should be
    /// seen soon: a terminal's answer to Ctrl-C behind megabytes of output. Best effort; where it can't be, nothing
    /// changes.
    fn keep_little(&mut self) {}

    /// Returns how long this side may stay silent once the other one has ended, if less than the linger time is enough:
    /// standard input, whose writer can't be asked if it waits for an end.
    fn linger(&self) -> Option<Duration> {
        None
    }

    /// Writes data that was accepted before, then sends the end of the data, with the reason.
    ///
    /// [`Life::ending`] determines the effect on the other direction. Called until it is ready, and
    /// not after; nothing is written after the first call.
    ///
    /// An end that [is cut](End::is_cut) must not look like an end of input to the peer, as far as the transport has
    /// another signal for it: a TCP connection is reset when it is dropped.
    ///
    /// # Errors
    /// Those of writing. A peer that is gone already is not an error.
    fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>>;

    /// Has the peer see that the connection is cut when it is dropped next: data for the peer was dropped, which must
    /// not take what it has for all of it.
    ///
    /// A TCP connection is reset. A transport whose peers tell a connection that is dropped from one that has ended
    /// needs nothing, and one without any signal for it has none.
    fn abort(&mut self) {}

    /// Closes the connection, both of whose directions have ended, and which is dropped next.
    ///
    /// For transports that have a close in addition to the end of a direction. Called after
    /// `poll_finish` is ready, until it is ready itself, for a bounded time.
    ///
    /// # Errors
    /// Those of writing; no caller can do anything about them any more.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = cx;
        Poll::Ready(Ok(()))
    }

    /// Returns the time that the peer may take to answer our end, if the protocol has an answer to
    /// an end; `None` leaves it to the splice.
    fn close_timeout(&self) -> Option<Duration> {
        None
    }

    /// Returns how this stream ends, and so what may still arrive after its end.
    fn ending(&self) -> Ending {
        Ending::HalfClose
    }

    /// Returns the reason why the read direction ended. Meaningful once, after its end was read.
    ///
    /// Asked for again when the session is over, for the exit status of a program that ended after its output did; all
    /// else means nothing then.
    ///
    /// Also asked for once a peer is gone whose end was not read: an end that [is cut](End::is_cut) then means that
    /// data may be missing. Anything else means nothing.
    fn end(&mut self) -> End {
        End::eof()
    }

    /// Returns the descriptor under it, if its bytes may go past this stream: for moving them inside the
    /// kernel. A stream that transforms or buffers what it carries has none.
    fn raw(&mut self) -> Option<&mut dyn Raw> {
        None
    }
}

/// The way in which a stream ends its sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// One direction ends and the other lives on: TCP, Unix sockets, a program's pipes.
    HalfClose,
    /// An end that is announced and answered, as a WebSocket's Close: after it was read, an answer
    /// still gets through, for as long as the peer waits for ours.
    Handshake,
    /// The end of one direction is the end of both: a serial line, a pty, a datagram session.
    Whole,
}

/// A message, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The payload. Text that is split may be split inside a character.
    pub data: Bytes,
    /// Set if the message is text (UTF-8) rather than binary. The same for all parts of a message.
    pub text: bool,
    /// Set if the message ends with this part.
    pub last: bool,
}

impl Part {
    /// Creates a whole binary message.
    pub fn binary(data: impl Into<Bytes>) -> Self {
        Self { data: data.into(), text: false, last: true }
    }

    /// Creates a whole text message.
    pub fn text(data: impl Into<Bytes>) -> Self {
        Self { data: data.into(), text: true, last: true }
    }

    /// Returns the part with a copy of its data, unless that is long.
    ///
    /// Data is a slice of the buffer that was read, and keeps all of it in memory. A queue that counts the bytes of its
    /// parts calls this first: one byte for each read would otherwise keep 33 KiB for each byte.
    #[must_use]
    pub fn detached(mut self) -> Self {
        if self.data.len() < LONG {
            self.data = Bytes::copy_from_slice(&self.data);
        }
        self
    }
}

/// Half of a read.
const LONG: usize = 16 * 1024;
