//! Messages that end with a delimiter: lines, separators, C strings.

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memchr2, memmem};

use crate::{Decode, Decoded, Encode, Error, Framing, Message, Partial};

/// Messages that end with a delimiter.
#[derive(Clone, Debug)]
pub struct Delimited {
    /// The delimiter that ends a message.
    pub delimiter: Delimiter,
    /// Set if the delimiter stays part of the message.
    pub keep: bool,
}

/// The delimiters that end a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delimiter {
    /// A line feed; a carriage return before it belongs to it.
    Lf,
    /// A carriage return and a line feed.
    CrLf,
    /// A carriage return.
    Cr,
    /// Any of these. Sent messages don't keep the distinction: they end with a line feed.
    AnyLine,
    /// These bytes. None at all end nothing.
    Bytes(Bytes),
}

impl Delimiter {
    /// Returns the bytes to write after a message.
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Lf | Self::AnyLine => b"\n",
            Self::CrLf => b"\r\n",
            Self::Cr => b"\r",
            Self::Bytes(bytes) => bytes,
        }
    }

    fn is_line(&self) -> bool {
        !matches!(self, Self::Bytes(_))
    }
}

impl Framing for Delimited {
    fn decoder(&self, max: usize) -> Box<dyn Decode> {
        let Self { delimiter, keep } = self.clone();
        Box::new(Decoder { delimiter, keep, max, seen: 0, after_cr: false })
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Encoder { delimiter: self.delimiter.clone(), tail: BytesMut::new() })
    }

    fn rest(&self) -> Partial {
        Partial::Drop
    }
}

struct Decoder {
    delimiter: Delimiter,
    keep: bool,
    max: usize,
    /// So many bytes were looked through.
    seen: usize,
    /// The last line ended with a carriage return, so a line feed that follows belongs to it.
    after_cr: bool,
}

impl Decoder {
    /// Returns the position and the length of the first delimiter.
    fn find(&mut self, buf: &[u8]) -> Option<(usize, usize)> {
        // One that was cut has begun before what wasn't looked through.
        let overlap = self.delimiter.bytes().len().saturating_sub(1);
        let from = self.seen.saturating_sub(overlap);
        let rest = &buf[from..];
        let found = match &self.delimiter {
            Delimiter::Lf => memchr(b'\n', rest).map(|at| {
                let at = from + at;
                if at > 0 && buf[at - 1] == b'\r' { (at - 1, 2) } else { (at, 1) }
            }),
            Delimiter::Cr => memchr(b'\r', rest).map(|at| (from + at, 1)),
            Delimiter::AnyLine => memchr2(b'\n', b'\r', rest).map(|at| {
                let at = from + at;
                let is_both = buf[at] == b'\r' && buf.get(at + 1) == Some(&b'\n');
                (at, if is_both { 2 } else { 1 })
            }),
            Delimiter::CrLf => memmem::find(rest, b"\r\n").map(|at| (from + at, 2)),
            Delimiter::Bytes(bytes) if bytes.is_empty() => None,
            Delimiter::Bytes(bytes) => memmem::find(rest, bytes).map(|at| (from + at, bytes.len())),
        };
        self.seen = buf.len();
        found
    }

    fn message(&self, data: Bytes) -> Message {
        if self.delimiter.is_line() { Message::of(data) } else { Message::binary(data) }
    }
}

impl Decode for Decoder {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        if self.after_cr && !buf.is_empty() {
            self.after_cr = false;
            if buf[0] == b'\n' {
                buf.advance(1);
                self.seen = 0;
            }
        }
        let Some((at, len)) = self.find(buf) else {
            // The beginning of a delimiter may be there.
            let most = self.max.saturating_add(self.delimiter.bytes().len());
            return if buf.len() > most {
                Err(Error::TooLong { max: self.max })
            } else {
                Ok(Decoded::More)
            };
        };
        if at > self.max {
            return Err(Error::TooLong { max: self.max });
        }
        self.seen = 0;
        self.after_cr = self.delimiter == Delimiter::AnyLine && len == 1 && buf[at] == b'\r';
        let mut data = buf.split_to(at + len);
        if !self.keep {
            data.truncate(at);
        }
        Ok(Decoded::Message(self.message(data.freeze())))
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        self.seen = 0;
        self.message(buf.split().freeze())
    }
}

struct Encoder {
    delimiter: Delimiter,
    /// The end of the message so far, as long as a delimiter is.
    tail: BytesMut,
}

impl Encode for Encoder {
    fn streams(&self) -> bool {
        true
    }

    /// A message that ends with the delimiter doesn't get a second one.
    fn encode(&mut self, data: &[u8], last: bool, out: &mut BytesMut) -> Result<(), Error> {
        out.extend_from_slice(data);
        let delimiter = self.delimiter.bytes();
        self.tail.extend_from_slice(&data[data.len().saturating_sub(delimiter.len())..]);
        let more = self.tail.len().saturating_sub(delimiter.len());
        self.tail.advance(more);
        if last {
            let ends = match self.delimiter {
                Delimiter::AnyLine => matches!(self.tail.last(), Some(b'\n' | b'\r')),
                _ => *self.tail == *delimiter,
            };
            if !ends {
                out.extend_from_slice(delimiter);
            }
            self.tail.clear();
        }
        Ok(())
    }
}
