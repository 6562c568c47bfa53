//! SLIP (RFC 1055): END ends a packet, and ESC escapes END and ESC in the data.

use bytes::{Buf, BytesMut};
use memchr::memchr;

use crate::{Decode, Decoded, Encode, Error, Framing, Message};

/// SLIP. Packets without bytes are not messages: senders send the end twice, to clear noise.
#[derive(Clone, Copy, Debug)]
pub struct Slip;

impl Framing for Slip {
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
            let Some(at) = memchr(END, &buf[self.seen..]) else {
                self.seen = buf.len();
                // Every byte may stand for half a one.
                return if buf.len() / 2 > self.max { Err(too_long) } else { Ok(Decoded::More) };
            };
            let packet = buf.split_to(self.seen + at);
            if packet.len() / 2 > self.max {
                return Err(too_long);
            }
            buf.advance(1);
            self.seen = 0;
            if packet.is_empty() {
                continue;
            }
            let Some(data) = unescape(&packet) else {
                return Ok(Decoded::Corrupt("an escape that SLIP doesn't have"));
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

fn unescape(packet: &[u8]) -> Option<BytesMut> {
    let mut data = BytesMut::with_capacity(packet.len());
    let mut rest = packet;
    while let Some(at) = memchr(ESC, rest) {
        data.extend_from_slice(&rest[..at]);
        data.extend_from_slice(match *rest.get(at + 1)? {
            ESC_END => &[END],
            ESC_ESC => &[ESC],
            _ => return None,
        });
        rest = &rest[at + 2..];
    }
    data.extend_from_slice(rest);
    Some(data)
}

impl Encode for Slip {
    fn encode(&mut self, data: &[u8], _: bool, out: &mut BytesMut) -> Result<(), Error> {
        out.reserve(data.len() + 2);
        out.extend_from_slice(&[END]);
        for &byte in data {
            match byte {
                END => out.extend_from_slice(&[ESC, ESC_END]),
                ESC => out.extend_from_slice(&[ESC, ESC_ESC]),
                _ => out.extend_from_slice(&[byte]),
            }
        }
        out.extend_from_slice(&[END]);
        Ok(())
    }
}

const END: u8 = 0xC0;
const ESC: u8 = 0xDB;
const ESC_END: u8 = 0xDC;
const ESC_ESC: u8 = 0xDD;
