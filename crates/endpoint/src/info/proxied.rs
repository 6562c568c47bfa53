//! The client that a trusted proxy reports.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use super::Fact;

/// Facts about the client that a trusted proxy reports: `proxy.client` (an address) and `proxy.client_port`,
/// `proxy.destination` and `proxy.destination_port` (the address that the client connected to), `proxy.host` and
/// `proxy.scheme` (from the client's request), `proxy.peer` (the proxy itself).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proxied {
    /// The client's address.
    pub client: Option<IpAddr>,
    /// The client's port.
    pub client_port: Option<u16>,
    /// The address that the client connected to: one of the proxy's.
    pub destination: Option<SocketAddr>,
    /// The host that the client requested, with its port if it had one.
    pub host: Option<String>,
    /// `http` or `https`.
    pub scheme: Option<&'static str>,
    /// The proxy that reports it, if its address is known.
    pub peer: Option<String>,
}

impl Proxied {
    /// Creates an empty report of this peer.
    #[must_use]
    pub fn by(peer: Option<String>) -> Self {
        Self { peer, ..Self::default() }
    }
}

impl Fact for Proxied {
    fn root(&self) -> &'static str {
        "proxy"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "client" => self.client.map(|client| client.to_string().into()),
            "client_port" => self.client_port.map(|port| port.to_string().into()),
            "destination" => self.destination.map(|it| it.ip().to_string().into()),
            "destination_port" => self.destination.map(|it| it.port().to_string().into()),
            "host" => self.host.as_deref().map(Cow::Borrowed),
            "scheme" => self.scheme.map(Cow::Borrowed),
            "peer" => self.peer.as_deref().map(Cow::Borrowed),
            _ => None,
        }
    }

    fn peer(&self) -> Option<String> {
        let client = match self.client_port {
            Some(port) => SocketAddr::new(self.client?, port).to_string(),
            None => self.client?.to_string(),
        };
        Some(match &self.peer {
            Some(peer) => format!("{client} (through {peer})"),
            None => client,
        })
    }
}
