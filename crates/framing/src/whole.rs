//! The whole stream as one message.

use bytes::BytesMut;

use crate::{Chunks, Decode, Decoded, Encode, Error, Framing, Message, Partial};

/// Everything until the end of the stream is one message; messages are written one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Whole;

impl Framing for Whole {
    fn decoder(&self, max: usize) -> Box<dyn Decode> {
        Box::new(Collected { max })
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Chunks.encoder()
    }

    fn rest(&self) -> Partial {
        Partial::Send
    }
}

struct Collected {
    max: usize,
}

impl Decode for Collected {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        if buf.len() > self.max {
            return Err(Error::TooLong { max: self.max });
        }
        Ok(Decoded::More)
    }

    fn finish(&mut self, buf: &mut BytesMut) -> Result<Option<Message>, Error> {
        // A stream without a byte is no message.
        Ok((!buf.is_empty()).then(|| Message::of(buf.split().freeze())))
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        Message::of(buf.split().freeze())
    }
}
