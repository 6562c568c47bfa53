//! Sending: headers of data frames, and whole control frames.

use crate::{CloseFrame, ControlFrame, ControlPayload, FrameHeader, HeaderBytes, OpCode, Role};

/// Encodes frames, and keeps track of whether a message is open.
///
/// `key` is asked for a masking key by a client only, once a frame; the keys have to be fresh and unpredictable (§5.3,
/// §10.3). A frame whose header has been made has to be sent whole before the next one: also before a control frame.
#[derive(Clone, Debug)]
pub struct Encoder {
    role: Role,
    /// Set if the last data frame left its message open.
    open: bool,
}

impl Encoder {
    /// Creates an encoder for a role.
    pub fn new(role: Role) -> Self {
        Self { role, open: false }
    }

    /// Returns the header for the next `len` bytes (less than 2⁶³) of a message. They have to be masked with
    /// [`HeaderBytes::key`] if there is one.
    ///
    /// In the first part of a message, `text` sets its type; later ones are continuations whatever its value (§5.4).
    /// Fragments of text may be cut inside a code point; the message as a whole has to be UTF-8 (§5.6).
    #[inline]
    pub fn data(
        &mut self,
        text: bool,
        last: bool,
        len: u64,
        key: impl FnOnce() -> [u8; 4],
    ) -> HeaderBytes {
        self.frame(text, false, last, len, key)
    }

    /// Makes a header as [`Encoder::data`] does, for a message whose payload a [`Deflater`](crate::deflate::Deflater) has
    /// compressed: RSV1 marks its first frame (RFC 7692 §6), and it has to be compressed as a whole. Only if
    /// permessage-deflate has been agreed upon.
    #[inline]
    pub fn compressed(
        &mut self,
        text: bool,
        last: bool,
        len: u64,
        key: impl FnOnce() -> [u8; 4],
    ) -> HeaderBytes {
        self.frame(text, true, last, len, key)
    }

    /// Returns `true` if a message has begun and not ended.
    pub fn is_inside_message(&self) -> bool {
        self.open
    }

    /// Returns a whole Ping frame. Control frames may stand between the fragments of a message (§5.4).
    pub fn ping(&self, payload: &ControlPayload, key: impl FnOnce() -> [u8; 4]) -> ControlFrame {
        ControlFrame::new(OpCode::Ping, payload, self.key(key))
    }

    /// Returns a whole Pong frame; `payload` is that of the ping.
    pub fn pong(&self, payload: &ControlPayload, key: impl FnOnce() -> [u8; 4]) -> ControlFrame {
        ControlFrame::new(OpCode::Pong, payload, self.key(key))
    }

    /// Returns a whole Close frame, the last that may be sent (§5.5.1); `None` for one without a code.
    pub fn close(&self, frame: Option<&CloseFrame>, key: impl FnOnce() -> [u8; 4]) -> ControlFrame {
        ControlFrame::close(frame, self.key(key))
    }

    #[inline]
    fn frame(
        &mut self,
        text: bool,
        compressed: bool,
        last: bool,
        len: u64,
        key: impl FnOnce() -> [u8; 4],
    ) -> HeaderBytes {
        let opcode = match (self.open, text) {
            (true, _) => OpCode::Continuation,
            (false, true) => OpCode::Text,
            (false, false) => OpCode::Binary,
        };
        let rsv1 = compressed && !self.open;
        self.open = !last;
        FrameHeader { fin: last, rsv1, opcode, len, key: self.key(key) }.encode()
    }

    fn key(&self, key: impl FnOnce() -> [u8; 4]) -> Option<[u8; 4]> {
        match self.role {
            Role::Client => Some(key()),
            Role::Server => None,
        }
    }
}
