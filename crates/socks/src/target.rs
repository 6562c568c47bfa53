//! The destination that a client requests.

use std::fmt;

// Addresses alone: core has no sockets.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Error;
use crate::take::{Stop, Taking};

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
}

/// A name or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name, which the proxy resolves.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Target {
    /// Reads it as version 5 has it (RFC 1928 section 5): the kind of address, the address, the port.
    pub(crate) fn take(taking: &mut Taking<'_>) -> Result<Self, Stop> {
        let host = match taking.byte()? {
            V4 => Host::Address(Ipv4Addr::from(taking.array::<4>()?).into()),
            NAME => Host::Name(name(taking.counted()?)?),
            V6 => Host::Address(Ipv6Addr::from(taking.array::<16>()?).into()),
            other => return Err(Error::BadAddress(other).into()),
        };
        let port = u16::from_be_bytes(taking.array()?);
        Ok(Self { host, port })
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        match &self.host {
            Host::Address(IpAddr::V4(v4)) => {
                out.push(V4);
                out.extend(v4.octets());
            }
            Host::Address(IpAddr::V6(v6)) => {
                out.push(V6);
                out.extend(v6.octets());
            }
            Host::Name(name) => {
                out.push(NAME);
                put_counted(name.as_bytes(), out)?;
            }
        }
        out.extend(self.port.to_be_bytes());
        Ok(())
    }
}

/// A name is text without zeros and control characters: it goes into logs and to a resolver.
pub(crate) fn name(bytes: &[u8]) -> Result<String, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::BadName)?;
    if text.is_empty() || text.contains(char::is_control) {
        return Err(Error::BadName);
    }
    Ok(text.to_owned())
}

pub(crate) fn put_counted(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let length = u8::try_from(bytes.len()).ok().filter(|length| *length > 0);
    out.push(length.ok_or(if bytes.is_empty() { Error::BadName } else { Error::TooLong })?);
    out.extend(bytes);
    Ok(())
}

const V4: u8 = 1;
const NAME: u8 = 3;
const V6: u8 = 4;
