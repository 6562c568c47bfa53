//! Options of a UDP socket, the same on both sides.

use std::io;

use plan::kind::{Args, Param, Topic, ValueKind};
use socket2::Socket;

/// Options that every socket gets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    broadcast: bool,
    ttl: Option<u32>,
}

impl Options {
    /// Reads them.
    pub(super) fn read(args: &Args) -> Self {
        let ttl = args.int(TTL.name).and_then(|ttl| u32::try_from(ttl).ok());
        Self { broadcast: args.flag(BROADCAST.name), ttl }
    }

    /// Sets them.
    pub(super) fn apply(self, socket: &Socket, is_ipv4: bool) -> io::Result<()> {
        socket.set_nonblocking(true)?;
        // As much as the system allows: a burst of datagrams waits there.
        socket.set_recv_buffer_size(BUFFER)?;
        if self.broadcast {
            socket.set_broadcast(true)?;
        }
        if let Some(ttl) = self.ttl {
            // Of a socket of IPv6, for its IPv4 peers.
            socket.set_ttl_v4(ttl)?;
            socket.set_multicast_ttl_v4(ttl)?;
            if !is_ipv4 {
                socket.set_unicast_hops_v6(ttl)?;
                socket.set_multicast_hops_v6(ttl)?;
            }
        }
        Ok(())
    }
}

pub(super) const BROADCAST: Param = Param::new(
    "broadcast",
    ValueKind::Bool,
    "Allow sending to a broadcast address (SO_BROADCAST in socket(7)).",
)
.topic(Topic::Socket)
.default("false");

pub(super) const TTL: Param = Param::new(
    "ttl",
    ValueKind::Int(1, 255),
    "The number of routers that a datagram may pass, to a multicast group as well (IP_TTL and IP_MULTICAST_TTL in \
     ip(7)). The default is 64, and 1 to a multicast group.",
)
.topic(Topic::Socket);

const BUFFER: usize = 4 * 1024 * 1024;
