//! Consistent overhead byte stuffing (Cheshire and Baker, 1999): no byte of a packet is 0, and a 0 ends it.

use bytes::{Buf, BytesMut};
use memchr::memchr;

use crate::{Decode, Decoded, Encode, Error, Framing, Message};

/// COBS. A 0 alone is not a message: senders send it to clear noise. A message without bytes has one byte before it.
#[derive(Clone, Copy, Debug)]
pub struct Cobs;

impl Framing for Cobs {
    fn decoder(&self, max: usize) -> Box<dyn Decode> {
        Box::new(Decoder { max, seen: 0 })
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Self)
    }
}

struct Decoder {
    max: usize,
    /// So many bytes were looked through.
    seen: usize,
}

impl Decode for Decoder {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        loop {
            let too_long = Error::TooLong { max: self.max };
            // A byte more for 254 of them, and one.
            let most = self.max.saturating_add(self.max / MOST + 1);
            let Some(at) = memchr(0, &buf[self.seen..]) else {
                self.seen = buf.len();
                return if buf.len() > most { Err(too_long) } else { Ok(Decoded::More) };
            };
            let packet = buf.split_to(self.seen + at);
            if packet.len() > most {
                return Err(too_long);
            }
            buf.advance(1);
            self.seen = 0;
            if packet.is_empty() {
                continue;
            }
            let Some(data) = unstuff(&packet) else {
                return Ok(Decoded::Corrupt("a packet that is shorter than its COBS code"));
            };
            if data.len() > self.max {
                return Err(too_long);
            }
            return Ok(Decoded::Message(Message::binary(data.freeze())));
        }
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        self.seen = 0;
        Message::binary(buf.split().freeze())
    }
}

/// Each block begins with how far the next 0 is.
fn unstuff(packet: &[u8]) -> Option<BytesMut> {
    let mut data = BytesMut::with_capacity(packet.len());
    let mut rest = packet;
    while let Some((&code, block)) = rest.split_first() {
        let len = usize::from(code) - 1;
        let (block, more) = block.split_at_checked(len)?;
        data.extend_from_slice(block);
        rest = more;
        if len < MOST && !rest.is_empty() {
            data.extend_from_slice(&[0]);
        }
    }
    Some(data)
}

impl Encode for Cobs {
    fn encode(&mut self, data: &[u8], _: bool, out: &mut BytesMut) -> Result<(), Error> {
        out.reserve(data.len() + data.len() / MOST + 2);
        let mut rest = data;
        loop {
            let zero = memchr(0, &rest[..rest.len().min(MOST)]);
            let len = zero.unwrap_or_else(|| rest.len().min(MOST));
            let code = u8::try_from(len + 1).expect("a block has 254 bytes at most");
            out.extend_from_slice(&[code]);
            out.extend_from_slice(&rest[..len]);
            rest = &rest[len..];
            match zero {
                // The 0 is what the block's length says.
                Some(_) => rest = &rest[1..],
                None if rest.is_empty() => break,
                None => {}
            }
        }
        out.extend_from_slice(&[0]);
        Ok(())
    }
}

/// Bytes of a block at most.
const MOST: usize = 254;
