//! The types of frames (§5.2).

use std::fmt;

/// The type of a frame (§5.2). Reserved opcodes have no value here: they are a [`Violation`](crate::Violation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpCode {
    /// More of the message that a text or binary frame began.
    Continuation,
    /// Begins a message of UTF-8.
    Text,
    /// Begins a message of bytes.
    Binary,
    /// The last frame that its sender sends.
    Close,
    /// Wants a pong.
    Ping,
    /// Answers a ping, or shows unasked that the sender is alive.
    Pong,
}

impl OpCode {
    /// Returns `true` if it is Close, Ping or Pong: at most 125 bytes, never fragmented, allowed between the
    /// fragments of a message (§5.5).
    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    /// Returns the opcode of these bits; `None` if they are reserved.
    #[inline]
    pub(crate) fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return None,
        })
    }

    /// Returns its bits in the first byte of a header.
    pub(crate) fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }
}

impl fmt::Display for OpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        })
    }
}
