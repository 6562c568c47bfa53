//! Errors in a header.

use std::fmt;

/// The reason why bytes aren't a valid header, or a header can't be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The first bytes belong to no version.
    NoHeader,
    /// The line of version 1 has no end within 107 bytes.
    LineTooLong,
    /// The line of version 1 isn't as it must be.
    BadLine,
    /// Version 2, with a version or command that doesn't exist.
    BadCommand,
    /// Version 2, with a family or transport that doesn't exist.
    BadFamily,
    /// Version 2, shorter than its addresses.
    TooShort,
    /// Version 2, with a TLV that reaches over the end.
    BadTlv,
    /// Version 2, with a checksum that is not its own.
    BadChecksum,
    /// More than 65,535 bytes to write.
    TooLong,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHeader => "the stream doesn't begin with a PROXY header",
            Self::LineTooLong => "the line of a PROXY header has more than 107 bytes",
            Self::BadLine => "the line of a PROXY header is malformed",
            Self::BadCommand => "a PROXY header has an unknown version or command",
            Self::BadFamily => "a PROXY header has an unknown family of addresses",
            Self::TooShort => "a PROXY header is shorter than its addresses",
            Self::BadTlv => "a PROXY header has a TLV that extends beyond its end",
            Self::BadChecksum => "the checksum of a PROXY header is wrong",
            Self::TooLong => "a PROXY header would be longer than 65535 bytes",
        })
    }
}

impl std::error::Error for Error {}
