//! Messages that are preceded by their length.
//!
//! ```text
//! | offset bytes | length: width bytes | length + constant bytes |
//! ```

use bytes::{Buf, BytesMut};

use crate::{Decode, Decoded, Encode, Error, Framing, Message};

/// Messages that are preceded by their length.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// Bytes in front of the length.
    pub offset: usize,
    /// The size of the length field, in bytes.
    pub width: Width,
    /// Their order.
    pub endian: Endian,
    /// A number added to the length: the bytes that follow it are that many more than its value. Negative if the
    /// length includes the header.
    pub constant: i64,
    /// Set if the header stays part of the message, received and sent.
    pub keep: bool,
}

/// The byte order of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// The highest one first.
    Big,
    /// The lowest one first.
    Little,
}

/// The size of a length field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// One.
    W1,
    /// Two.
    W2,
    /// Four.
    W4,
    /// Eight.
    W8,
}

impl Width {
    /// Returns the number of bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::W1 => 1,
            Self::W2 => 2,
            Self::W4 => 4,
            Self::W8 => 8,
        }
    }
}

impl Length {
    fn header(&self) -> usize {
        self.offset + self.width.bytes()
    }

    /// The number that the length in a header is.
    fn read(&self, header: &[u8]) -> u64 {
        let field = &header[self.offset..self.header()];
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self.endian {
            Endian::Big => field.iter().fold(0, add),
            Endian::Little => field.iter().rev().fold(0, add),
        }
    }
}

impl Framing for Length {
    fn decoder(&self, max: usize) -> Box<dyn Decode> {
        Box::new(Decoder { length: *self, max })
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Encoder(*self))
    }
}

struct Decoder {
    length: Length,
    max: usize,
}

impl Decode for Decoder {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        let header = self.length.header();
        if buf.len() < header {
            return Ok(Decoded::More);
        }
        // Nothing of eight bytes and less overflows here.
        let len = i128::from(self.length.read(buf)) + i128::from(self.length.constant);
        if len < 0 {
            return Err(Error::NegativeLength);
        }
        let len = usize::try_from(len).ok().filter(|len| *len <= self.max);
        let len = len.ok_or(Error::TooLong { max: self.max })?;
        if buf.len() - header < len {
            return Ok(Decoded::More);
        }
        let mut data = buf.split_to(header + len);
        if !self.length.keep {
            data.advance(header);
        }
        Ok(Decoded::Message(Message::binary(data.freeze())))
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        Message::binary(buf.split().freeze())
    }
}

struct Encoder(Length);

impl Encode for Encoder {
    fn streams(&self) -> bool {
        self.0.keep
    }

    fn encode(&mut self, data: &[u8], _: bool, out: &mut BytesMut) -> Result<(), Error> {
        let Length { offset, width, endian, constant, keep } = self.0;
        if !keep {
            let said = i128::try_from(data.len()).unwrap_or(i128::MAX) - i128::from(constant);
            if said < 0 {
                return Err(Error::NegativeLength);
            }
            let width = width.bytes();
            let fits = |said: &u64| width == 8 || said >> (8 * width) == 0;
            let said = u64::try_from(said).ok().filter(fits);
            let said = said.ok_or(Error::TooLongForWidth { len: data.len(), width })?;
            out.resize(out.len() + offset, 0);
            match endian {
                Endian::Big => out.extend_from_slice(&said.to_be_bytes()[8 - width..]),
                Endian::Little => out.extend_from_slice(&said.to_le_bytes()[..width]),
            }
        }
        out.extend_from_slice(data);
        Ok(())
    }
}
