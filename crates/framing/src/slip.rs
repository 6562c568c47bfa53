//! SLIP (RFC 1055): END ends a packet, and ESC escapes END and ESC in the data.

use bytes::BytesMut;
use memchr::memchr;

use crate::packets::{Packet, Packets};
use crate::{Decode, Encode, Error, Framing};

/// Packets in SLIP. Packets without bytes are not messages: senders send the end twice, to clear noise.
#[derive(Clone, Copy, Debug)]
pub struct Slip;

impl Framing for Slip {
    fn decoder(&self, max: usize) -> Box<dyn Decode> {
        // Every byte may stand for half a one.
        let most = max.saturating_mul(2).saturating_add(1);
        Box::new(Packets::new(PACKETS, max, most))
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Self)
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
const PACKETS: Packet =
    Packet { end: END, decode: unescape, corrupt: "an escape that SLIP doesn't have" };
