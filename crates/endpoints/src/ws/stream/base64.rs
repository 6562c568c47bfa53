//! The `base64` subprotocol: text messages of standard base64 (RFC 4648 section 4), each padded.
//!
//! Both ways in pieces cut anywhere, in place when decoding. Strict: another alphabet, missing or
//! misplaced padding and bits after the end are errors, and nothing that isn't decoded gets out.

use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// Decodes a message that comes in pieces.
#[derive(Debug, Default)]
pub(in crate::ws) struct Decoder {
    /// Characters of the current group of four.
    place: u8,
    /// Bits that don't fill a byte yet.
    bits: u8,
    /// `=` that have come.
    padding: u8,
}

impl Decoder {
    /// Decodes `buf[from]` to where `to` is, at or before it, and moves `to` behind it. The bytes
    /// before a mistake are there too.
    pub(in crate::ws) fn decode(
        &mut self,
        buf: &mut [u8],
        from: Range<usize>,
        to: &mut usize,
    ) -> Result<(), &'static str> {
        for at in from {
            let byte = buf[at];
            if byte == b'=' {
                self.pad()?;
                continue;
            }
            let value = VALUES[usize::from(byte)];
            if value == NONE {
                return Err("a character outside the standard alphabet");
            }
            if self.padding > 0 {
                return Err("data after the padding");
            }
            let full = match self.place {
                0 => None,
                1 => Some(self.bits << 2 | value >> 4),
                2 => Some(self.bits << 4 | value >> 2),
                _ => Some(self.bits << 6 | value),
            };
            // At most one byte for each character: writing never overtakes reading.
            if let Some(full) = full {
                buf[*to] = full;
                *to += 1;
            }
            self.bits = value;
            self.place = (self.place + 1) % 4;
        }
        Ok(())
    }

    fn pad(&mut self) -> Result<(), &'static str> {
        let rest = match self.place {
            2 if self.padding < 2 => self.bits & 0x0f,
            3 if self.padding < 1 => self.bits & 0x03,
            _ => return Err("misplaced padding"),
        };
        if rest != 0 {
            return Err("bits after the end");
        }
        self.padding += 1;
        Ok(())
    }

    /// The message ends.
    pub(in crate::ws) fn finish(&mut self) -> Result<(), &'static str> {
        let Self { place, padding, .. } = std::mem::take(self);
        match (place, padding) {
            (0, 0) | (2, 2) | (3, 1) => Ok(()),
            _ => Err("incorrect padding"),
        }
    }
}

/// Encodes a message that comes in pieces.
#[derive(Debug, Default)]
pub(in crate::ws) struct Encoder {
    carry: [u8; 2],
    carried: u8,
}

impl Encoder {
    /// Encodes the next piece into `text`: whole groups, and the rest if it is the last one.
    pub(in crate::ws) fn encode(&mut self, mut data: &[u8], last: bool, text: &mut Vec<u8>) {
        let mut group = [0; 3];
        let carried = usize::from(self.carried);
        if carried > 0 {
            group[..carried].copy_from_slice(&self.carry[..carried]);
            let taken = data.len().min(3 - carried);
            group[carried..carried + taken].copy_from_slice(&data[..taken]);
            data = &data[taken..];
            let len = carried + taken;
            if len < 3 && !last {
                return self.keep(&group[..len]);
            }
            put(&group[..len], text);
            self.carried = 0;
        }
        let whole = if last { data.len() } else { data.len() / 3 * 3 };
        put(&data[..whole], text);
        self.keep(&data[whole..]);
    }

    fn keep(&mut self, rest: &[u8]) {
        self.carry[..rest.len()].copy_from_slice(rest);
        self.carried = u8::try_from(rest.len()).expect("less than a group of three");
    }
}

fn put(data: &[u8], text: &mut Vec<u8>) {
    let at = text.len();
    text.resize(at + data.len().div_ceil(3) * 4, 0);
    STANDARD.encode_slice(data, &mut text[at..]).expect("there is room for every group");
}

/// Returns `true` if `text` is the base64 of `len` bytes, with any bits after them: the key in RFC 6455 section 4.1
/// ends with some.
pub(in crate::ws) fn encodes(text: &str, len: usize) -> bool {
    LENIENT.decode(text).is_ok_and(|bytes| bytes.len() == len)
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

const NONE: u8 = 0xff;

/// The value of each character.
static VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < alphabet.len() {
        values[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(pieces: &[&str]) -> Result<Vec<u8>, &'static str> {
        let mut decoder = Decoder::default();
        let mut all = Vec::new();
        for piece in pieces {
            let mut buf = piece.as_bytes().to_vec();
            let (len, mut to) = (buf.len(), 0);
            let decoded = decoder.decode(&mut buf, 0..len, &mut to);
            all.extend_from_slice(&buf[..to]);
            decoded?;
        }
        decoder.finish().map(|()| all)
    }

    #[test]
    fn vectors_of_rfc_4648_pass_whole_and_byte_by_byte() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(decode(&[text]).as_deref(), Ok(plain.as_bytes()));
            let bytes: Vec<_> = (0..text.len()).map(|at| &text[at..=at]).collect();
            assert_eq!(decode(&bytes).as_deref(), Ok(plain.as_bytes()));
            let mut encoder = Encoder::default();
            let (mut whole, mut pieces) = (Vec::new(), Vec::new());
            Encoder::default().encode(plain.as_bytes(), true, &mut whole);
            for at in 0..plain.len() {
                encoder.encode(&plain.as_bytes()[at..=at], false, &mut pieces);
            }
            encoder.encode(b"", true, &mut pieces);
            assert_eq!((&*whole, &*pieces), (text.as_bytes(), text.as_bytes()));
        }
    }

    #[test]
    fn mistakes_are_not_passed_over() {
        for (text, mistake) in [
            ("Zg=", "incorrect padding"),
            ("Zg", "incorrect padding"),
            ("Z", "incorrect padding"),
            ("Z===", "misplaced padding"),
            ("Zg===", "misplaced padding"),
            ("Zm9v=", "misplaced padding"),
            ("Zm9v\n", "a character outside the standard alphabet"),
            ("Zm-_", "a character outside the standard alphabet"),
            ("Zg==Zg==", "data after the padding"),
            ("Zh==", "bits after the end"),
            ("Zm9=", "bits after the end"),
        ] {
            assert_eq!(decode(&[text]), Err(mistake), "{text:?}");
        }
    }
}
