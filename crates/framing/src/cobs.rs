//! Consistent overhead byte stuffing (Cheshire and Baker, 1999): no byte of a packet is 0, and a 0 ends it.

use bytes::BytesMut;
use memchr::memchr;

use crate::packets::{Packet, Packets};
use crate::{Decode, Encode, Error, Framing};

/// Packets in COBS. A 0 alone is not a message: senders send it to clear noise. A message without bytes has one byte before it.
#[derive(Clone, Copy, Debug)]
pub struct Cobs;

impl Framing for Cobs {
    fn decoder(&self, max: usize) -> Box<dyn Decode> {
        // A byte more for 254 of them, and one.
        let most = max.saturating_add(max / MOST + 1);
        Box::new(Packets::new(PACKETS, max, most))
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Self)
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
                // The length of the block stands for this 0.
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
const PACKETS: Packet =
    Packet { end: 0, decode: unstuff, corrupt: "a packet that is shorter than its COBS code" };
