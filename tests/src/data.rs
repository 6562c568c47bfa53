//! Bytes from a seed, and a running checksum.
//!
//! Every byte of a [`Pattern`] follows from the seed and its position alone. So a receiver needs neither the
//! sender nor its pace to tell which byte is the first wrong one: lost, doubled and swapped all look different.

use std::io::{self, Read, Write};

/// An endless sequence of bytes, and a place in it.
#[derive(Clone, Debug)]
pub struct Pattern {
    seed: u64,
    position: u64,
}

impl Pattern {
    /// The sequence of `seed`, from its start.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, position: 0 }
    }

    /// Returns the number of bytes that have been made or checked.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next bytes.
    pub fn fill(&mut self, mut into: &mut [u8]) {
        while !into.is_empty() {
            let (word, skip) = (self.word(), self.skip());
            let count = into.len().min(8 - skip);
            into[..count].copy_from_slice(&word[skip..skip + count]);
            into = &mut into[count..];
            self.position += count as u64;
        }
    }

    /// The next `count` bytes.
    #[must_use]
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.fill(&mut bytes);
        bytes
    }

    /// Compares the next bytes.
    ///
    /// # Errors
    /// The position of the first byte that differs.
    pub fn check(&mut self, mut got: &[u8]) -> Result<(), u64> {
        while !got.is_empty() {
            let (word, skip) = (self.word(), self.skip());
            let count = got.len().min(8 - skip);
            let wanted = &word[skip..skip + count];
            if got[..count] != *wanted {
                let same = got.iter().zip(wanted).take_while(|(a, b)| a == b).count();
                return Err(self.position + same as u64);
            }
            got = &got[count..];
            self.position += count as u64;
        }
        Ok(())
    }

    /// Writes `count` bytes.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&mut self, mut to: impl Write, count: u64) -> io::Result<()> {
        let end = self.position + count;
        let mut chunk = vec![0; 64 * 1024];
        while self.position < end {
            let size = (end - self.position).min(chunk.len() as u64);
            let chunk = &mut chunk[..usize::try_from(size).expect("no more than the chunk")];
            self.fill(chunk);
            to.write_all(chunk)?;
        }
        Ok(())
    }

    /// Reads until `count` bytes or the end have arrived, checks them, and returns their number.
    ///
    /// # Errors
    /// Those of the reader, and `InvalidData` with the position of the first wrong byte.
    pub fn read_from(&mut self, mut from: impl Read, count: u64) -> io::Result<u64> {
        let start = self.position;
        let mut chunk = vec![0; 64 * 1024];
        while self.position - start < count {
            let left = (count - (self.position - start)).min(chunk.len() as u64);
            let left = usize::try_from(left).expect("no more than the chunk");
            let got = match from.read(&mut chunk[..left]) {
                Ok(0) => break,
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let checked = self.check(&chunk[..got]);
            checked.map_err(|at| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("byte {at} differs (seed {})", self.seed),
                )
            })?;
        }
        Ok(self.position - start)
    }

    fn skip(&self) -> usize {
        usize::try_from(self.position % 8).expect("less than 8")
    }

    /// `SplitMix64` of the word's number: no state, so any position can be computed at once.
    fn word(&self) -> [u8; 8] {
        let number = self.position / 8;
        let mut word =
            (self.seed ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number | 1));
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)).to_le_bytes()
    }
}

/// A checksum that may be fed in pieces of any size: for data that came from elsewhere than a [`Pattern`].
///
/// Multiply and rotate, eight bytes at a time; it detects accidents, not attacks.
#[derive(Clone, Debug, Default)]
pub struct Checksum {
    state: u64,
    pending: [u8; 8],
    length: u64,
}

impl Checksum {
    /// Of a whole.
    #[must_use]
    pub fn of(bytes: &[u8]) -> u64 {
        let mut checksum = Self::default();
        checksum.add(bytes);
        checksum.value()
    }

    /// Goes on with `bytes`.
    pub fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let held = usize::try_from(self.length % 8).expect("less than 8");
            let count = bytes.len().min(8 - held);
            self.pending[held..held + count].copy_from_slice(&bytes[..count]);
            self.length += count as u64;
            bytes = &bytes[count..];
            if held + count == 8 {
                self.state = mix(self.state, u64::from_le_bytes(self.pending));
                self.pending = [0; 8];
            }
        }
    }

    /// Of everything so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        mix(mix(self.state, u64::from_le_bytes(self.pending)), self.length)
    }

    /// Returns the number of bytes so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }
}

fn mix(state: u64, word: u64) -> u64 {
    (state.rotate_left(23) ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_same_bytes_and_the_same_checksum_as_the_whole() {
        let whole = Pattern::new(5).take(1000);
        let mut pattern = Pattern::new(5);
        let mut checksum = Checksum::default();
        for size in [1, 2, 3, 7, 8, 9, 64, 906] {
            let piece = pattern.take(size);
            checksum.add(&piece);
        }
        assert_eq!(pattern.position(), 1000);
        assert_eq!(checksum.value(), Checksum::of(&whole));
        assert_eq!(Pattern::new(5).check(&whole), Ok(()));
    }

    #[test]
    fn names_the_first_wrong_byte() {
        let mut bytes = Pattern::new(9).take(100);
        bytes[77] ^= 1;
        assert_eq!(Pattern::new(9).check(&bytes), Err(77));
        bytes.remove(13);
        assert_eq!(Pattern::new(9).check(&bytes), Err(13));
        assert_ne!(Pattern::new(1).take(32), Pattern::new(2).take(32));
    }

    #[test]
    fn a_checksum_sees_order_and_length() {
        assert_ne!(Checksum::of(b"ab"), Checksum::of(b"ba"));
        assert_ne!(Checksum::of(b""), Checksum::of(b"\0"));
        assert_ne!(Checksum::of(b"12345678abcdefgh"), Checksum::of(b"abcdefgh12345678"));
    }

    #[test]
    fn reading_says_how_much_came() {
        let bytes = Pattern::new(3).take(10);
        assert_eq!(Pattern::new(3).read_from(bytes.as_slice(), 99).unwrap(), 10);
        assert_eq!(Pattern::new(3).read_from(bytes.as_slice(), 4).unwrap(), 4);
        assert!(Pattern::new(4).read_from(bytes.as_slice(), 10).is_err());
    }
}
