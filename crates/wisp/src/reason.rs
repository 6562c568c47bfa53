//! Why a stream is closed.

use std::fmt;

/// The reason of a CLOSE packet. All numbers are valid; those in the protocol have a name here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason(
    /// Its number.
    pub u8,
);

impl Reason {
    /// The reason is unknown.
    pub const UNKNOWN: Self = Self(0x01);
    /// Voluntary closure.
    pub const VOLUNTARY: Self = Self(0x02);
    /// The network failed.
    pub const NETWORK: Self = Self(0x03);
    /// The request is invalid.
    pub const INVALID: Self = Self(0x41);
    /// The host can't be reached, or its name is unknown.
    pub const UNREACHABLE: Self = Self(0x42);
    /// The destination didn't answer in time.
    pub const TIMEOUT: Self = Self(0x43);
    /// The destination refused.
    pub const REFUSED: Self = Self(0x44);
    /// The stream was idle for too long.
    pub const IDLE: Self = Self(0x47);
    /// The server doesn't allow this destination.
    pub const BLOCKED: Self = Self(0x48);
    /// A limit of the server is reached.
    pub const THROTTLED: Self = Self(0x49);
    /// The client failed.
    pub const CLIENT: Self = Self(0x81);
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::UNKNOWN => "closed for no known reason",
            Self::VOLUNTARY => "closed",
            Self::NETWORK => "the network failed",
            Self::INVALID => "the destination means nothing",
            Self::UNREACHABLE => "the host can't be reached",
            Self::TIMEOUT => "the destination did not answer in time",
            Self::REFUSED => "the destination refused the connection",
            Self::IDLE => "nothing moved for too long",
            Self::BLOCKED => "this destination is not allowed",
            Self::THROTTLED => "a limit of the server is reached",
            Self::CLIENT => "the client failed",
            Self(number) => return write!(f, "closed for the reason {number:#04x}"),
        })
    }
}
