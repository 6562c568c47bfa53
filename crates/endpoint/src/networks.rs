//! Networks that a descriptor lists: `10.0.0.0/8,!10.1.0.0/16`. An exclusion wins, wherever it stands.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// A list of networks and of those that are excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    included: Vec<IpNet>,
    excluded: Vec<IpNet>,
}

impl Networks {
    /// Parses networks and addresses, each with an optional `!` in front.
    ///
    /// # Errors
    /// The first word that is none.
    pub fn of(words: &[String]) -> Result<Self, String> {
        let mut list = Self::default();
        for word in words {
            let (is_excluded, text) =
                word.strip_prefix('!').map_or((false, &**word), |rest| (true, rest));
            let Some(network) = network(text) else { return Err(word.clone()) };
            if is_excluded { list.excluded.push(network) } else { list.included.push(network) }
        }
        Ok(list)
    }

    /// Returns `true` if an address is in a listed network and in no excluded one. A list that has only exclusions
    /// contains everything else.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        // A socket that takes both versions shows version 4 in version 6 (RFC 4291 section 2.5.5.2).
        let address = address.to_canonical();
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        (self.included.is_empty() || is_in(&self.included)) && !is_in(&self.excluded)
    }
}

/// Parses a network or an address, as addresses are compared with it: `::ffff:192.0.2.0/120` is 192.0.2.0/24, because a
/// socket that takes both versions shows version 4 in version 6 (RFC 4291 section 2.5.5.2).
#[must_use]
pub fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let IpNet::V6(v6) = network else { return Some(network) };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    let v4 = mapped.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    Some(v4.map_or(network, IpNet::V4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exclusion_wins() {
        let list = |words: &[&str]| {
            Networks::of(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
        };
        let has = |words: &[&str], address: &str| {
            list(words).expect("networks").has(address.parse().expect("an address"))
        };
        assert!(has(&["10.0.0.0/8", "!10.1.0.0/16"], "10.2.0.1"));
        assert!(!has(&["!10.1.0.0/16", "10.0.0.0/8"], "10.1.0.1"));
        assert!(has(&["10.0.0.0/8"], "::ffff:10.2.0.1"));
        assert!(!has(&["10.0.0.0/8"], "192.0.2.1") && has(&["!10.0.0.1"], "192.0.2.1"));
        for listed in
            ["::ffff:10.0.0.0/104", "::ffff:a00:0/104", "::ffff:10.2.0.1", "::ffff:0:0/96"]
        {
            assert!(has(&[listed], "10.2.0.1") && has(&[listed], "::ffff:10.2.0.1"), "{listed}");
            assert!(!has(&[&format!("!{listed}")], "10.2.0.1"), "{listed}");
        }
        assert!(!has(&["::/0"], "10.2.0.1") && has(&["::/0"], "2001:db8::1"));
        assert_eq!(list(&["10.0.0.0/33"]).err().as_deref(), Some("10.0.0.0/33"));
        assert!(list(&["localhost"]).is_err() && list(&["!"]).is_err());
    }
}
