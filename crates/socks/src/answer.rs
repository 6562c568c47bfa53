//! The server's answer to a request.

use std::fmt;

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::take::Taking;
use crate::target::{Host, Target};
use crate::{Error, Read, Version};

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The result, with the reason for a failure.
    pub reply: Reply,
    /// The proxy's own end of the connection, if it is given.
    pub bound: Option<Target>,
}

/// The result of a request (RFC 1928 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It did.
    Succeeded,
    /// The proxy failed.
    Failure,
    /// Its rules don't allow it.
    NotAllowed,
    /// The network can't be reached.
    NetworkUnreachable,
    /// The host can't be reached, or its name is unknown.
    HostUnreachable,
    /// The target refused.
    Refused,
    /// The target didn't answer.
    Expired,
    /// The proxy doesn't have the command.
    NoCommand,
    /// The proxy doesn't have such addresses.
    NoAddress,
    /// Anything else; of version 4, 91 to 93.
    Other(u8),
}

impl Answer {
    /// Creates a reply with the proxy's address of the connection.
    #[must_use]
    pub fn new(reply: Reply, bound: Option<SocketAddr>) -> Self {
        let target = |at: SocketAddr| Target { host: Host::Address(at.ip()), port: at.port() };
        Self { reply, bound: bound.map(target) }
    }

    /// Parses a reply of version 5.
    ///
    /// # Errors
    /// It is of another version, or has no address.
    pub fn read(bytes: &[u8]) -> Result<Read<Self>, Error> {
        Taking::message(bytes, |taking| {
            taking.version(5)?;
            let [reply, _] = taking.array()?;
            let bound = Some(Target::take(taking)?);
            Ok(Self { reply: Reply::of(reply), bound })
        })
    }

    /// Parses a reply of version 4.
    ///
    /// # Errors
    /// It doesn't begin with 0.
    pub fn read_v4(bytes: &[u8]) -> Result<Read<Self>, Error> {
        Taking::message(bytes, |taking| {
            taking.version(0)?;
            let reply = match taking.byte()? {
                90 => Reply::Succeeded,
                other => Reply::Other(other),
            };
            let port = u16::from_be_bytes(taking.array()?);
            let address = Ipv4Addr::from(taking.array::<4>()?);
            let bound = Some(Target { host: Host::Address(address.into()), port });
            Ok(Self { reply, bound })
        })
    }

    /// Returns its bytes.
    #[must_use]
    pub fn bytes(&self, version: Version) -> Vec<u8> {
        let nowhere = Target { host: Host::Address(Ipv4Addr::UNSPECIFIED.into()), port: 0 };
        let bound = self.bound.as_ref().unwrap_or(&nowhere);
        if version == Version::V5 {
            let mut bytes = vec![5, self.reply.byte(), 0];
            if bound.put(&mut bytes).is_err() {
                // A name that can't be encoded: no server could be bound to it.
                bytes.truncate(3);
                let _ = nowhere.put(&mut bytes);
            }
            return bytes;
        }
        // 90 is granted, 91 refused or failed.
        let granted = if self.reply == Reply::Succeeded { 90 } else { 91 };
        let mut bytes = vec![0, granted];
        bytes.extend(bound.port.to_be_bytes());
        bytes.extend(match bound.host {
            Host::Address(IpAddr::V4(address)) => address.octets(),
            _ => [0; 4],
        });
        bytes
    }
}

impl Reply {
    fn of(byte: u8) -> Self {
        match byte {
            0 => Self::Succeeded,
            1 => Self::Failure,
            2 => Self::NotAllowed,
            3 => Self::NetworkUnreachable,
            4 => Self::HostUnreachable,
            5 => Self::Refused,
            6 => Self::Expired,
            7 => Self::NoCommand,
            8 => Self::NoAddress,
            other => Self::Other(other),
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Failure => 1,
            Self::NotAllowed => 2,
            Self::NetworkUnreachable => 3,
            Self::HostUnreachable => 4,
            Self::Refused => 5,
            Self::Expired => 6,
            Self::NoCommand => 7,
            Self::NoAddress => 8,
            Self::Other(byte) => byte,
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Succeeded => "it succeeded",
            Self::Failure => "it reported a general failure",
            Self::NotAllowed => "its rules don't allow this connection",
            Self::NetworkUnreachable => "the network can't be reached",
            Self::HostUnreachable => "the host can't be reached",
            Self::Refused => "the connection was refused",
            Self::Expired => "there was no answer in time",
            Self::NoCommand => "it doesn't support the command",
            Self::NoAddress => "it doesn't support this type of address",
            Self::Other(91) => "it rejected the request or failed (91)",
            Self::Other(92) => "it can't query this machine's ident server (92)",
            Self::Other(93) => "this machine's ident server names another user (93)",
            Self::Other(code) => return write!(f, "it answered with the unknown code {code}"),
        })
    }
}
