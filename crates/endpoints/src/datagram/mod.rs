//! Code shared by datagrams of every family.
//!
//! 1. A listener has one socket for all peers. [`table`] distinguishes them: a session for each address, in a bounded
//!    table ([`peers`]). One task receives for all of them ([`accepting`]).
//! 2. [`session`] is one peer's stream of messages, with its idle timeout.
//! 3. [`connected`] is a socket with one peer, as a stream of messages.
//! 4. [`joined`] makes one datagram of a message that comes in parts.
//! 5. [`losses`] counts and logs lost datagrams.
//! 6. [`outgoing`] collects those that are sent together.
//! 7. [`ip`] is a UDP socket with one peer, [`room`] the buffer that all receive into.

pub(crate) mod accepting;
pub(crate) mod connected;
pub(crate) mod icmp;
pub(crate) mod ip;
pub(crate) mod joined;
pub(crate) mod losses;
pub(crate) mod outgoing;
mod peers;
mod room;
pub(crate) mod session;
pub(crate) mod table;

use std::hash::Hash;
use std::io;
use std::ops::Range;

use async_trait::async_trait;
use endpoint::Info;
use tokio::io::Interest;

use self::outgoing::Datagrams;

/// A socket that receives the datagrams of many peers.
#[async_trait]
pub(crate) trait Socket: Send + Sync + 'static {
    /// The key that distinguishes peers.
    type Peer: Clone + Eq + Hash + Send + Sync + Unpin;

    /// Waits until it is ready for this. Cancel safe.
    ///
    /// # Errors
    /// The runtime ends.
    async fn ready(&self, interest: Interest) -> io::Result<()>;

    /// Receives one datagram, or learns what has become of one that was sent.
    ///
    /// # Errors
    /// `WouldBlock`: nothing is there. Others are the socket's.
    fn try_receive(&self, buf: &mut [u8]) -> io::Result<Received<Self::Peer>>;

    /// Returns the key of the peer that an ICMP error for `to` is about if no peer has the key `to`.
    fn otherwise(to: &Self::Peer) -> Option<Self::Peer> {
        let _ = to;
        None
    }

    /// Sends one datagram, or several of up to [`splits`](Self::splits) bytes: all of them or none.
    ///
    /// # Errors
    /// `WouldBlock`: there is no room. Others are those of these datagrams.
    fn try_send(&self, datagrams: Datagrams<'_>, to: &Self::Peer) -> io::Result<()>;

    /// The size of the largest datagrams that it sends several of at once; 0 if it sends one by one.
    fn splits(&self) -> usize {
        0
    }

    /// Returns `true` if the readiness to send doesn't show it for one peer, because each has a separate queue.
    /// Sending is then tried again after a pause.
    fn polls_for_room(&self) -> bool {
        false
    }

    /// Returns the number of datagrams that the system has dropped so far, if it is known: those behind the last one
    /// that was received come with none.
    fn dropped(&self) -> Option<u32> {
        None
    }

    /// The facts about a peer.
    fn info(&self, peer: &Self::Peer) -> Info;
}

/// The result of receiving from a socket.
#[derive(Debug)]
pub(crate) enum Received<P> {
    /// A datagram, or several of one sender.
    Datagram {
        /// The range of its data in the buffer.
        at: Range<usize>,
        /// The size of each, if there are several; the last one may be shorter.
        each: Option<usize>,
        /// The sender.
        from: P,
        /// The number that the system has dropped so far, if it is known: `SO_RXQ_OVFL` in socket(7), which wraps
        /// around.
        dropped: Option<u32>,
    },
    /// A datagram that is longer than the buffer. It is lost.
    TooLong,
    /// Something that means nothing here. There may be more.
    Ignored,
    /// A datagram of ours was refused: an ICMP message has come.
    Refused {
        /// The address that it was sent to.
        to: P,
        /// The error that was returned for it.
        error: io::Error,
    },
}
