//! `allow=`: the destinations that a client may choose.
//!
//! An entry is `[!]HOST[:PORT[-PORT]]`. Each address is checked before it is dialled, so a name that resolves to
//! another address at the next lookup is refused.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use descriptor::{Code, Diagnostic};
use endpoint::network;
use ipnet::IpNet;
use plan::kind::{Args, Param, Topic, ValueKind};

use super::special::block_of;

pub(crate) const ALLOW: Param = Param::new(
    "allow",
    ValueKind::List,
    "The permitted destinations: entries `HOST`, `HOST:PORT` or `HOST:PORT-PORT`, separated by commas; an entry with \
     `!` in front excludes, and exclusions win. HOST is a network such as `10.0.0.0/8`, an address, `loopback`, \
     `private`, a name, `*.example.com` for all its subdomains, or `*`. Write an IPv6 address with a port in \
     brackets. Required if `host` or `port` contains facts about the client. The addresses that a name resolves to \
     are checked: a name permits public addresses only; loopback, link-local, private and other special addresses \
     have to be listed as such.",
)
.topic(Topic::Access);

/// The planned allow-list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allow {
    admitted: Vec<Entry>,
    excluded: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    host: Hosts,
    ports: RangeInclusive<u16>,
}

#[derive(Clone, Debug, PartialEq)]
enum Hosts {
    /// Any of these.
    Networks(Vec<IpNet>),
    /// This name, in lower case.
    Name(String),
    /// All names that end so: `.example.com`.
    Beneath(String),
    /// Every host.
    Any,
}

impl Allow {
    /// Reads the parameter; `None` if it isn't given.
    pub(crate) fn read(args: &Args) -> Result<Option<Self>, Diagnostic> {
        if !args.is_given(ALLOW.name) {
            return Ok(None);
        }
        let allow = Self::of(args.list(ALLOW.name)).map_err(|entry| {
            let message = format!("`{entry}` is not a valid entry");
            let help = "an entry is `10.0.0.0/8`, `192.0.2.1:80`, `[::1]:80-90`, `example.com:443`, `*.example.com` or \
                        `!192.168.1.1`";
            args.mistake(ALLOW.name, "bad-destination", message).help(help)
        })?;
        if allow.admitted.is_empty() {
            let message = "`allow` permits no destination";
            let help = "add `*` to permit all public addresses except those with `!` in front";
            return Err(args.mistake(ALLOW.name, Code::BadValue, message).help(help));
        }
        Ok(Some(allow))
    }

    /// Parses entries; the first invalid one is the error.
    fn of(entries: &[impl AsRef<str>]) -> Result<Self, String> {
        let mut allow = Self::default();
        for text in entries {
            let text = text.as_ref();
            let (list, entry) = match text.strip_prefix('!') {
                Some(entry) => (&mut allow.excluded, entry),
                None => (&mut allow.admitted, text),
            };
            list.push(Entry::of(entry.trim()).ok_or_else(|| text.to_owned())?);
        }
        Ok(allow)
    }

    /// Returns whether `address` may be dialled at `port` for a client that asks for `host`.
    pub(crate) fn admits(&self, host: &str, address: IpAddr, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        // A zone is of this machine alone.
        let address = address.to_canonical();
        let block = block_of(address);
        let excluded = |entry: &Entry| match &entry.host {
            Hosts::Networks(networks) => networks.iter().any(|network| network.contains(&address)),
            hosts => hosts.is_called(&host),
        };
        let admitted = |entry: &Entry| match (&entry.host, &block) {
            // Only a network inside the block of a special address admits it; a wider network doesn't.
            (Hosts::Networks(networks), Some(block)) => {
                networks.iter().any(|network| network.contains(&address) && block.contains(network))
            }
            (Hosts::Networks(networks), None) => {
                networks.iter().any(|network| network.contains(&address))
            }
            (hosts, None) => hosts.is_called(&host),
            (_, Some(_)) => false,
        };
        let at_port = |entry: &&Entry| entry.ports.contains(&port);
        !self.excluded.iter().filter(at_port).any(excluded)
            && self.admitted.iter().filter(at_port).any(admitted)
    }
}

impl Hosts {
    fn is_called(&self, host: &str) -> bool {
        match self {
            Self::Networks(_) => false,
            Self::Name(name) => name == host,
            Self::Beneath(end) => host.len() > end.len() && host.ends_with(&**end),
            Self::Any => true,
        }
    }

    fn of(text: &str) -> Option<Self> {
        let networks = |words: &[&str]| {
            let known = |text: &&str| text.parse().expect("it is a network");
            Some(Self::Networks(words.iter().map(known).collect()))
        };
        let text = text.to_ascii_lowercase();
        match &*text {
            "*" => return Some(Self::Any),
            "loopback" => return networks(LOOPBACK),
            "private" => return networks(PRIVATE),
            _ => {}
        }
        if let Some(network) = network(&text) {
            return Some(Self::Networks(vec![network.trunc()]));
        }
        let name = text.trim_end_matches('.');
        let (beneath, name) = match name.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let is_word = |word: &str| {
            !word.is_empty()
                && !word.contains(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')
        };
        // A name whose last word has only digits is an address that is written wrongly.
        let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        if !name.split('.').all(is_word) || name.rsplit('.').next().is_none_or(is_number) {
            return None;
        }
        Some(if beneath { Self::Beneath(format!(".{name}")) } else { Self::Name(name.to_owned()) })
    }
}

impl Entry {
    fn of(text: &str) -> Option<Self> {
        let all = || Some(1..=u16::MAX);
        let (host, ports) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                match rest.strip_prefix(':') {
                    Some(typed) => (host, ports(typed)),
                    None if rest.is_empty() => (host, all()),
                    None => return None,
                }
            }
            // An IPv6 address without brackets has no port.
            None if text.matches(':').count() > 1 => (text, all()),
            None => match text.split_once(':') {
                Some((host, typed)) => (host, ports(typed)),
                None => (text, all()),
            },
        };
        Some(Self { host: Hosts::of(host)?, ports: ports? })
    }
}

fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let port = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().ok())?.filter(|port| *port > 0)
    };
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to): (u16, u16) = (port(from)?, port(to)?);
    (from <= to).then_some(from..=to)
}

const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1/128"];
/// RFC 1918 and RFC 4193.
const PRIVATE: &[&str] = &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(entries: &str, host: &str, address: &str, port: u16) -> bool {
        let entries: Vec<_> = entries.split(',').collect();
        let allow = Allow::of(&entries).expect("entries");
        allow.admits(host, address.parse().expect("an address"), port)
    }

    #[test]
    fn addresses_decide_and_names_admit_public_ones() {
        for (entries, host, address, port, is_admitted) in [
            ("example.com", "example.com", "1.2.3.4", 80, true),
            ("example.com", "EXAMPLE.com.", "1.2.3.4", 80, true),
            ("example.com", "www.example.com", "1.2.3.4", 80, false),
            ("*.example.com", "www.example.com", "1.2.3.4", 80, true),
            ("*.example.com", "example.com", "1.2.3.4", 80, false),
            ("*.example.com", "notexample.com", "1.2.3.4", 80, false),
            ("example.com:443", "example.com", "1.2.3.4", 80, false),
            ("example.com:80-90", "example.com", "1.2.3.4", 90, true),
            // Rebinding: the name is right, and what it leads to is not.
            ("example.com", "example.com", "127.0.0.1", 80, false),
            ("example.com", "example.com", "10.0.0.1", 80, false),
            ("example.com", "example.com", "::ffff:127.0.0.1", 80, false),
            ("example.com", "example.com", "64:ff9b::7f00:1", 80, false),
            ("example.com,10.0.0.0/8", "example.com", "10.0.0.1", 80, true),
            ("*", "anything", "1.2.3.4", 80, true),
            ("*", "1.2.3.4", "1.2.3.4", 80, true),
            ("*", "localhost", "127.0.0.1", 80, false),
            ("*", "169.254.169.254", "169.254.169.254", 80, false),
            ("*,!*.evil.example", "www.evil.example", "1.2.3.4", 80, false),
            ("*,!1.2.3.0/24", "example.com", "1.2.3.4", 80, false),
            ("*,!1.2.3.0/24:25", "example.com", "1.2.3.4", 80, true),
            ("0.0.0.0/0", "1.2.3.4", "1.2.3.4", 80, true),
            ("0.0.0.0/0", "127.0.0.1", "127.0.0.1", 80, false),
            ("::/0", "::1", "::1", 80, false),
            ("127.0.0.1", "localhost", "127.0.0.1", 80, true),
            ("127.0.0.1", "::ffff:127.0.0.1", "::ffff:127.0.0.1", 80, true),
            ("::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1", 80, true),
            ("::ffff:127.0.0.0/104", "127.9.9.9", "127.9.9.9", 80, true),
            ("*,!::ffff:1.2.3.0/120", "example.com", "1.2.3.4", 80, false),
            ("*,![::ffff:1.2.3.0/120]:25", "example.com", "::ffff:1.2.3.4", 25, false),
            ("[::1]:80", "::1", "::1", 80, true),
            ("[::1]:80", "::1", "::1", 81, false),
            ("[2001:db8::/32]:80", "2001:db8::7", "2001:db8::7", 80, true),
            ("::1", "localhost", "127.0.0.1", 80, false),
            ("loopback", "localhost", "127.9.9.9", 80, true),
            ("private:22", "h", "192.168.7.7", 22, true),
            ("private", "h", "169.254.1.1", 22, false),
            ("fe80::/10", "fe80::1", "fe80::1", 22, true),
            ("10.1.2.3/8", "10.9.9.9", "10.9.9.9", 22, true),
        ] {
            let found = admits(entries, host, address, port);
            assert_eq!(found, is_admitted, "{entries} {host} {address} {port}");
        }
    }

    #[test]
    fn what_is_no_destination_is_a_mistake() {
        for entry in [
            "",
            "!",
            ":80",
            "example.com:",
            "example.com:0",
            "example.com:65536",
            "example.com:9-8",
            "example.com:http",
            "10.0.0.0/33",
            "10.0.0",
            "1.2.3.256",
            "[::1",
            "[::1]80",
            "*.",
            "**",
            "*example.com",
            "a..b",
            "a b",
            "http://example.com",
            "::1:80:90:zz",
            "+80",
            "e.com:+80",
        ] {
            assert_eq!(Allow::of(&[entry]).err().as_deref(), Some(entry), "{entry}");
        }
    }
}
