//! What goes out: frames, whole and in turn.
//!
//! Everything here is bounded: `out` has at most one frame of [`CHUNK`] bytes, or a batch of
//! [`BATCH`] and one part; pongs are as many as [`Pings`] keeps.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::bytes::{Buf, Bytes};
use endpoint::{ByteStream, Part};
use websocket::{CloseCode, CloseFrame, ControlPayload, Encoder, HeaderBytes, Role, mask};

use super::base64;
use super::compression::Compressing;
use super::keys::Keys;
use super::pings::Pings;
use crate::ws::negotiate::Mode;

/// The sending half of a connection.
pub(in crate::ws) struct Sending {
    encoder: Encoder,
    keys: Keys,
    /// Whether payload is masked, encoded, or has to be joined with its header.
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
    /// Whether the stream beneath may have kept what was written.
    unflushed: bool,
}

/// How far our Close frame is.
#[derive(Debug, PartialEq, Eq)]
enum Closing {
    No,
    Queued(Box<CloseFrame>),
    /// It is in `out`, or on its way.
    Sent,
}

impl Sending {
    /// Frames have at most `limit` bytes of payload. `vectored` tells whether the stream beneath
    /// sends several slices as one.
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

    /// Whether we have said, or are about to say, that nothing more comes.
    pub(in crate::ws) fn is_closed(&self) -> bool {
        self.close != Closing::No
    }

    /// Returns how many framed bytes the stream beneath has not taken.
    pub(in crate::ws) fn unwritten(&self) -> usize {
        self.out.len() - self.at + self.tail.len()
    }

    /// Whether a frame was begun that nobody can end.
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

    /// Writes and flushes everything that can go: what is framed, and control frames.
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

    /// Writes what is framed.
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

    /// Takes what was written off `out` and `tail`; what is more was the caller's.
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

    // === Bytes ===

    /// Sends (the beginning of) `data` as one frame.
    pub(in crate::ws) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut dyn ByteStream,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if self.owed > 0 {
            return self.poll_owed(cx, inner, data);
        }
        if self.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        ready!(self.poll_drain(cx, inner))?;
        self.queue_controls();
        if self.copies {
            return self.poll_chunk(cx, inner, data);
        }
        let before = self.out.len();
        let header = self.header(false, true, data.len().min(self.limit));
        self.owed = data.len().min(self.limit);
        if before > 0 {
            self.out.extend_from_slice(&header);
        } else {
            // The common case, without a detour over `out`.
            let Poll::Ready(written) = poll_frame(cx, inner, &header, &data[..self.owed])? else {
                self.owed = 0;
                return Poll::Pending;
            };
            if written > header.len() {
                self.unflushed = true;
                self.owed -= written - header.len();
                return Poll::Ready(Ok(written - header.len()));
            }
            self.out.extend_from_slice(&header);
            self.wrote(written)?;
        }
        let sent = self.poll_owed(cx, inner, data);
        if sent.is_pending() && !self.out.is_empty() && self.at <= before {
            // Nothing of the frame has gone out: it is as if it hadn't been begun.
            self.owed = 0;
            self.take_back(before);
        }
        sent
    }

    /// Sends more of the frame that was begun.
    fn poll_owed(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut dyn ByteStream,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let data = &data[..data.len().min(self.owed)];
        loop {
            let framed = &self.out[self.at..];
            let inner = Pin::new(&mut *inner);
            let written = if framed.is_empty() {
                ready!(inner.poll_write(cx, data))?
            } else {
                ready!(inner.poll_write_vectored(cx, &[IoSlice::new(framed), IoSlice::new(data)]))?
            };
            let sent = self.wrote(written)?;
            if sent > 0 {
                self.owed -= sent;
                return Poll::Ready(Ok(sent));
            }
        }
    }

    /// Sends a frame by way of a copy, because it has to be masked or encoded, or because header and
    /// payload wouldn't leave together otherwise. What isn't taken of it at once is kept.
    fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut dyn ByteStream,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        // One write is one message of that subprotocol, whatever frames it takes.
        let most = if self.mode == Mode::Base64 { CHUNK / 4 * 3 } else { CHUNK.min(self.limit) };
        let data = &data[..data.len().min(most)];
        let controls = self.out.len();
        self.put(data, false, true);
        let mut taken = false;
        loop {
            let framed = &self.out[self.at..];
            match Pin::new(&mut *inner).poll_write(cx, framed) {
                Poll::Ready(written) => {
                    self.wrote(written?)?;
                    taken |= self.at > controls || self.out.is_empty();
                    if self.out.is_empty() {
                        return Poll::Ready(Ok(data.len()));
                    }
                }
                Poll::Pending if taken => {
                    // What was sent is let go, and the room that was for it.
                    self.out = self.out.split_off(self.at);
                    self.at = 0;
                    return Poll::Ready(Ok(data.len()));
                }
                Poll::Pending => {
                    self.take_back(controls);
                    return Poll::Pending;
                }
            }
        }
    }

    // === Messages ===

    /// Ready when another part may be put.
    pub(in crate::ws) fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut dyn ByteStream,
    ) -> Poll<io::Result<()>> {
        if self.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        if self.tail.is_empty() && self.out.len() - self.at < BATCH {
            return Poll::Ready(Ok(()));
        }
        self.poll_drain(cx, inner)
    }

    /// Frames a part.
    pub(in crate::ws) fn send(&mut self, part: Part) -> io::Result<()> {
        if self.is_closed() {
            return Err(closed());
        }
        if self.at > 0 {
            // Behind a reader that never takes all of it, what it has taken would pile up.
            self.out.drain(..self.at);
            self.at = 0;
        }
        self.queue_controls();
        let Part { data, text, last } = part;
        if !self.copies && (LARGE..=self.limit).contains(&data.len()) {
            let header = self.header(text, last, data.len());
            self.out.extend_from_slice(&header);
            self.tail = data;
        } else if last || !data.is_empty() {
            self.put(&data, text, last);
        }
        Ok(())
    }

    // === Beside the data ===

    /// Whether a message of its own may begin here, and there is room for it.
    pub(in crate::ws) fn has_room_beside(&self) -> bool {
        self.owed == 0
            && self.tail.is_empty()
            && !self.encoder.is_inside_message()
            && !self.is_closed()
            && self.out.len() - self.at < BATCH
    }

    /// Frames a control message of [`Mode::Terminal`].
    pub(in crate::ws) fn beside(&mut self, text: &str) {
        let keys = &mut self.keys;
        let header = self.encoder.data(true, true, text.len() as u64, || keys.next());
        self.out.extend_from_slice(&header);
        let at = self.out.len();
        self.out.extend_from_slice(text.as_bytes());
        if let Some(key) = header.key() {
            mask(key, 0, &mut self.out[at..]);
        }
    }

    /// Ends the message that was begun, if there is one.
    pub(in crate::ws) fn end_message(&mut self) {
        if self.encoder.is_inside_message() {
            self.put(&[], false, true);
        }
    }

    // === Frames ===

    /// Adds a piece of a message to `out`: encoded, compressed, cut into frames and masked, as far as
    /// it has to be.
    fn put(&mut self, data: &[u8], text: bool, last: bool) {
        if self.mode != Mode::Base64 {
            return self.put_encoded(data, text, last);
        }
        let mut encoded = Vec::with_capacity(data.len() / 3 * 4 + 8);
        self.base64.encode(data, last, &mut encoded);
        if last || !encoded.is_empty() {
            self.put_encoded(&encoded, true, last);
        }
    }

    fn put_encoded(&mut self, data: &[u8], text: bool, last: bool) {
        let first = !self.encoder.is_inside_message();
        let compressing = self.compressing.as_mut();
        let deflated = compressing.and_then(|compressing| compressing.deflate(data, first, last));
        match deflated {
            None => self.put_frames(data, text, last, false),
            Some(deflated) if last || !deflated.is_empty() => {
                self.put_frames(&deflated, text, last, true);
            }
            Some(_) => {}
        }
    }

    fn put_frames(&mut self, mut data: &[u8], text: bool, last: bool, compressed: bool) {
        loop {
            let (frame, rest) = data.split_at(data.len().min(self.limit));
            let ends = last && rest.is_empty();
            let header = if compressed {
                let (keys, text) = (&mut self.keys, self.mode.sends_text(text));
                self.encoder.compressed(text, ends, frame.len() as u64, || keys.next())
            } else {
                self.header(text, ends, frame.len())
            };
            self.out.reserve(header.len() + frame.len());
            self.out.extend_from_slice(&header);
            let at = self.out.len();
            self.out.extend_from_slice(frame);
            if let Some(key) = header.key() {
                mask(key, 0, &mut self.out[at..]);
            }
            if rest.is_empty() {
                return;
            }
            data = rest;
        }
    }

    fn header(&mut self, text: bool, last: bool, len: usize) -> HeaderBytes {
        let (keys, text) = (&mut self.keys, self.mode.sends_text(text));
        self.encoder.data(text, last, len as u64, || keys.next())
    }
}

/// Writes a frame in one call of the system. Copying a small one costs less than a second slice does.
fn poll_frame(
    cx: &mut Context<'_>,
    inner: &mut dyn ByteStream,
    header: &[u8],
    data: &[u8],
) -> Poll<io::Result<usize>> {
    let inner = Pin::new(inner);
    let len = header.len() + data.len();
    if len > SMALL {
        return inner.poll_write_vectored(cx, &[IoSlice::new(header), IoSlice::new(data)]);
    }
    let mut frame = [0; SMALL];
    frame[..header.len()].copy_from_slice(header);
    frame[header.len()..len].copy_from_slice(data);
    inner.poll_write(cx, &frame[..len])
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

/// A keystroke, a line, a sensor's reading.
const SMALL: usize = 512;
/// What a frame that is copied has at most.
const CHUNK: usize = 16 * 1024;
/// Framed bytes that wait for a flush.
const BATCH: usize = 16 * 1024;
/// Copying less than this costs less than another slice does.
const LARGE: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use endpoint::Plain;
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
