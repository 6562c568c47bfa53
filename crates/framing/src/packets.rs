//! Packets that end with a byte which their encoding keeps out of them: SLIP's and COBS's.

use bytes::{Buf, BytesMut};
use memchr::memchr;

use crate::{Decode, Decoded, Error, Message};

/// An encoding of packets.
#[derive(Clone, Copy)]
pub(crate) struct Packet {
    /// The byte that ends a packet.
    pub(crate) end: u8,
    /// Decodes a packet; `None` if nothing is encoded like that.
    pub(crate) decode: fn(&[u8]) -> Option<BytesMut>,
    /// The error message for a packet that can't be decoded.
    pub(crate) corrupt: &'static str,
}

/// Finds packets. One without bytes is not a message: senders send the end twice, to clear noise.
pub(crate) struct Packets {
    packet: Packet,
    max: usize,
    /// The longest that a message of `max` bytes may be when it is encoded.
    most: usize,
    /// So many bytes were looked through.
    seen: usize,
}

impl Packets {
    pub(crate) fn new(packet: Packet, max: usize, most: usize) -> Self {
        Self { packet, max, most, seen: 0 }
    }
}

impl Decode for Packets {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        let too_long = || Error::TooLong { max: self.max };
        loop {
            let Some(at) = memchr(self.packet.end, &buf[self.seen..]) else {
                self.seen = buf.len();
                return if buf.len() > self.most { Err(too_long()) } else { Ok(Decoded::More) };
            };
            let packet = buf.split_to(self.seen + at);
            if packet.len() > self.most {
                return Err(too_long());
            }
            buf.advance(1);
            self.seen = 0;
            if packet.is_empty() {
                continue;
            }
            let Some(data) = (self.packet.decode)(&packet) else {
                return Ok(Decoded::Corrupt(self.packet.corrupt));
            };
            if data.len() > self.max {
                return Err(too_long());
            }
            return Ok(Decoded::Message(Message::binary(data.freeze())));
        }
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        self.seen = 0;
        Message::binary(buf.split().freeze())
    }
}
