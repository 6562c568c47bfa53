//! Datagrams that are ignored: they are counted and logged.

use std::net::SocketAddr;

use tracing::warn;

/// A datagram that is ignored.
pub(super) enum Stray {
    /// It comes from there, and that is not whom datagrams are for.
    Elsewhere(SocketAddr),
    /// It is no datagram of SOCKS, or a fragment.
    Malformed(socks::Error),
    /// It names no port.
    NoPort,
    /// A proxy relays it from another sender than the destination.
    Other,
}

/// The count of one socket. The first one of each sort is logged at once, and their numbers at the end.
#[derive(Debug, Default)]
pub(super) struct Strays {
    elsewhere: u64,
    fragments: u64,
    malformed: u64,
}

impl Strays {
    /// Counts one.
    pub(super) fn count(&mut self, stray: &Stray) {
        let count = match stray {
            Stray::Elsewhere(_) | Stray::Other => &mut self.elsewhere,
            Stray::Malformed(socks::Error::Fragment(_)) => &mut self.fragments,
            Stray::Malformed(_) | Stray::NoPort => &mut self.malformed,
        };
        *count += 1;
        if *count > 1 {
            return;
        }
        match stray {
            Stray::Elsewhere(from) => {
                warn!("ignored a datagram: it comes from {from}, which is not the client");
            }
            Stray::Malformed(error) => warn!("ignored a datagram: {error}"),
            Stray::NoPort => warn!("ignored a datagram: it names port 0"),
            Stray::Other => warn!("ignored a datagram: it is not from the destination"),
        }
    }
}

impl Drop for Strays {
    fn drop(&mut self) {
        let Self { elsewhere, fragments, malformed } = *self;
        let all = elsewhere + fragments + malformed;
        if all > 1 {
            warn!(elsewhere, fragments, malformed, "{all} datagrams were ignored");
        }
    }
}
