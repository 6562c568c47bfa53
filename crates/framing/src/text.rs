//! Text chunks, never split inside a character.

use std::time::Duration;

use bytes::BytesMut;

use crate::chunks::Chunks;
use crate::{Decode, Decoded, Encode, Error, Framing, Message, Partial};

/// Each read is a text message, without an incomplete character at its end.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// Set if data that isn't text is binary, instead of being an error.
    pub falls_back: bool,
}

impl Framing for Text {
    fn decoder(&self, _: usize) -> Box<dyn Decode> {
        Box::new(*self)
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Chunks)
    }

    fn rest(&self) -> Partial {
        if self.falls_back { Partial::Send } else { Partial::Error }
    }

    /// Two segments of one write come together; a delay as short as this is not noticed in an answer. The slowest
    /// serial lines take a tenth of a second for a character.
    fn patience(&self) -> Option<(Duration, Partial)> {
        let time = if self.falls_back { 10 } else { 1000 };
        Some((Duration::from_millis(time), self.rest()))
    }
}

impl Decode for Text {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        if buf.is_empty() {
            return Ok(Decoded::More);
        }
        let right = match simdutf8::compat::from_utf8(buf) {
            Ok(_) => buf.len(),
            // The rest of a character may come.
            Err(error) if error.error_len().is_none() => match error.valid_up_to() {
                0 => return Ok(Decoded::More),
                right => right,
            },
            Err(_) if self.falls_back => return Ok(Decoded::Message(self.cut(buf))),
            Err(error) => match error.valid_up_to() {
                0 => return Err(Error::NotText),
                // The valid text before the mistake is a separate message, which came before it.
                right => right,
            },
        };
        Ok(Decoded::Message(Message { data: buf.split_to(right).freeze(), text: true }))
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        Message::binary(buf.split().freeze())
    }
}
