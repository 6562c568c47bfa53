//! No framing: each read is a message.

use bytes::BytesMut;

use crate::{Decode, Decoded, Encode, Error, Framing, Message};

/// Each read is a message, and messages are written one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Chunks;

impl Framing for Chunks {
    fn decoder(&self, _: usize) -> Box<dyn Decode> {
        Box::new(Self)
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Self)
    }
}

impl Decode for Chunks {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        if buf.is_empty() {
            return Ok(Decoded::More);
        }
        Ok(Decoded::Message(self.cut(buf)))
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        Message::binary(buf.split().freeze())
    }
}

impl Encode for Chunks {
    fn streams(&self) -> bool {
        true
    }

    fn encode(&mut self, data: &[u8], _: bool, out: &mut BytesMut) -> Result<(), Error> {
        out.extend_from_slice(data);
        Ok(())
    }
}
