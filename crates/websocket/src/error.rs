//! The protocol errors of a peer, and the close codes for them.

use crate::{CloseCode, OpCode};

/// A protocol error of the peer: the connection has to be failed (§7.1.7) with [`ProtocolError::close_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{violation}, in the frame at byte {frame} of the stream")]
pub struct ProtocolError {
    /// The violation.
    pub violation: Violation,
    /// The number of bytes of the stream before the frame with the violation.
    pub frame: u64,
}

impl ProtocolError {
    /// Returns the close code (§7.4.1).
    pub fn close_code(&self) -> CloseCode {
        self.violation.close_code()
    }
}

/// The violations of RFC 6455 and RFC 7692.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// §5.5.1: the body of a Close frame starts with a two-byte code or is empty.
    #[error("a close frame with one byte of payload")]
    CloseLength,
    /// §7.4: a code that isn't defined or mustn't be sent.
    #[error("close code {0}, which must not be sent")]
    CloseCode(u16),
    /// §5.5: control frames must not be fragmented.
    #[error("a fragmented {0} frame")]
    FragmentedControl(OpCode),
    /// More than [`Limits::max_frame`](crate::Limits::max_frame).
    #[error("a frame of {len} bytes, more than the limit of {max}")]
    FrameTooBig {
        /// The length in the header.
        len: u64,
        /// The limit.
        max: u64,
    },
    /// §7.1.6: the reason of a Close frame is UTF-8.
    #[error("a close reason that isn't UTF-8")]
    InvalidReason,
    /// RFC 7692 §7.2.2: more comes out of a compressed message, for what went in, than
    /// [`Bounds::max_ratio`](crate::deflate::Bounds::max_ratio).
    #[error("a compressed message that grows more than {max_ratio} times")]
    InflatesTooMuch {
        /// The bound.
        max_ratio: u32,
    },
    /// RFC 7692 §7.2.2: a compressed message is DEFLATE (RFC 1951), and ends with its final block.
    #[error("a compressed message that isn't valid deflate data")]
    InvalidDeflate,
    /// §5.6, §8.1: text is UTF-8.
    #[error("a text message that isn't UTF-8")]
    InvalidText,
    /// §5.2: the most significant bit of a 64-bit length is 0.
    #[error("a length of 2^63 bytes or more")]
    LengthTooBig,
    /// §5.5: control frames have at most 125 bytes of payload.
    #[error("a {0} frame with more than 125 bytes of payload")]
    LongControl(OpCode),
    /// §5.1: a server must not mask.
    #[error("a masked frame from a server")]
    Masked,
    /// More than [`Limits::max_message`](crate::Limits::max_message), or than
    /// [`Bounds::max_message`](crate::deflate::Bounds::max_message).
    #[error("a message of at least {len} bytes, more than the limit of {max}")]
    MessageTooBig {
        /// The frames so far with the one whose header came last; or what has been inflated.
        len: u64,
        /// The limit.
        max: u64,
    },
    /// Nothing is wrong with the peer: there is no memory to inflate its message with.
    #[error("a compressed message, with no memory left to decompress it")]
    NoMemory,
    /// §5.2: a length takes the fewest bytes that can hold it.
    #[error("a length of {0} that is not encoded in the minimum number of bytes")]
    NonMinimalLength(u64),
    /// §5.2: RSV1 to RSV3 are 0 unless an extension defines them. RFC 7692 §6 does so for RSV1 on the frame that
    /// begins a data message.
    #[error("reserved bits are set")]
    ReservedBits,
    /// §5.2: opcodes 3 to 7 and 11 to 15 are reserved.
    #[error("reserved opcode {0}")]
    ReservedOpcode(u8),
    /// A text message where only binary ones are taken: see [`Decoder::binary_only`](crate::Decoder::binary_only).
    #[error("message payload type does not match the negotiated subprotocol")]
    TextRefused,
    /// §5.4: a continuation continues something.
    #[error("a continuation frame with nothing to continue")]
    UnexpectedContinuation,
    /// §5.4: the fragments of a message are not interleaved with those of another.
    #[error("a {0} frame inside an unfinished message")]
    UnfinishedMessage(OpCode),
    /// §5.1: a client must mask.
    #[error("an unmasked frame from a client")]
    Unmasked,
}

impl Violation {
    /// Returns the close code (§7.4.1): 1003 for an unacceptable type, 1007 for invalid UTF-8 or deflate, 1009 for
    /// what is too big, 1011 for want of memory, otherwise 1002.
    ///
    /// RFC 7692 has no code for data that can't be inflated. 1007, "data that was not consistent with the type of the
    /// message", fits: the frames were right.
    pub fn close_code(&self) -> CloseCode {
        match self {
            Self::TextRefused => CloseCode::Unsupported,
            Self::NoMemory => CloseCode::Error,
            Self::InvalidDeflate | Self::InvalidReason | Self::InvalidText => CloseCode::Invalid,
            Self::FrameTooBig { .. }
            | Self::InflatesTooMuch { .. }
            | Self::MessageTooBig { .. } => CloseCode::Size,
            Self::CloseLength
            | Self::CloseCode(_)
            | Self::FragmentedControl(_)
            | Self::LengthTooBig
            | Self::LongControl(_)
            | Self::Masked
            | Self::NonMinimalLength(_)
            | Self::ReservedBits
            | Self::ReservedOpcode(_)
            | Self::UnexpectedContinuation
            | Self::UnfinishedMessage(_)
            | Self::Unmasked => CloseCode::Protocol,
        }
    }
}
