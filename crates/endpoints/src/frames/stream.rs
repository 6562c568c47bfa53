//! A stream of bytes as one of messages.
//!
//! It holds what has come of a message that isn't complete, up to the limit and one read more, and what the stream
//! beneath hasn't taken of what was sent. Between two messages it holds nothing.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use endpoint::{ByteStream, End, Flat, Life, MessageStream, Part, Peer, Reason, pass_on};
use framing::{Decode, Decoded, Encode, Message, Partial};
use futures_core::Stream;
use futures_sink::Sink;
use plan::kind::Framings;
use tokio::io::ReadBuf;
use tokio::time::{Sleep, sleep};
use tracing::warn;

use crate::scratch::with_scratch;

/// Messages in a stream of bytes.
pub(crate) struct Framed {
    inner: Box<dyn ByteStream>,
    framings: Framings,
    decoder: Box<dyn Decode>,
    encoder: Box<dyn Encode>,
    /// Received data that is not a whole message yet.
    unread: BytesMut,
    /// Parts of a message that is to be sent whole.
    parts: BytesMut,
    /// Data to write.
    unwritten: BytesMut,
    /// The end of the wait for the rest of a message.
    wait: Option<Pin<Box<Sleep>>>,
    /// The stream beneath has ended.
    is_ended: bool,
    /// Set if the end of the stream beneath is not passed on before the other side has ended.
    is_held: bool,
    /// The reader that waits behind that end.
    held: Option<Waker>,
    /// The reason why our side is over, if it is data that can't be sent.
    over: Option<End>,
    /// Messages that were left out.
    lost: u64,
}

impl Framed {
    pub(crate) fn new(inner: Box<dyn ByteStream>, framings: Framings) -> Self {
        Self {
            inner,
            decoder: framings.incoming.decoder(framings.max),
            encoder: framings.outgoing.encoder(),
            framings,
            unread: BytesMut::new(),
            parts: BytesMut::new(),
            unwritten: BytesMut::new(),
            wait: None,
            is_ended: false,
            is_held: false,
            held: None,
            over: None,
            lost: 0,
        }
    }

    /// Keeps the end of the stream beneath to itself until the other side has ended.
    pub(crate) fn hold(mut self) -> Self {
        self.is_held = true;
        self
    }

    /// Reads more behind the data that is there, and returns whether there was more.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let (inner, unread) = (&mut self.inner, &mut self.unread);
        with_scratch(|scratch| {
            let mut buf = ReadBuf::new(scratch);
            ready!(Pin::new(&mut **inner).poll_read(cx, &mut buf))?;
            unread.extend_from_slice(buf.filled());
            Poll::Ready(Ok(!buf.filled().is_empty()))
        })
    }

    /// Takes the next message out of what has come, without the packets that can't be right.
    fn decode(&mut self) -> io::Result<Option<Message>> {
        loop {
            match self.decoder.next(&mut self.unread).map_err(|error| broken(&error))? {
                Decoded::Message(message) => return Ok(Some(message)),
                Decoded::Corrupt(why) => self.lose(|| warn!("dropped a message: {why}")),
                Decoded::More => {
                    if self.unread.is_empty() {
                        // An idle connection holds no buffer.
                        self.unread = BytesMut::new();
                    }
                    return Ok(None);
                }
            }
        }
    }

    fn lose(&mut self, say: impl FnOnce()) {
        if self.lost == 0 {
            say();
        }
        self.lost += 1;
    }

    /// Handles an incomplete message.
    fn cut(&mut self, partial: Partial, when: &str) -> io::Result<Option<Message>> {
        let len = self.unread.len();
        let message = self.decoder.cut(&mut self.unread);
        self.unread = BytesMut::new();
        match partial {
            Partial::Send => Ok(Some(message)),
            Partial::Drop => {
                self.lose(|| {
                    warn!("dropped {len} bytes: {when} inside a message; `partial=send` passes them on");
                });
                Ok(None)
            }
            Partial::Error => {
                let words = format!("{when} inside a message, after {len} bytes of it");
                Err(End::because(Reason::Truncated, words).into_error(io::ErrorKind::InvalidData))
            }
        }
    }

    /// Returns the rest once the stream has ended.
    fn rest(&mut self) -> io::Result<Option<Message>> {
        if let Some(message) =
            self.decoder.finish(&mut self.unread).map_err(|error| broken(&error))?
        {
            return Ok(Some(message));
        }
        if self.unread.is_empty() || !self.decoder.is_inside(&self.unread) {
            return Ok(None);
        }
        self.cut(self.framings.rest, "the stream ended")
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unwritten.is_empty() {
            let written = ready!(Pin::new(&mut *self.inner).poll_write(cx, &self.unwritten))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unwritten.advance(written);
        }
        self.unwritten = BytesMut::new();
        Poll::Ready(Ok(()))
    }

    fn encode(&mut self, part: &Part) -> Result<(), End> {
        let too_long = |len| {
            let words =
                format!("refused a message of {len} bytes: the limit is {}", self.framings.max);
            Err(End::because(Reason::TooBig, words))
        };
        let Part { data, last, .. } = part;
        let encoded = if self.encoder.streams() {
            self.encoder.encode(data, *last, &mut self.unwritten)
        } else {
            let len = self.parts.len() + data.len();
            if len > self.framings.max {
                return too_long(len);
            }
            if !last {
                self.parts.extend_from_slice(data);
                return Ok(());
            }
            if self.parts.is_empty() {
                self.encoder.encode(data, true, &mut self.unwritten)
            } else {
                self.parts.extend_from_slice(data);
                let whole = std::mem::take(&mut self.parts);
                self.encoder.encode(&whole, true, &mut self.unwritten)
            }
        };
        encoded.map_err(|error| {
            let why = if error.is_too_long() { Reason::TooBig } else { Reason::InvalidData };
            End::because(why, error.to_string())
        })
    }
}

/// The error of a stream that can't be split into messages, which is sent to the other side in its protocol.
fn broken(error: &framing::Error) -> io::Error {
    let why = if error.is_too_long() { Reason::TooBig } else { Reason::InvalidData };
    End::because(why, error.to_string()).into_error(io::ErrorKind::InvalidData)
}

impl Drop for Framed {
    fn drop(&mut self) {
        if self.lost > 1 {
            warn!("dropped {} messages", self.lost);
        }
    }
}

impl Stream for Framed {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over.is_some() {
            return Poll::Ready(None);
        }
        for _ in 0..READS {
            if let Some(message) = self.decode()? {
                self.wait = None;
                return Poll::Ready(Some(Ok(part(message))));
            }
            if self.is_ended {
                return match self.rest()? {
                    None if self.is_held => {
                        self.held = Some(cx.waker().clone());
                        Poll::Pending
                    }
                    rest => Poll::Ready(rest.map(|message| Ok(part(message)))),
                };
            }
            match self.poll_fill(cx) {
                Poll::Ready(more) => {
                    self.is_ended = !more?;
                    self.wait = None;
                }
                Poll::Pending => {
                    let Some((limit, partial)) = self.framings.timeout else {
                        return Poll::Pending;
                    };
                    if self.unread.is_empty() || !self.decoder.is_inside(&self.unread) {
                        return Poll::Pending;
                    }
                    let wait = self.wait.get_or_insert_with(|| Box::pin(sleep(limit)));
                    ready!(wait.as_mut().poll(cx));
                    self.wait = None;
                    if let Some(message) = self.cut(partial, "the stream paused")? {
                        return Poll::Ready(Some(Ok(part(message))));
                    }
                }
            }
        }
        // A message that comes in many pieces is work, too, and others want their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn part(Message { data, text }: Message) -> Part {
    Part { data, text, last: true }
}

impl Sink<Part> for Framed {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unwritten.len() < BATCH { Poll::Ready(Ok(())) } else { self.poll_write_out(cx) }
    }

    fn start_send(mut self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        self.encode(&part).map_err(|end| {
            let error =
                io::Error::new(io::ErrorKind::InvalidInput, end.reason.clone().into_owned());
            self.over = Some(end);
            error
        })
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_out(cx))?;
        Pin::new(&mut *self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Framed {
    pass_on!(inner: poll_background, poll_ahead, keep_little, linger, poll_close, close_timeout);
    pass_on!(inner: abort, ending);

    fn peer(&mut self) -> Option<Peer> {
        let mut peer = self.inner.peer()?;
        peer.pending += self.unwritten.len() as u64;
        Some(peer)
    }

    fn pending(&mut self) -> Option<u64> {
        Some(self.inner.pending()? + self.unwritten.len() as u64)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        self.is_held = false;
        if let Some(reader) = self.held.take() {
            reader.wake();
        }
        ready!(self.poll_write_out(cx))?;
        self.inner.poll_finish(cx, end)
    }

    fn end(&mut self) -> End {
        self.over.clone().unwrap_or_else(|| self.inner.end())
    }
}

impl MessageStream for Framed {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        Box::new(Flat::new(*self))
    }
}

/// The amount that is written at once: small messages cost most if each is written separately.
const BATCH: usize = 32 * 1024;

/// Reads without a message before others get their turn.
const READS: usize = 4;
