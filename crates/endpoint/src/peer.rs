//! What a transport knows about its peer without asking it.
//!
//! A write that succeeded says only that the system has a copy. Whether the peer takes what it is sent, is slow or is
//! gone is known to the transport alone: to TCP by acknowledgements, to a pipe by what still lies in it.

use std::time::Duration;

/// What is known about a peer at one moment.
///
/// Slow is not gone: a peer that takes nothing for hours still acknowledges the probes of its transport. It is gone
/// once it owes an acknowledgement for longer than the keepalive time, seen at two looks that are a second apart or
/// more: at the first one after a pause of this whole machine, the answer may not have been looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// A number that grows when it takes something. Nothing else about it means anything.
    pub taken: u64,
    /// Bytes that were written and that it has not taken yet, as far as that can be known.
    pub pending: u64,
    /// For how long it has owed an acknowledgement; `None` if it owes none.
    pub overdue: Option<Duration>,
    /// Whether the transport proves that a peer which takes nothing is alive, as TCP's probes do.
    pub proven: bool,
    /// Whether it still sends, though perhaps nobody reads.
    pub state: PeerState,
}

/// How far a peer has ended, as the transport sees it behind data that nobody has read yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerState {
    /// It is connected and may send.
    #[default]
    Open,
    /// Its end has arrived. Where half-close exists, it may still listen.
    Ended,
    /// It was reset, or has closed both ways: it takes nothing more.
    Gone,
}
