//! The role of our end, and its limits.

/// The end of the connection that *we* are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Takes masked frames only and sends unmasked ones (§5.1).
    Server,
    /// Takes unmasked frames only and sends masked ones (§5.1).
    Client,
}

/// The limits of a peer's frames and messages. Both are checked when a frame's header has arrived, before any of its
/// payload.
///
/// Without limits by default: this crate assembles nothing, so nothing grows here. They are for callers that do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Payload bytes in one data frame. Control frames have ≤ 125 anyway (§5.5).
    pub max_frame: u64,
    /// Payload bytes in all frames of one message. Not of a compressed one, whose size doesn't show the inflated
    /// size: that is bounded by [`Bounds`](crate::deflate::Bounds).
    pub max_message: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_frame: u64::MAX, max_message: u64::MAX }
    }
}
