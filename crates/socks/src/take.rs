//! Reading from bytes that may not be all there.

use crate::Error;

/// The result of reading the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// A message, and how many bytes it takes.
    Message(T, usize),
    /// At least so many more bytes are needed.
    More(usize),
}

/// Why reading stopped.
pub(crate) enum Stop {
    More(usize),
    Wrong(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Wrong(error)
    }
}

/// Bytes that are taken from the front.
pub(crate) struct Taking<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Taking<'a> {
    /// Has `read` take a message from `bytes`.
    pub(crate) fn message<T>(
        bytes: &'a [u8],
        read: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<Read<T>, Error> {
        let mut taking = Self { bytes, at: 0 };
        match read(&mut taking) {
            Ok(message) => Ok(Read::Message(message, taking.at)),
            Err(Stop::More(more)) => Ok(Read::More(more)),
            Err(Stop::Wrong(error)) => Err(error),
        }
    }

    pub(crate) fn some(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let left = &self.bytes[self.at..];
        let Some(taken) = left.get(..length) else { return Err(Stop::More(length - left.len())) };
        self.at += length;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut array = [0; N];
        array.copy_from_slice(self.some(N)?);
        Ok(array)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Stop> {
        self.array().map(|[byte]| byte)
    }

    /// Takes as many bytes as the first one specifies.
    pub(crate) fn counted(&mut self) -> Result<&'a [u8], Stop> {
        let length = self.byte()?;
        self.some(length.into())
    }

    /// Bytes up to a zero, which is taken too.
    pub(crate) fn up_to_zero(&mut self) -> Result<&'a [u8], Stop> {
        let left = &self.bytes[self.at..];
        match left.iter().position(|byte| *byte == 0) {
            Some(length) if length <= 255 => {
                self.at += length + 1;
                Ok(&left[..length])
            }
            None if left.len() <= 255 => Err(Stop::More(1)),
            _ => Err(Error::Endless.into()),
        }
    }

    /// The version, which has to be this one.
    pub(crate) fn version(&mut self, version: u8) -> Result<(), Stop> {
        match self.byte()? {
            byte if byte == version => Ok(()),
            byte => Err(Error::OtherVersion(byte).into()),
        }
    }
}
