//! Errors in a message.

use std::fmt;

/// The reason why bytes aren't a valid message, or a message can't be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The first byte is of no version that there is here.
    BadVersion(u8),
    /// The version of a message isn't that of those before it.
    OtherVersion(u8),
    /// A kind of address that doesn't exist.
    BadAddress(u8),
    /// A name that is empty, or isn't text.
    BadName,
    /// A name or password of more than 255 bytes, or with a zero in it where that ends it.
    TooLong,
    /// A text of version 4 that has no end.
    Endless,
    /// Version 4 has no IPv6 addresses.
    NoV6,
    /// A datagram ends within its header.
    Short,
    /// A datagram is this fragment of a larger one.
    Fragment(u8),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadVersion(byte) => {
                write!(f, "received data that is not SOCKS: it begins with {byte:#04x}")
            }
            Self::OtherVersion(byte) => write!(f, "a SOCKS message has the unknown version {byte}"),
            Self::BadAddress(byte) => {
                write!(f, "a SOCKS message has the unknown address type {byte:#04x}")
            }
            Self::BadName => f.write_str("a name in a SOCKS message is empty or isn't text"),
            Self::TooLong => f.write_str("a name or password is too long for SOCKS"),
            Self::Endless => f.write_str("a text in a SOCKS 4 message has no end"),
            Self::NoV6 => f.write_str("SOCKS 4 has no IPv6 addresses"),
            Self::Short => f.write_str("a SOCKS datagram ends within its header"),
            Self::Fragment(number) => {
                write!(
                    f,
                    "a SOCKS datagram is a fragment (FRAG {number:#04x}), and fragments are not joined"
                )
            }
        }
    }
}

impl std::error::Error for Error {}
