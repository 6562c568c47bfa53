//! Sending: frames, whole and in order.
//!
//! [`bytes`] sends a stream, [`messages`] sends parts. Everything here is bounded: `out` has at most one frame of
//! [`bytes::CHUNK`], or a batch of [`BATCH`] and one part; pongs are as many as [`Pings`] keeps.

mod bytes;
mod messages;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::bytes::{Buf, Bytes};
use endpoint::ByteStream;
use websocket::{CloseCode, CloseFrame, ControlPayload, Encoder, Role};

use super::base64;
use super::compression::Compressing;
use super::keys::Keys;
use super::pings::Pings;
use crate::ws::negotiate::Mode;

/// The sending half of a connection.
pub(in crate::ws) struct Sending {
    encoder: Encoder,
    keys: Keys,
    /// Set if payload is masked, encoded, or has to be joined with its header.
    copies: bool,
    mode: Mode,
    /// The most payload a frame has.
    limit: usize,
    /// Framed bytes that are still to be written, from `at` on.
    out: Vec<u8>,
    at: usize,
    /// Payload that follows `out`, too large to be copied.
    tail: Bytes,
    /// Payload of the last frame in `out` that the writer of bytes has announced and not handed in.
    owed: usize,
    base64: base64::Encoder,
    /// If messages may go compressed.
    compressing: Option<Box<Compressing>>,
    pinged: Pings,
    ping: bool,
    close: Closing,
    /// Set if the stream beneath may have kept what was written.
    unflushed: bool,
}

/// The state of our Close frame.
#[derive(Debug, PartialEq, Eq)]
enum Closing {
    No,
    Queued(Box<CloseFrame>),
    /// It is in `out`, or on its way.
    Sent,
}

impl Sending {
    /// Frames have at most `limit` bytes of payload. `vectored` is set if the stream beneath sends
    /// several slices as one.
    pub(in crate::ws) fn new(
        role: Role,
        mode: Mode,
        limit: Option<usize>,
        vectored: bool,
        compressing: Option<Box<Compressing>>,
    ) -> Self {
        let copies = role == Role::Client || mode == Mode::Base64 || !vectored;
        Self {
            encoder: Encoder::new(role),
            keys: Keys::default(),
            copies: copies || compressing.is_some(),
            mode,
            limit: limit.unwrap_or(usize::MAX),
            compressing,
            out: Vec::new(),
            at: 0,
            tail: Bytes::new(),
            owed: 0,
            base64: base64::Encoder::default(),
            pinged: Pings::default(),
            ping: false,
            close: Closing::No,
            unflushed: false,
        }
    }

    // === Control frames ===

    /// Answers pings as soon as a frame may begin.
    pub(in crate::ws) fn pong(&mut self, pinged: Pings) {
        self.pinged.append(pinged);
    }

    pub(in crate::ws) fn ping(&mut self) {
        self.ping = true;
    }

    /// Our last frame; the first call decides.
    pub(in crate::ws) fn close(&mut self, frame: CloseFrame) {
        if self.close == Closing::No {
            self.close = Closing::Queued(Box::new(frame));
        }
    }

    /// Returns `true` if we have sent, or are about to send, our end.
    pub(in crate::ws) fn is_closed(&self) -> bool {
        self.close != Closing::No
    }

    /// Returns how many framed bytes the stream beneath has not taken.
    pub(in crate::ws) fn unwritten(&self) -> usize {
        self.out.len() - self.at + self.tail.len()
    }

    /// Returns `true` if a message was begun and not ended.
    pub(in crate::ws) fn is_inside_message(&self) -> bool {
        self.owed > 0 || self.encoder.is_inside_message()
    }

    /// Returns `true` if a frame was begun and can't be finished.
    pub(in crate::ws) fn is_inside_frame(&self) -> bool {
        self.owed > 0
    }

    /// Puts what is queued behind what is framed, if a frame may begin there.
    fn queue_controls(&mut self) {
        if self.owed > 0 || !self.tail.is_empty() || self.close == Closing::Sent {
            return;
        }
        let keys = &mut self.keys;
        for payload in self.pinged.take() {
            self.out.extend_from_slice(&self.encoder.pong(&payload, || keys.next()));
        }
        if std::mem::take(&mut self.ping) {
            let payload = ControlPayload::default();
            self.out.extend_from_slice(&self.encoder.ping(&payload, || keys.next()));
        }
        if let Closing::Queued(frame) = &self.close {
            self.out.extend_from_slice(&self.encoder.close(Some(frame), || keys.next()));
            self.close = Closing::Sent;
        }
    }

    fn has_controls(&self) -> bool {
        !self.pinged.is_empty() || self.ping || matches!(self.close, Closing::Queued(_))
    }

    /// Writes and flushes everything that can go: framed data, and control frames.
    pub(in crate::ws) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut dyn ByteStream,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_drain(cx, inner))?;
            if !self.has_controls() || self.owed > 0 || self.close == Closing::Sent {
                break;
            }
            self.queue_controls();
        }
        if self.unflushed {
            ready!(Pin::new(inner).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes the framed bytes.
    fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut dyn ByteStream,
    ) -> Poll<io::Result<()>> {
        while self.at < self.out.len() || !self.tail.is_empty() {
            let framed = &self.out[self.at..];
            let slices = [IoSlice::new(framed), IoSlice::new(&self.tail)];
            let inner = Pin::new(&mut *inner);
            let written = if framed.is_empty() {
                ready!(inner.poll_write(cx, &self.tail))?
            } else {
                ready!(inner.poll_write_vectored(cx, &slices))?
            };
            self.wrote(written)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes the written bytes off `out` and `tail`; the rest were the caller's.
    fn wrote(&mut self, written: usize) -> io::Result<usize> {
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.unflushed = true;
        let framed = written.min(self.out.len() - self.at);
        self.at += framed;
        if self.at == self.out.len() {
            // Idle connections keep no buffers.
            self.out = Vec::new();
            self.at = 0;
        }
        let tail = (written - framed).min(self.tail.len());
        self.tail.advance(tail);
        Ok(written - framed - tail)
    }

    /// Cuts `out` to `len` bytes.
    fn take_back(&mut self, len: usize) {
        self.out.truncate(len);
        if self.at == self.out.len() {
            self.out = Vec::new();
            self.at = 0;
        }
    }
}

/// A Close frame of a code that came from anywhere.
///
/// 1005 and 1015 stand for what is not on the wire, 1006 for a connection that was lost (RFC 6455
/// section 7.4.1): to us that end is "going away".
pub(in crate::ws) fn close_frame(code: u16, reason: &str) -> CloseFrame {
    let code = if code == 1006 { 1001 } else { code };
    CloseFrame::new(code.into(), reason)
        .or_else(|| CloseFrame::new(CloseCode::Normal, reason))
        .expect("1000 may be sent")
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the WebSocket connection is closing")
}

/// Framed bytes that wait for a flush.
const BATCH: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use endpoint::{Part, Plain};
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::*;

    /// Takes a little at a time.
    struct Sips(bool);

    impl AsyncRead for Sips {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Sips {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            data: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.0 = !self.0;
            if self.0 { Poll::Ready(Ok(data.len().min(10_000))) } else { Poll::Pending }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn what_was_sent_does_not_pile_up() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut inner = Plain::new(Sips(false));
        let mut sending = Sending::new(Role::Client, Mode::Any, None, true, None);
        let mut sent = 0;
        while sent < 100 {
            if let Poll::Ready(ready) = sending.poll_ready(&mut cx, &mut inner) {
                ready.unwrap();
                sending.send(Part::binary(vec![0; 32 * 1024])).unwrap();
                sent += 1;
            }
        }
        assert!(sending.out.len() < 64 * 1024, "{}", sending.out.len());
    }
}
