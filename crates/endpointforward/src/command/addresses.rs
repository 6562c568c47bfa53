//! The addresses by which other machines reach a listener that is on all of them.
//!
//! Linux lists them in `/proc/net` (`fib_trie` and `if_inet6`); elsewhere none is known.

use std::fs::read_to_string;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use endpoint::Local;

/// Returns a link's other spellings, one for each address of this machine, if `local` is on all of them.
pub(crate) fn links(local: &Local, link: &str) -> Vec<String> {
    let Some(address) = local.address.filter(|address| address.ip().is_unspecified()) else {
        return Vec::new();
    };
    let here: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let authority = |ip: IpAddr| format!("//{}", SocketAddr::new(ip, address.port()));
    let Some(here) = here.into_iter().map(authority).find(|here| link.contains(here)) else {
        return Vec::new();
    };
    let table = |name: &str| read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
    let mut found: Vec<IpAddr> = v4(&table("fib_trie")).into_iter().map(IpAddr::V4).collect();
    if address.is_ipv6() {
        found.extend(v6(&table("if_inet6")).into_iter().map(IpAddr::V6));
    }
    found.truncate(MOST);
    found.into_iter().map(|ip| link.replacen(&here, &authority(ip), 1)).collect()
}

/// Reads the routes to this machine itself, without loopback: an address, and behind it `/32 host LOCAL`.
fn v4(table: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let mut last = None;
    for line in table.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse::<Ipv4Addr>().ok();
        } else if line == "/32 host LOCAL"
            && let Some(address) = last.filter(|address| !address.is_loopback())
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

/// Reads addresses of global scope: 32 digits, then the interface's number, the prefix, the scope.
fn v6(table: &str) -> Vec<Ipv6Addr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        let digits = words.next().and_then(|digits| u128::from_str_radix(digits, 16).ok())?;
        (words.nth(2)? == "00").then(|| Ipv6Addr::from(digits))
    };
    table.lines().filter_map(address).collect()
}

/// A host of containers has dozens.
const MOST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_read() {
        let trie = "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 192.168.1.0\n        /24 link UNICAST\n     \
                    |-- 192.168.1.5\n        /32 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\n     \
                    |-- 192.168.1.5\n        /32 host LOCAL\n     |-- 192.168.1.255\n        /32 link BROADCAST\n";
        assert_eq!(v4(trie), [Ipv4Addr::new(192, 168, 1, 5)]);
        let table = "00000000000000000000000000000001 01 80 10 80       lo\n\
                     20010db8000000000000000000000005 02 40 00 80     eth0\n\
                     fe800000000000000000000000000005 02 40 20 80     eth0\n";
        assert_eq!(v6(table), ["2001:db8::5".parse::<Ipv6Addr>().expect("an address")]);
    }

    #[test]
    fn only_a_listener_on_all_addresses_has_other_links() {
        let at = |address: &str| Local::new("ws").at(address.parse().expect("an address"));
        assert!(links(&at("127.0.0.1:9000"), "http://127.0.0.1:9000/#token=x").is_empty());
        for link in links(&at("0.0.0.0:9000"), "http://127.0.0.1:9000/#token=x") {
            assert!(link.starts_with("http://") && link.ends_with(":9000/#token=x"), "{link}");
            assert!(!link.contains("127.0.0.1"), "{link}");
        }
    }
}
