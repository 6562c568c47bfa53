//! One datagram of a message that comes in parts.

use std::io;

use bytes::{Bytes, BytesMut};
use endpoint::{End, Part, Reason};

use super::losses::Losses;

/// The parts of a message that is not complete.
#[derive(Debug)]
pub(crate) struct Joined {
    parts: BytesMut,
    most: usize,
}

impl Joined {
    /// Joins messages of at most `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { parts: BytesMut::new(), most }
    }

    /// Adds a part. Returns the message if it is complete; one that came in a single part isn't copied.
    ///
    /// # Errors
    /// It is longer than a message may be.
    pub(crate) fn add(&mut self, part: Part) -> Result<Option<Bytes>, Failed> {
        let len = self.parts.len() + part.data.len();
        if len > self.most {
            self.parts = BytesMut::new();
            return Err(Failed::refused(too_long(len, part.last, self.most)));
        }
        if part.last && self.parts.is_empty() {
            return Ok(Some(part.data));
        }
        self.parts.extend_from_slice(&part.data);
        Ok(part.last.then(|| std::mem::take(&mut self.parts).freeze()))
    }
}

/// Says that a message is too long.
fn too_long(len: usize, is_whole: bool, most: usize) -> End {
    let more = if is_whole { "" } else { " or more" };
    let words = format!("refused a message of {len} bytes{more}: the limit is {most}");
    End::because(Reason::TooBig, words)
}

/// The reason why a datagram was not sent, and nothing more will be.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The error of writing.
    pub(crate) error: io::Error,
    /// The end for the other side, if the other side caused it.
    pub(crate) end: Option<End>,
}

impl Failed {
    /// Returns the error of a refused message.
    pub(crate) fn refused(end: End) -> Self {
        Self { error: refused(&end), end: Some(end) }
    }

    /// Converts the system's error about `count` datagrams, or about one of `len` bytes. An error that may be temporary,
    /// such as a missing route, costs those datagrams only.
    pub(crate) fn of(
        error: io::Error,
        len: usize,
        count: usize,
        losses: &mut Losses,
    ) -> Result<(), Self> {
        use io::ErrorKind as K;
        if error.raw_os_error() == Some(rustix::io::Errno::MSGSIZE.raw_os_error()) {
            let words = format!(
                "refused a message of {len} bytes: the path carries no datagram of this size"
            );
            return Err(Self::refused(End::because(Reason::TooBig, words)));
        }
        match error.kind() {
            K::ConnectionRefused
            | K::ConnectionReset
            | K::NotFound
            | K::NotConnected
            | K::BrokenPipe => Err(Self { error, end: None }),
            _ => {
                losses.unsent(&error, count);
                Ok(())
            }
        }
    }
}

/// The error of writing that goes with an end.
fn refused(end: &End) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, end.reason.clone().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(data: &'static [u8], last: bool) -> Part {
        Part { data: data.into(), text: false, last }
    }

    #[test]
    fn parts_become_one_message() {
        let mut joined = Joined::new(6);
        assert_eq!(joined.add(part(b"ab", false)).unwrap(), None);
        assert_eq!(joined.add(part(b"", false)).unwrap(), None);
        assert_eq!(joined.add(part(b"cd", true)).unwrap().unwrap(), "abcd");
        assert_eq!(joined.add(part(b"", true)).unwrap().unwrap(), "");
        assert_eq!(joined.add(part(b"abcdef", true)).unwrap().unwrap(), "abcdef");
    }

    #[test]
    fn nothing_is_truncated() {
        let mut joined = Joined::new(3);
        assert_eq!(joined.add(part(b"ab", false)).unwrap(), None);
        let end = joined.add(part(b"cd", false)).unwrap_err().end.unwrap();
        assert_eq!(end.why, Reason::TooBig);
        assert_eq!(end.reason, "refused a message of 4 bytes or more: the limit is 3");
    }
}
