//! Public addresses, and special ones: those of this machine, of private networks, and reserved ones.

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;

/// Returns the block of special-purpose addresses that `address` is in; `None` if it is public: an ordinary address
/// of the internet. An IPv6 address outside what is assigned to networks at all is in a separate block.
pub(crate) fn block_of(address: IpAddr) -> Option<IpNet> {
    let address = address.to_canonical();
    let mut blocks = BLOCKS.iter().filter(|block| block.contains(&address));
    if let Some(block) = blocks.next() {
        return Some(*block);
    }
    match address {
        IpAddr::V6(v6) if v6.segments()[0] >> 13 != 1 => Some(address.into()),
        _ => None,
    }
}

/// The registries of special-purpose addresses (RFC 6890, as IANA keeps them), multicast (RFC 5771, RFC 4291), and the
/// forms of IPv6 that contain an address of IPv4: the addresses behind those are not checked.
static BLOCKS: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    let known = |text: &&str| text.parse().expect("it is a network");
    NETWORKS.iter().map(known).collect()
});

const NETWORKS: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::1/128",
    "::/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        let is_public = |text: &str| block_of(text.parse().expect("an address")).is_none();
        for text in
            ["1.1.1.1", "9.255.255.255", "172.32.0.1", "100.128.0.1", "2606:4700::1", "2400::"]
        {
            assert!(is_public(text), "{text}");
        }
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "10.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
            "4000::1",
            "200::1",
        ] {
            assert!(!is_public(text), "{text}");
        }
        assert!(is_public("::ffff:1.1.1.1"), "it is the address that it maps");
    }
}
