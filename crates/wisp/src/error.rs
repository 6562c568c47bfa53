//! Errors in packets.

use std::fmt;

/// The reason why bytes aren't a valid packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// It has fewer bytes than a packet has.
    Short,
    /// A packet of this kind isn't that long.
    Long(u8),
    /// There is no such kind.
    BadKind(u8),
    /// The payload of this kind isn't what it has to be.
    BadPayload(u8),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("a packet of Wisp has 5 bytes at least"),
            Self::Long(kind) => write!(f, "a packet of Wisp of the kind {kind} is too long"),
            Self::BadKind(kind) => write!(f, "Wisp has no packets of the kind {kind}"),
            Self::BadPayload(kind) => {
                write!(f, "a packet of Wisp of the kind {kind} has a payload that means nothing")
            }
        }
    }
}

impl std::error::Error for Error {}
