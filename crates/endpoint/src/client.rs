//! The client of a session: as reported by a trusted proxy, or else the connection's peer.

use std::net::IpAddr;

use crate::info::Proxied;
use crate::{Info, Network};

impl Info {
    /// Returns the client's address and its port, as far as they are known. A proxy that names no client has none.
    #[must_use]
    pub fn client(&self) -> Option<(IpAddr, Option<u16>)> {
        match self.get::<Proxied>() {
            Some(proxied) => proxied.client.map(|client| (client, proxied.client_port)),
            None => self.source().map(|source| (source.ip(), Some(source.port()))),
        }
    }

    /// Returns the client's network, never that of its proxy, because that would affect the proxy's other clients.
    /// `None` if it isn't known.
    #[must_use]
    pub fn client_network(&self) -> Option<Network> {
        match self.client() {
            Some((address, _)) => Some(address.into()),
            None if self.get::<Proxied>().is_some() => None,
            None => Some(self.network()).filter(|network| *network != Network::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::info::{Tcp, Unix};

    #[test]
    fn a_proxys_client_is_who_counts() {
        let local = "127.0.0.1:1".parse().expect("an address");
        let info =
            Info::new().with(Tcp { local, peer: "127.0.0.1:5".parse().expect("an address") });
        let of = |info: &Info| info.client().map(|(address, port)| (address.to_string(), port));
        assert_eq!(of(&info), Some(("127.0.0.1".to_owned(), Some(5))));
        assert_eq!(info.client_network(), Some(Network::V4([127, 0, 0])));
        let mut proxied = Proxied::by(Some("127.0.0.1".to_owned()));
        let unnamed = info.clone().with(proxied.clone());
        assert_eq!((of(&unnamed), unnamed.client_network()), (None, None), "it names nobody");
        proxied.client = Some("10.1.1.1".parse().expect("an address"));
        let named = info.with(proxied);
        assert_eq!(of(&named), Some(("10.1.1.1".to_owned(), None)));
        assert_eq!(named.client_network(), Some(Network::V4([10, 1, 1])));
    }

    #[test]
    fn a_client_without_an_address_may_have_a_user() {
        assert_eq!(Info::new().client_network(), None);
        let unix = Unix { path: "/s".into(), pid: None, uid: Some(7) };
        assert_eq!(Info::new().with(unix).client_network(), Some(Network::User(7)));
    }
}
