//! Control frames (§5.5): ping, pong, close.

use std::fmt;
use std::ops::Deref;

use crate::{CloseCode, FrameHeader, OpCode, ProtocolError, Violation, mask};

/// The maximum payload of a control frame, in bytes.
pub const MAX_CONTROL: usize = 125;
/// The maximum reason of a Close frame, in bytes: two are the code's.
pub const MAX_REASON: usize = MAX_CONTROL - 2;

/// A received control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// Wants a pong with the same payload. Of several pings only the last needs one (§5.5.3): a peer that sends nothing
    /// but pings then makes no queue grow.
    Ping(ControlPayload),
    /// Answers our ping, or came unasked.
    Pong(ControlPayload),
    /// The peer sends nothing more; `None` means that it gave neither code nor reason. To be answered with a Close
    /// once all pending data has been sent (§5.5.1).
    Close(Option<CloseFrame>),
}

/// Up to 125 bytes, without allocation; derefs to a slice.
#[derive(Clone, Copy)]
pub struct ControlPayload {
    bytes: [u8; MAX_CONTROL],
    len: u8,
}

/// The contents of a Close frame: a code that may be sent, and a reason of at most 123 bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    code: CloseCode,
    reason: String,
}

/// The bytes of a control frame; derefs to a slice.
#[derive(Clone, Copy)]
pub struct ControlFrame {
    bytes: [u8; 2 + 4 + MAX_CONTROL],
    len: u8,
}

// === impl ControlPayload ===

impl ControlPayload {
    /// Creates a payload; `None` for more than 125 bytes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut payload = Self::default();
        payload.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        payload.len = bytes.len() as u8;
        Some(payload)
    }

    /// Adds masked bytes, `key` being what it is at the first of them. The caller has checked the frame's length.
    pub(crate) fn extend(&mut self, key: [u8; 4], bytes: &[u8]) {
        let start = usize::from(self.len);
        let end = start + bytes.len();
        self.bytes[start..end].copy_from_slice(bytes);
        mask(key, 0, &mut self.bytes[start..end]);
        self.len = end as u8;
    }
}

impl Default for ControlPayload {
    fn default() -> Self {
        Self { bytes: [0; MAX_CONTROL], len: 0 }
    }
}

impl Deref for ControlPayload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl PartialEq for ControlPayload {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for ControlPayload {}

impl fmt::Debug for ControlPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

// === impl CloseFrame ===

impl CloseFrame {
    /// Creates it; `None` for a code that must not be sent (§7.4: 1004, 1005, 1006, 1015, below 1000, 1016 to 2999,
    /// from 5000). A reason that is too long is cut between two characters.
    pub fn new(code: CloseCode, reason: &str) -> Option<Self> {
        let mut end = reason.len().min(MAX_REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        may_be_sent(code.into()).then(|| Self { code, reason: reason[..end].to_owned() })
    }

    /// Returns the code.
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// Returns the reason as text; often empty.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Parses the payload of a Close frame (§5.5.1).
    pub(crate) fn parse(payload: &[u8]) -> Result<Option<Self>, Violation> {
        if payload.is_empty() {
            return Ok(None);
        }
        let (code, reason) = payload.split_first_chunk().ok_or(Violation::CloseLength)?;
        let code = u16::from_be_bytes(*code);
        if !may_be_sent(code) {
            return Err(Violation::CloseCode(code));
        }
        let reason = std::str::from_utf8(reason).map_err(|_| Violation::InvalidReason)?;
        Ok(Some(Self { code: code.into(), reason: reason.to_owned() }))
    }

    fn payload(&self) -> ControlPayload {
        let mut payload = ControlPayload::default();
        payload.extend([0; 4], &u16::from(self.code).to_be_bytes());
        payload.extend([0; 4], self.reason.as_bytes());
        payload
    }
}

impl ProtocolError {
    /// Returns the Close frame to send: the code, and the violation as text.
    pub fn close_frame(&self) -> CloseFrame {
        CloseFrame { code: self.close_code(), reason: self.violation.to_string() }
    }
}

/// §7.4.1 and IANA's registry, which has got 1012 to 1014 since; 3000 to 4999 are for libraries and applications.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

// === impl ControlFrame ===

impl ControlFrame {
    pub(crate) fn new(opcode: OpCode, payload: &ControlPayload, key: Option<[u8; 4]>) -> Self {
        let header = FrameHeader { fin: true, rsv1: false, opcode, len: payload.len() as u64, key };
        let header = header.encode();
        let len = header.len() + payload.len();
        let mut bytes = [0; 2 + 4 + MAX_CONTROL];
        bytes[..header.len()].copy_from_slice(&header);
        bytes[header.len()..len].copy_from_slice(payload);
        if let Some(key) = key {
            mask(key, 0, &mut bytes[header.len()..len]);
        }
        Self { bytes, len: len as u8 }
    }

    pub(crate) fn close(frame: Option<&CloseFrame>, key: Option<[u8; 4]>) -> Self {
        Self::new(OpCode::Close, &frame.map(CloseFrame::payload).unwrap_or_default(), key)
    }
}

impl Deref for ControlFrame {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for ControlFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", &**self)
    }
}
