//! A stream of bytes as frames: each write is the payload of one.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endpoint::ByteStream;

use super::{Sending, closed};
use crate::ws::negotiate::Mode;

impl Sending {
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

    /// Sends a frame by way of a copy, because it has to be masked or encoded, or because header and payload wouldn't
    /// be sent together otherwise. The rest that isn't written at once is kept.
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
                    // Frees the bytes that were sent, and their room.
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

/// A keystroke, a line, a sensor's reading.
const SMALL: usize = 512;
/// The maximum size of a frame that is copied.
pub(super) const CHUNK: usize = 16 * 1024;
