//! MQTT control packets (MQTT 5.0 section 2.1.1, the same in 3.1 and 3.1.1): a byte, a length of up to four bytes, and
//! that many bytes more.

use bytes::BytesMut;

use crate::chunks::Chunks;
use crate::{Decode, Decoded, Encode, Error, Framing, Message};

/// Each packet is a message, header included. Messages to send have to contain their header.
#[derive(Clone, Copy, Debug)]
pub struct Mqtt;

impl Framing for Mqtt {
    fn decoder(&self, max: usize) -> Box<dyn Decode> {
        Box::new(Decoder { max })
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Chunks)
    }
}

struct Decoder {
    max: usize,
}

impl Decode for Decoder {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        let mut len = 0;
        for (index, byte) in buf.iter().skip(1).enumerate() {
            if index == MOST {
                return Err(Error::NotMqtt);
            }
            len |= usize::from(byte & 0x7F) << (7 * index);
            if byte & 0x80 != 0 {
                continue;
            }
            let whole = 2 + index + len;
            if whole > self.max {
                return Err(Error::TooLong { max: self.max });
            }
            if buf.len() < whole {
                return Ok(Decoded::More);
            }
            return Ok(Decoded::Message(Message::binary(buf.split_to(whole).freeze())));
        }
        Ok(Decoded::More)
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        Message::binary(buf.split().freeze())
    }
}

/// Bytes of a length.
const MOST: usize = 4;
