//! Version 2 (section 2.2): 12 bytes of signature, version and command, family and transport, the length of the rest,
//! addresses, TLVs.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::crc32c::crc32c;
use crate::tlv::{self, CRC32C};
use crate::{Addresses, Decoded, Error, Header};

pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, Error> {
    // A mistake is reported as early as it is known.
    let is_local = match bytes.get(12) {
        None => return Ok(Decoded::More(FIXED - bytes.len())),
        Some(0x20) => true,
        Some(0x21) => false,
        Some(_) => return Err(Error::BadCommand),
    };
    let Some(family) = bytes.get(13) else { return Ok(Decoded::More(FIXED - bytes.len())) };
    let family = Family::of(*family).ok_or(Error::BadFamily)?;
    let Some(length) = bytes.get(14..FIXED) else {
        return Ok(Decoded::More(FIXED - bytes.len()));
    };
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    // Of a proxy that speaks for itself, family and addresses mean nothing.
    let of_addresses = if is_local { family.length().min(length) } else { family.length() };
    if length < of_addresses {
        return Err(Error::TooShort);
    }
    let whole = FIXED + length;
    let Some(whole_header) = bytes.get(..whole) else {
        return Ok(Decoded::More(whole - bytes.len()));
    };
    let (addresses, rest) = whole_header[FIXED..].split_at(of_addresses);
    let addresses = if is_local { Addresses::Local } else { family.addresses(addresses) };
    let tlvs = tlv::decode(rest)?;
    check(whole_header, FIXED + of_addresses)?;
    Ok(Decoded::Header(Header { addresses, tlvs }, whole))
}

/// Checks the checksum, if there is one: over the whole header, with zeros in its own place.
fn check(header: &[u8], tlvs: usize) -> Result<(), Error> {
    let Some((at, value)) = tlv::find(&header[tlvs..], CRC32C) else { return Ok(()) };
    let said = <[u8; 4]>::try_from(value).map_err(|_| Error::BadTlv)?;
    let mut zeroed = header.to_vec();
    zeroed[tlvs + at..tlvs + at + 4].fill(0);
    if crc32c(&zeroed) == u32::from_be_bytes(said) { Ok(()) } else { Err(Error::BadChecksum) }
}

#[derive(Clone, Copy)]
enum Family {
    Unspecified,
    V4,
    V6,
    Unix,
}

impl Family {
    /// The upper half is the family, the lower one the transport.
    fn of(byte: u8) -> Option<Self> {
        let family = match byte >> 4 {
            0 => Self::Unspecified,
            1 => Self::V4,
            2 => Self::V6,
            3 => Self::Unix,
            _ => return None,
        };
        (byte & 0xf <= 2).then_some(family)
    }

    fn length(self) -> usize {
        match self {
            Self::Unspecified => 0,
            Self::V4 => 12,
            Self::V6 => 36,
            Self::Unix => 2 * UNIX,
        }
    }

    /// `bytes` has the length given by [`Family::length`].
    fn addresses(self, bytes: &[u8]) -> Addresses {
        match self {
            Self::Unspecified => Addresses::Unknown,
            Self::V4 => inet::<4>(bytes, |ip| Ipv4Addr::from(ip).into()),
            Self::V6 => inet::<16>(bytes, |ip| Ipv6Addr::from(ip).into()),
            Self::Unix => {
                let (source, destination) = bytes.split_at(UNIX);
                Addresses::Unix { source: path(source), destination: path(destination) }
            }
        }
    }
}

fn inet<const N: usize>(bytes: &[u8], ip: fn([u8; N]) -> IpAddr) -> Addresses {
    let address = |at: usize| {
        let mut octets = [0; N];
        octets.copy_from_slice(&bytes[at..at + N]);
        ip(octets)
    };
    let port = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    Addresses::Inet {
        source: SocketAddr::new(address(0), port(2 * N)),
        destination: SocketAddr::new(address(N), port(2 * N + 2)),
    }
}

/// A path without what fills its place. An abstract name has a zero in front.
fn path(place: &[u8]) -> Vec<u8> {
    let end = place.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    place[..end].to_vec()
}

pub(crate) fn encode(header: &Header) -> Result<Vec<u8>, Error> {
    let mut rest = Vec::new();
    let (command, family) = match &header.addresses {
        Addresses::Local => (0x20, 0x00),
        Addresses::Unknown => (0x21, 0x00),
        Addresses::Inet { source, destination } => {
            let family = match (source.ip(), destination.ip()) {
                (IpAddr::V4(source), IpAddr::V4(destination)) => {
                    rest.extend(source.octets());
                    rest.extend(destination.octets());
                    0x11
                }
                (source, destination) => {
                    rest.extend(v6(source).octets());
                    rest.extend(v6(destination).octets());
                    0x21
                }
            };
            rest.extend(source.port().to_be_bytes());
            rest.extend(destination.port().to_be_bytes());
            (0x21, family)
        }
        Addresses::Unix { source, destination } => {
            for path in [source, destination] {
                let mut place = [0; UNIX];
                let length = path.len().min(UNIX);
                place[..length].copy_from_slice(&path[..length]);
                rest.extend(place);
            }
            (0x21, 0x31)
        }
    };
    tlv::encode(&header.tlvs, &mut rest)?;
    let length = u16::try_from(rest.len()).map_err(|_| Error::TooLong)?;
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([command, family]);
    bytes.extend(length.to_be_bytes());
    bytes.append(&mut rest);
    Ok(bytes)
}

fn v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

pub(crate) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Up to the length of the rest, and with it.
const FIXED: usize = 16;
/// The room of a Unix socket's path.
const UNIX: usize = 108;
