//! Framings: the boundaries of messages in a byte stream, in both directions. Bytes in, messages out; no I/O.
//!
//! 1. A [`Framing`] is the configuration. It makes a [`Decode`] and an [`Encode`] for each stream.
//! 2. [`Decode::next`] decodes one message at a time from the received data, however it was split.
//! 3. [`Encode::encode`] appends the bytes of a message.
//!
//! ```
//! use bytes::BytesMut;
//! use framing::{Decode, Decoded, Encode, Framing, Slip};
//!
//! # fn main() -> Result<(), framing::Error> {
//! let (mut decoder, mut encoder) = (Slip.decoder(1024), Slip.encoder());
//! let mut stream = BytesMut::new();
//! encoder.encode(b"ping", true, &mut stream)?;
//! // The rest of the next message is still on its way.
//! stream.extend_from_slice(b"po");
//! let Decoded::Message(message) = decoder.next(&mut stream)? else { panic!("it is whole") };
//! assert_eq!(&message.data[..], b"ping");
//! assert_eq!(decoder.next(&mut stream)?, Decoded::More);
//! # Ok(())
//! # }
//! ```
//!
//! Nothing is kept of a message beyond the decoder's limit, and a length from the peer is compared
//! with that limit before it is used. tokio-util's codecs run over tokio's streams; they refuse lines that aren't
//! UTF-8, don't know a CR alone as a line end, and have neither a time limit nor a rule for the rest of a stream.

#![forbid(unsafe_code)]

mod chunks;
mod cobs;
mod delimited;
mod fixed;
mod json;
mod length;
mod mqtt;
mod packets;
mod slip;
mod text;
mod whole;

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use thiserror::Error;

pub use self::chunks::Chunks;
pub use self::cobs::Cobs;
pub use self::delimited::{Delimited, Delimiter};
pub use self::fixed::Fixed;
pub use self::json::Json;
pub use self::length::{Endian, Length, Width};
pub use self::mqtt::Mqtt;
pub use self::slip::Slip;
pub use self::text::Text;
pub use self::whole::Whole;

/// A framing: how messages are delimited in a byte stream.
pub trait Framing: fmt::Debug + Send + Sync {
    /// Makes the decoder of one stream, for messages of at most `max` bytes.
    fn decoder(&self, max: usize) -> Box<dyn Decode>;

    /// Makes the encoder of one stream.
    fn encoder(&self) -> Box<dyn Encode>;

    /// Returns how to treat the rest of a stream that ends inside a message.
    fn rest(&self) -> Partial {
        Partial::Error
    }

    /// Returns the time limit for the rest of a message, if the framing has one by default.
    fn patience(&self) -> Option<(Duration, Partial)> {
        None
    }
}

/// Decodes messages from a stream.
pub trait Decode: Send {
    /// Takes the next message off the front of `buf`, to which the caller only ever appends.
    ///
    /// # Errors
    /// The received data can't begin a message, or the message is longer than the limit. The stream can't be decoded any
    /// further.
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error>;

    /// Returns `true` if a message has begun that isn't complete. Called after [`Decode::next`] has wanted more.
    fn is_inside(&self, buf: &BytesMut) -> bool {
        !buf.is_empty()
    }

    /// Returns the rest at the end of the stream, if it is a whole message: a number in JSON ends with the stream.
    ///
    /// # Errors
    /// As [`Decode::next`].
    fn finish(&mut self, buf: &mut BytesMut) -> Result<Option<Message>, Error> {
        let _ = buf;
        Ok(None)
    }

    /// Takes what there is of a message that isn't complete, as it came, and begins anew.
    fn cut(&mut self, buf: &mut BytesMut) -> Message;
}

/// Encodes messages for a stream.
pub trait Encode: Send {
    /// Returns `true` if the parts of a message are encoded as they come. Otherwise they are joined
    /// before.
    fn streams(&self) -> bool {
        false
    }

    /// Appends the bytes of a message, or of a part of it if it [streams](Self::streams).
    ///
    /// # Errors
    /// The message can't stand in such a stream. Nothing was appended.
    fn encode(&mut self, data: &[u8], last: bool, out: &mut BytesMut) -> Result<(), Error>;
}

/// The result of decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A message.
    Message(Message),
    /// A message that can't be right, and was left out; why. The next one begins behind it.
    Corrupt(&'static str),
    /// Nothing more before more has come.
    More,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its bytes.
    pub data: Bytes,
    /// Set if it is text, and so UTF-8.
    pub text: bool,
}

impl Message {
    /// Creates a binary message.
    #[must_use]
    pub fn binary(data: Bytes) -> Self {
        Self { data, text: false }
    }

    /// Creates a message, which is text if it is UTF-8.
    #[must_use]
    pub fn of(data: Bytes) -> Self {
        let text = simdutf8::basic::from_utf8(&data).is_ok();
        Self { data, text }
    }
}

/// How to treat an incomplete message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partial {
    /// Pass on what there is.
    Send,
    /// Forget it.
    Drop,
    /// Fail.
    Error,
}

/// The reason why a stream can't be decoded, or a message can't be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// It is longer than the limit of the decoder.
    #[error("a message is longer than {max} bytes")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// It is longer than the length field can express.
    #[error("a message of {len} bytes is too long for a length field of {width} bytes")]
    TooLongForWidth {
        /// The message's length.
        len: usize,
        /// The bytes that its length has.
        width: usize,
    },
    /// A length that isn't one.
    #[error("a message has a negative length")]
    NegativeLength,
    /// It isn't a multiple of the length that all have.
    #[error("the length of a message, {len} bytes, is not a multiple of {size}")]
    NotMultiple {
        /// The message's length.
        len: usize,
        /// The size of every message.
        size: usize,
    },
    /// It isn't UTF-8.
    #[error("the data is not text (UTF-8)")]
    NotText,
    /// It isn't JSON.
    #[error("the data is not JSON: {0}")]
    NotJson(&'static str),
    /// An MQTT packet whose length has more than four bytes.
    #[error("the data is not MQTT: the length of a packet has more than 4 bytes")]
    NotMqtt,
}

impl Error {
    /// Returns `true` if a message exceeds the limit.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::TooLongForWidth { .. })
    }
}
