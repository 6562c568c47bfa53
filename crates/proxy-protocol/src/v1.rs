//! Version 1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n` (section 2.1).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{Addresses, Decoded, Error, Header};

pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, Error> {
    let looked = &bytes[..bytes.len().min(LONGEST)];
    let Some(end) = looked.windows(2).position(|pair| pair == b"\r\n") else {
        if bytes.len() >= LONGEST {
            return Err(Error::LineTooLong);
        }
        // The shortest line there is, or the end of this one.
        let missing = if looked.ends_with(b"\r") { 1 } else { 2 };
        return Ok(Decoded::More(SHORTEST.saturating_sub(bytes.len()).max(missing)));
    };
    let line = std::str::from_utf8(&looked[..end]).map_err(|_| Error::BadLine)?;
    let addresses = addresses(line).ok_or(Error::BadLine)?;
    Ok(Decoded::Header(Header::new(addresses), end + 2))
}

/// A single space between all words, and nothing else.
fn addresses(line: &str) -> Option<Addresses> {
    let mut words = line.strip_prefix("PROXY ")?.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        // The rest of the line is to be ignored.
        return Some(Addresses::Unknown);
    }
    let (source, destination) = (words.next()?, words.next()?);
    let (from, to) = (port(words.next()?)?, port(words.next()?)?);
    if words.next().is_some() {
        return None;
    }
    let ip = |text: &str| -> Option<IpAddr> {
        match family {
            "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let source = SocketAddr::new(ip(source)?, from);
    let destination = SocketAddr::new(ip(destination)?, to);
    Some(Addresses::Inet { source, destination })
}

/// Digits without a leading zero.
fn port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && (text == "0" || !text.starts_with('0'))).then(|| text.parse().ok())?
}

pub(crate) fn encode(header: &Header) -> Vec<u8> {
    let Addresses::Inet { source, destination } = header.addresses else {
        return b"PROXY UNKNOWN\r\n".to_vec();
    };
    let family = if source.is_ipv4() && destination.is_ipv4() { "TCP4" } else { "TCP6" };
    let ip = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) if family == "TCP6" => IpAddr::V6(ip.to_ipv6_mapped()),
        ip => ip,
    };
    let (from, to) = (source.port(), destination.port());
    format!("PROXY {family} {} {} {from} {to}\r\n", ip(source), ip(destination)).into_bytes()
}

pub(crate) const START: &[u8] = b"PROXY ";

/// `PROXY UNKNOWN` and its end.
pub(crate) const SHORTEST: usize = 15;
/// The length of the longest line, including its end.
const LONGEST: usize = 107;
