//! Messages that all have the same length.

use std::num::NonZeroUsize;

use bytes::BytesMut;

use crate::{Decode, Decoded, Encode, Error, Framing, Message};

/// Messages of a fixed length.
#[derive(Clone, Copy, Debug)]
pub struct Fixed(pub NonZeroUsize);

impl Framing for Fixed {
    fn decoder(&self, _: usize) -> Box<dyn Decode> {
        Box::new(*self)
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(*self)
    }
}

impl Decode for Fixed {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        if buf.len() < self.0.get() {
            return Ok(Decoded::More);
        }
        let data = buf.split_to(self.0.get()).freeze();
        Ok(Decoded::Message(Message::binary(data)))
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        Message::binary(buf.split().freeze())
    }
}

impl Encode for Fixed {
    fn encode(&mut self, data: &[u8], _: bool, out: &mut BytesMut) -> Result<(), Error> {
        let (len, size) = (data.len(), self.0.get());
        if !len.is_multiple_of(size) {
            return Err(Error::NotMultiple { len, size });
        }
        out.extend_from_slice(data);
        Ok(())
    }
}
