//! The header of a frame, from bytes and to bytes (§5.2).
//!
//! `FIN RSV1-3 opcode(4) | MASK length(7) | longer length(0, 16 or 64) | key(0 or 32)`

use std::fmt;
use std::ops::Deref;

use crate::{OpCode, Violation};

/// The maximum size of a header: two bytes, eight of length, four of key.
pub const MAX_HEADER: usize = 14;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Set if the message ends with this frame.
    pub fin: bool,
    /// Set if the message is compressed (RFC 7692 §6): on the frame that begins it, and on no other.
    pub rsv1: bool,
    /// The type of the frame.
    pub opcode: OpCode,
    /// Bytes of payload: less than 2⁶³.
    pub len: u64,
    /// The key that the payload is masked with, if it is.
    pub key: Option<[u8; 4]>,
}

/// The bytes of a header; derefs to a slice of 2 to 14 bytes.
#[derive(Clone, Copy)]
pub struct HeaderBytes {
    bytes: [u8; MAX_HEADER],
    len: u8,
    key: Option<[u8; 4]>,
}

// === impl FrameHeader ===

impl FrameHeader {
    /// Parses the header at the start of `bytes`, and returns it with its length; `None` while it is incomplete.
    ///
    /// Checks in the order of the bytes, so that a violation doesn't depend on how many came at once.
    ///
    /// RSV1 is taken on text and binary frames: the caller knows if it was negotiated.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        Self::parse_with::<true>(bytes)
    }

    /// The same as [`FrameHeader::parse`]; with `COMPRESSED`, RSV1 is legal.
    // Left to itself, the compiler makes a call of it now that there are two: a twelfth more instructions a frame of
    // 64 B.
    #[inline(always)]
    pub(crate) fn parse_with<const COMPRESSED: bool>(
        bytes: &[u8],
    ) -> Result<Option<(Self, usize)>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let rsv1 = COMPRESSED && begins_compressed(first);
        if first & RSV != 0 && !rsv1 {
            return Err(Violation::ReservedBits);
        }
        let opcode = first & 0x0f;
        let opcode = OpCode::from_bits(opcode).ok_or(Violation::ReservedOpcode(opcode))?;
        let fin = first & FIN != 0;
        if opcode.is_control() && !fin {
            return Err(Violation::FragmentedControl(opcode));
        }
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        let (len, at) = match second & !MASK {
            LEN_16 | LEN_64 if opcode.is_control() => return Err(Violation::LongControl(opcode)),
            LEN_16 => {
                let Some(len) = bytes[2..].first_chunk() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*len)), 4)
            }
            LEN_64 => {
                let Some(len) = bytes[2..].first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*len), 10)
            }
            len => (u64::from(len), 2),
        };
        if at > 2 {
            if len >> 63 != 0 {
                return Err(Violation::LengthTooBig);
            }
            if at != 2 + longer(len) {
                return Err(Violation::NonMinimalLength(len));
            }
        }
        if second & MASK == 0 {
            return Ok(Some((Self { fin, rsv1, opcode, len, key: None }, at)));
        }
        let Some(&key) = bytes[at..].first_chunk() else { return Ok(None) };
        Ok(Some((Self { fin, rsv1, opcode, len, key: Some(key) }, at + 4)))
    }

    /// Returns the header as bytes, with the length in as few bytes as possible.
    pub fn encode(&self) -> HeaderBytes {
        debug_assert!(self.len >> 63 == 0, "a frame's length is less than 2^63");
        let mut bytes = [0; MAX_HEADER];
        bytes[0] = self.opcode.bits();
        bytes[0] |= if self.fin { FIN } else { 0 } | if self.rsv1 { RSV1 } else { 0 };
        let mut at = 2 + longer(self.len);
        let be = self.len.to_be_bytes();
        match at {
            2 => bytes[1] = be[7],
            4 => {
                bytes[1] = LEN_16;
                bytes[2..4].copy_from_slice(&be[6..]);
            }
            _ => {
                bytes[1] = LEN_64;
                bytes[2..10].copy_from_slice(&be);
            }
        }
        if let Some(key) = self.key {
            bytes[1] |= MASK;
            bytes[at..at + 4].copy_from_slice(&key);
            at += 4;
        }
        HeaderBytes { bytes, len: at as u8, key: self.key }
    }
}

/// Returns `true` if a first byte is that of a compressed message: with RSV1 alone, and Text or
/// Binary.
fn begins_compressed(first: u8) -> bool {
    matches!(first & !FIN, 0x41 | 0x42)
}

/// Returns the number of length bytes after the first two.
fn longer(len: u64) -> usize {
    match len {
        0..=125 => 0,
        126..=0xffff => 2,
        _ => 8,
    }
}

// === impl HeaderBytes ===

impl HeaderBytes {
    /// Returns the key to mask the payload with before it is sent: see [`mask()`](crate::mask()).
    pub fn key(&self) -> Option<[u8; 4]> {
        self.key
    }
}

impl Deref for HeaderBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for HeaderBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", &**self)
    }
}

/// The first byte of a message that is one frame.
pub(crate) const WHOLE_TEXT: u8 = FIN | 0x1;
pub(crate) const WHOLE_BINARY: u8 = FIN | 0x2;

const FIN: u8 = 0x80;
const RSV: u8 = 0x70;
const RSV1: u8 = 0x40;
pub(crate) const MASK: u8 = 0x80;
const LEN_16: u8 = 126;
const LEN_64: u8 = 127;
