//! One frame of RFC 6455, §5.2.

use std::io::{self, ErrorKind, Read};

/// The type of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Opcode {
    /// More of the message before.
    Continuation,
    /// Text.
    Text,
    /// Bytes.
    Binary,
    /// The end.
    Close,
    /// A question.
    Ping,
    /// Its answer.
    Pong,
    /// One that means nothing, for tests of what then happens.
    Reserved(u8),
}

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
            Self::Reserved(bits) => bits & 0x0f,
        }
    }

    const fn of(bits: u8) -> Self {
        match bits & 0x0f {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            other => Self::Reserved(other),
        }
    }
}

/// A frame, unmasked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// FIN.
    pub last: bool,
    /// RSV1 to RSV3, in the places that they have in the first byte (0x40, 0x20, 0x10).
    pub reserved: u8,
    /// The type.
    pub opcode: Opcode,
    /// The data.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A whole message, or the last part of one.
    #[must_use]
    pub fn new(opcode: Opcode, payload: &[u8]) -> Self {
        Self { last: true, reserved: 0, opcode, payload: payload.to_vec() }
    }

    /// A Close with a code.
    #[must_use]
    pub fn close(code: u16, reason: &str) -> Self {
        Self::new(Opcode::Close, &[&code.to_be_bytes(), reason.as_bytes()].concat())
    }

    /// The code and the reason of a Close.
    #[must_use]
    pub fn close_reason(&self) -> (Option<u16>, String) {
        match self.payload.as_slice() {
            [high, low, reason @ ..] => (
                Some(u16::from_be_bytes([*high, *low])),
                String::from_utf8_lossy(reason).into_owned(),
            ),
            _ => (None, String::new()),
        }
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn encode(&self, mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.last) << 7 | self.reserved | self.opcode.bits()];
        let masked = u8::from(mask.is_some()) << 7;
        let length = self.payload.len();
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short @ ..126), _) => bytes.push(masked | short),
            (_, Ok(medium)) => {
                bytes.push(masked | 126);
                bytes.extend(medium.to_be_bytes());
            }
            _ => {
                bytes.push(masked | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        let Some(mask) = mask else {
            bytes.extend(&self.payload);
            return bytes;
        };
        bytes.extend(mask);
        bytes.extend(self.payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// Reads one frame and whether it was masked; `None` at an end between frames.
    ///
    /// # Errors
    /// Those of the reader; an end inside a frame is one.
    pub fn read(mut from: impl Read) -> io::Result<Option<(Self, bool)>> {
        let mut head = [0; 2];
        loop {
            match from.read(&mut head[..1]) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        from.read_exact(&mut head[1..])?;
        let length = match head[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes(array(&mut from)?)),
            127 => u64::from_be_bytes(array(&mut from)?),
            short => u64::from(short),
        };
        let masked = head[1] & 0x80 != 0;
        let mask = if masked { array(&mut from)? } else { [0; 4] };
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut payload = vec![0; length];
        from.read_exact(&mut payload)?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        let frame = Self {
            last: head[0] & 0x80 != 0,
            reserved: head[0] & 0x70,
            opcode: Opcode::of(head[0]),
            payload,
        };
        Ok(Some((frame, masked)))
    }
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6455, §5.7.
    #[test]
    fn the_examples_of_the_rfc() {
        let hello = Frame::new(Opcode::Text, b"Hello");
        assert_eq!(hello.encode(None), *b"\x81\x05Hello");
        let masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        assert_eq!(hello.encode(Some([0x37, 0xfa, 0x21, 0x3d])), *masked);
        assert_eq!(Frame::read(&masked[..]).unwrap(), Some((hello, true)));
        let long = Frame::new(Opcode::Binary, &[0; 65536]);
        assert_eq!(long.encode(None)[..10], *b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00");
    }

    #[test]
    fn an_end_inside_a_frame_is_an_error() {
        assert_eq!(Frame::read(&b""[..]).unwrap(), None);
        assert!(Frame::read(&b"\x81\x05Hell"[..]).is_err());
    }
}
