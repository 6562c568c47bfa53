//! The peers that are trusted to report their clients' addresses: networks and addresses, and names for some of them.
//!
//! One rule for every protocol in which a proxy reports its client: headers of HTTP, and the PROXY
//! protocol.

use std::net::IpAddr;

use descriptor::Diagnostic;
use endpoint::Info;
use endpoint::info::{Proxied, Tcp, Unix};
use endpoint::network;
use ipnet::IpNet;
use plan::kind::Args;

/// The trusted peers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trusted {
    any: bool,
    /// All clients of a Unix socket: its file's mode determines who that can be.
    unix: bool,
    networks: Vec<IpNet>,
}

impl Trusted {
    pub(crate) fn read(args: &Args) -> Result<Self, Diagnostic> {
        Self::of(args.list("trusted")).map_err(|word| {
            let message = format!("`{word}` is not a network");
            let help = "a network is `10.0.0.0/8`, an address `192.0.2.1`; or `loopback`, `private`, \
                        `unix`, `any`; names are not looked up";
            args.mistake("trusted", "bad-network", message).help(help)
        })
    }

    /// Parses networks; the first invalid one is the error.
    pub(crate) fn of(words: &[impl AsRef<str>]) -> Result<Self, String> {
        let mut trusted = Self::default();
        for word in words {
            let word = word.as_ref();
            match &*word.to_ascii_lowercase() {
                "any" | "*" => (trusted.any, trusted.unix) = (true, true),
                "unix" => trusted.unix = true,
                "loopback" => trusted.add(LOOPBACK),
                "private" => {
                    trusted.add(LOOPBACK);
                    trusted.add(PRIVATE);
                }
                _ => match network(word) {
                    Some(network) => trusted.networks.push(network),
                    None => return Err(word.to_owned()),
                },
            }
        }
        Ok(trusted)
    }

    fn add(&mut self, networks: &[&str]) {
        let networks = networks.iter().map(|network| network.parse::<IpNet>());
        let networks = networks.map(|network| network.expect("they are known"));
        self.networks.extend(networks);
    }

    /// Returns `true` if any peer is trusted.
    pub(crate) fn is_somebody(&self) -> bool {
        self.any || self.unix || !self.networks.is_empty()
    }

    /// Returns `true` if the peer of a connection is trusted. Behind a trusted proxy, that is the client that it
    /// reports, which may be a proxy itself.
    pub(crate) fn has_peer(&self, info: &Info) -> bool {
        if let Some(client) = info.get::<Proxied>().and_then(|proxied| proxied.client) {
            return self.has(client);
        }
        self.has_source(info)
    }

    /// Returns `true` if the connecting address is trusted, whatever client it reports.
    pub(crate) fn has_source(&self, info: &Info) -> bool {
        match info.get::<Tcp>() {
            Some(tcp) => self.has(tcp.peer.ip()),
            None if info.get::<Unix>().is_some() => self.unix,
            None => self.any,
        }
    }

    pub(crate) fn has(&self, peer: IpAddr) -> bool {
        // A socket that takes both versions shows version 4 in version 6 (RFC 4291 section 2.5.5.2).
        let peer = peer.to_canonical();
        self.any || self.networks.iter().any(|network| network.contains(&peer))
    }
}

const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1/128"];
/// RFC 1918, RFC 4193, and links (RFC 3927, RFC 4291 section 2.5.6).
const PRIVATE: &[&str] =
    &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_no_network_are_mistakes() {
        for word in ["localhost", "10.0.0.0/33", "10.0.0", "", "10.0.0.1:80", "[::1]", "/8"] {
            assert_eq!(Trusted::of(&["loopback", word]).err().as_deref(), Some(word));
        }
        for word in ["10.0.0.0/8", "10.1.2.3/8", "::/0", "2001:db8::1", "ANY", "Loopback"] {
            assert!(Trusted::of(&[word]).is_ok(), "{word}");
        }
        let mapped = Trusted::of(&["::ffff:10.0.0.0/104"]).expect("it is a network");
        assert!(mapped.has("10.1.2.3".parse().expect("an address")));
    }
}
