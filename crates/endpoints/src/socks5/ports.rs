//! `udp-ports` and `udp-address`: where the sockets that relay datagrams are, behind a firewall or something that
//! translates addresses.

use std::iter;
use std::net::{IpAddr, SocketAddr};

use descriptor::{Code, Diagnostic};
use plan::kind::{Args, Param, Topic, ValueKind};

/// Where the sockets are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The first port and the last one; the system chooses otherwise.
    ports: Option<(u16, u16)>,
    /// The address that clients are told.
    told: Option<IpAddr>,
}

impl Place {
    /// Reads both parameters.
    pub(super) fn read(args: &Args) -> Result<Self, Vec<Diagnostic>> {
        let mut mistakes = Vec::new();
        let given = |name| args.text(name).filter(|text| !text.is_empty());
        let mut ports = None;
        if let Some(text) = given(PORTS.name) {
            let port = |text: &str| text.parse().ok().filter(|port| *port > 0);
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            ports = port(first).zip(port(last)).filter(|(first, last)| first <= last);
            if ports.is_none() {
                let message = "`udp-ports` must be a range of ports, such as `40000-40099`";
                mistakes.push(args.mistake(PORTS.name, Code::BadValue, message));
            }
        }
        let mut told = None;
        if let Some(text) = given(ADDRESS.name) {
            let address = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
            told = address.ok().filter(|it| !it.is_unspecified() && !it.is_multicast());
            if told.is_none() {
                let message =
                    "`udp-address` must be the IP address that clients reach this machine at";
                mistakes.push(args.mistake(ADDRESS.name, Code::BadValue, message));
            }
        }
        if mistakes.is_empty() { Ok(Self { ports, told }) } else { Err(mistakes) }
    }

    /// The ports to try, one after another, for the socket with this number. A port is used again as late as possible:
    /// late datagrams of an earlier client may be on their way to it.
    pub(super) fn ports(self, number: usize) -> Box<dyn Iterator<Item = u16>> {
        let Some((first, last)) = self.ports else { return Box::new(iter::once(0)) };
        let count = usize::from(last - first) + 1;
        let from = u16::try_from(number % count).unwrap_or(0);
        Box::new((first + from..=last).chain(first..first + from))
    }

    /// The address to tell a client of the socket at `at`. A client of this machine, or of the other version of IP, doesn't
    /// come from outside.
    pub(super) fn told(self, at: SocketAddr) -> SocketAddr {
        match self.told {
            Some(told) if told.is_ipv4() == at.is_ipv4() && !at.ip().is_loopback() => {
                SocketAddr::new(told, at.port())
            }
            _ => at,
        }
    }
}

pub(super) const PORTS: Param = Param::new(
    "udp-ports",
    ValueKind::Text,
    "The ports of the sockets that relay datagrams, such as `40000-40099`, so that a firewall can let them through; each \
     client with datagrams needs one. By default, the system chooses them.",
)
.topic(Topic::Socket);

pub(super) const ADDRESS: Param = Param::new(
    "udp-address",
    ValueKind::Text,
    "The IP address that clients are told to send datagrams to, if something in between translates addresses (NAT) and \
     keeps the ports. Clients of this machine, and those of the other version of IP, are told the address that their \
     connection came to, which is the default for all.",
)
.topic(Topic::Socket);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_is_tried_once_and_the_next_socket_begins_behind() {
        let place = Place { ports: Some((65_533, 65_535)), told: None };
        let ports = |number| place.ports(number).collect::<Vec<_>>();
        assert_eq!(ports(0), [65_533, 65_534, 65_535]);
        assert_eq!(ports(4), [65_534, 65_535, 65_533]);
        assert_eq!(Place { ports: None, told: None }.ports(7).collect::<Vec<_>>(), [0]);
        let all = Place { ports: Some((1, 65_535)), told: None };
        assert_eq!(all.ports(65_534).count(), 65_535);
    }

    #[test]
    fn only_clients_from_outside_are_told_the_address() {
        let place = Place { ports: None, told: Some("203.0.113.7".parse().unwrap()) };
        for (at, told) in [
            ("10.0.0.1:4000", "203.0.113.7:4000"),
            ("127.0.0.1:4000", "127.0.0.1:4000"),
            ("[2001:db8::1]:4000", "[2001:db8::1]:4000"),
        ] {
            assert_eq!(place.told(at.parse().unwrap()).to_string(), told);
        }
    }
}
