//! Sockets: TCP's, UDP's and Unix'.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::Fact;
use crate::Network;

/// A TCP connection: `tcp.local`, `tcp.peer`, `tcp.peer_host`, `tcp.peer_port`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// The local address.
    pub local: SocketAddr,
    /// The peer's address.
    pub peer: SocketAddr,
}

impl Fact for Tcp {
    fn root(&self) -> &'static str {
        "tcp"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        addresses(self.local, self.peer, name)
    }

    fn peer(&self) -> Option<String> {
        Some(self.peer.to_string())
    }

    fn network(&self) -> Option<Network> {
        Some(self.peer.ip().into())
    }
}

/// A peer of a UDP socket: `udp.local`, `udp.peer`, `udp.peer_host`, `udp.peer_port`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp {
    /// The local address.
    pub local: SocketAddr,
    /// The peer's address.
    pub peer: SocketAddr,
}

impl Fact for Udp {
    fn root(&self) -> &'static str {
        "udp"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        addresses(self.local, self.peer, name)
    }

    fn peer(&self) -> Option<String> {
        Some(self.peer.to_string())
    }

    fn network(&self) -> Option<Network> {
        Some(self.peer.ip().into())
    }
}

/// A Unix socket connection: `unix.path`, `unix.pid`, `unix.uid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unix {
    /// The socket's path, `@name` if it is abstract.
    pub path: PathBuf,
    /// The peer's process ID, if the system provides it.
    pub pid: Option<i32>,
    /// The peer's user ID, if the system provides it.
    pub uid: Option<u32>,
}

impl Fact for Unix {
    fn root(&self) -> &'static str {
        "unix"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "path" => Some(self.path.to_string_lossy()),
            "pid" => self.pid.map(|pid| pid.to_string().into()),
            "uid" => self.uid.map(|uid| uid.to_string().into()),
            _ => None,
        }
    }

    fn peer(&self) -> Option<String> {
        let path = self.path.display();
        Some(match self.pid {
            Some(pid) => format!("unix:{path} (pid {pid})"),
            None => format!("unix:{path}"),
        })
    }

    fn network(&self) -> Option<Network> {
        self.uid.map(Network::User)
    }
}

/// Returns the fact `name`, if it is one of those that TCP and UDP have in common.
fn addresses(local: SocketAddr, peer: SocketAddr, name: &str) -> Option<Cow<'static, str>> {
    Some(Cow::Owned(match name {
        "local" => local.to_string(),
        "peer" => peer.to_string(),
        "peer_host" => peer.ip().to_string(),
        "peer_port" => peer.port().to_string(),
        _ => return None,
    }))
}
