//! The contents of a header, and how much of it has arrived.

// Addresses alone: core has no sockets.
use core::net::SocketAddr;

use crate::Tlv;

/// A header of either version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The addresses of client and destination.
    pub addresses: Addresses,
    /// Further facts; none in version 1.
    pub tlvs: Vec<Tlv>,
}

impl Header {
    /// Creates a header with these addresses only.
    #[must_use]
    pub fn new(addresses: Addresses) -> Self {
        Self { addresses, tlvs: Vec::new() }
    }

    /// Returns the client's address, if it has one.
    #[must_use]
    pub fn source(&self) -> Option<SocketAddr> {
        match self.addresses {
            Addresses::Inet { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Returns the address that the client connected to, if it has one.
    #[must_use]
    pub fn destination(&self) -> Option<SocketAddr> {
        match self.addresses {
            Addresses::Inet { destination, .. } => Some(destination),
            _ => None,
        }
    }
}

/// The result of decoding the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A header, and the number of its bytes. The connection's data follows.
    Header(Header, usize),
    /// At least so many more bytes are needed. Of version 2 that is exact once its first 16 bytes are there.
    More(usize),
}

/// Both ends of a client's connection to the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// The proxy speaks for itself, as health checks do (`LOCAL`): the connection's own addresses hold.
    #[default]
    Local,
    /// There is a client, and the proxy doesn't know its address (`UNKNOWN`, `UNSPEC`).
    Unknown,
    /// A connection over IPv4 or IPv6, both ends of one family.
    Inet {
        /// The client.
        source: SocketAddr,
        /// The address that it connected to.
        destination: SocketAddr,
    },
    /// A Unix socket: paths, without the zeros behind them. An abstract name begins with a zero.
    Unix {
        /// The client's, mostly empty.
        source: Vec<u8>,
        /// The address that it connected to.
        destination: Vec<u8>,
    },
}
