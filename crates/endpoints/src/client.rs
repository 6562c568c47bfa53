//! The client of a session: who a trusted proxy says that it is, or else the connection's own peer.

use std::net::IpAddr;

use endpoint::Info;
use endpoint::info::Proxied;

/// Returns the client's address and its port, as far as they are known. A proxy that names no client has none.
pub(crate) fn client(info: &Info) -> Option<(IpAddr, Option<u16>)> {
    match info.get::<Proxied>() {
        Some(proxied) => proxied.client.map(|client| (client, proxied.client_port)),
        None => info.source().map(|source| (source.ip(), Some(source.port()))),
    }
}

#[cfg(test)]
mod tests {
    use endpoint::info::Tcp;

    use super::*;

    #[test]
    fn a_proxys_client_is_who_counts() {
        let local = "127.0.0.1:1".parse().expect("an address");
        let info =
            Info::new().with(Tcp { local, peer: "127.0.0.1:5".parse().expect("an address") });
        let of = |info: &Info| client(info).map(|(address, port)| (address.to_string(), port));
        assert_eq!(of(&info), Some(("127.0.0.1".to_owned(), Some(5))));
        let mut proxied = Proxied::by("127.0.0.1");
        assert_eq!(of(&info.clone().with(proxied.clone())), None, "it names nobody");
        proxied.client = Some("10.1.1.1".parse().expect("an address"));
        assert_eq!(of(&info.with(proxied)), Some(("10.1.1.1".to_owned(), None)));
    }
}
