//! The facts that a transport has about its peer without sending anything.
//!
//! A write that succeeded means only that the system has a copy. Only the transport knows if the peer reads, is slow
//! or is gone: TCP by acknowledgements, a pipe by the data that is still in it.

use std::time::Duration;

/// The state of a peer at one moment.
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
    /// Set if the transport proves that a peer that reads nothing is alive, as TCP's probes do.
    pub proven: bool,
    /// The state of the peer's sending, even if nothing is read.
    pub state: PeerState,
}

/// How far a peer has ended, as seen by the transport behind data that has not been read yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerState {
    /// It is connected and may send.
    #[default]
    Open,
    /// Its end has arrived. If there is half-close, it may still read.
    Ended,
    /// It was reset, or has closed both ways: it takes nothing more.
    Gone,
}
