//! Messages and their parts as frames: encoded, compressed and masked as far as they have to be.

use std::io;
use std::task::{Context, Poll};

use endpoint::{ByteStream, Part};
use websocket::{HeaderBytes, mask};

use super::{BATCH, Sending, closed};
use crate::ws::negotiate::Mode;

impl Sending {
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
            // If the reader never takes all of it, the taken part would pile up.
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

    // === In addition to the data ===

    /// Returns `true` if a separate message may begin here, and there is room for it.
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
    pub(super) fn put(&mut self, data: &[u8], text: bool, last: bool) {
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

    pub(super) fn header(&mut self, text: bool, last: bool, len: usize) -> HeaderBytes {
        let (keys, text) = (&mut self.keys, self.mode.sends_text(text));
        self.encoder.data(text, last, len as u64, || keys.next())
    }
}

/// Copying less than this costs less than another slice does.
const LARGE: usize = 4 * 1024;
