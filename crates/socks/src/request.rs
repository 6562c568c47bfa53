//! A client's request.

use core::net::{IpAddr, Ipv4Addr};

use crate::take::{Stop, Taking};
use crate::target::{Host, Target, name};
use crate::{Error, Read};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The requested command.
    pub command: Command,
    /// The destination.
    pub target: Target,
    /// In version 4, the client's user name, without a password; usually empty.
    pub user: String,
}

/// The requested command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Connect to the target.
    Connect,
    /// Listen for a connection from the target.
    Bind,
    /// Relay datagrams.
    Associate,
    /// Nothing that there is.
    Other(u8),
}

/// The version of a request to encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Version 4, which has IPv4 addresses.
    V4,
    /// Version 4 with names.
    V4a,
    /// Version 5.
    V5,
}

impl Request {
    /// Creates a request to connect.
    #[must_use]
    pub fn connect(target: Target) -> Self {
        Self { command: Command::Connect, target, user: String::new() }
    }

    /// Parses a request of version 5. In version 4, it is the [`Greeting`](crate::Greeting).
    ///
    /// # Errors
    /// It is of another version, or has no address.
    pub fn read(bytes: &[u8]) -> Result<Read<Self>, Error> {
        Taking::message(bytes, |taking| {
            taking.version(5)?;
            let [command, _] = taking.array()?;
            let target = Target::take(taking)?;
            Ok(Self { command: Command::of(command), target, user: String::new() })
        })
    }

    /// Returns its bytes.
    ///
    /// # Errors
    /// The target or the user can't be written in that version.
    pub fn bytes(&self, version: Version) -> Result<Vec<u8>, Error> {
        let command = self.command.byte();
        if version == Version::V5 {
            let mut bytes = vec![5, command, 0];
            self.target.put(&mut bytes)?;
            return Ok(bytes);
        }
        let (address, name) = match &self.target.host {
            Host::Address(IpAddr::V4(address)) => (*address, None),
            Host::Address(IpAddr::V6(_)) => return Err(Error::NoV6),
            Host::Name(name) if version == Version::V4a => (NAMED, Some(name)),
            Host::Name(_) => return Err(Error::BadName),
        };
        let mut bytes = vec![4, command];
        bytes.extend(self.target.port.to_be_bytes());
        bytes.extend(address.octets());
        for text in [Some(&self.user), name].into_iter().flatten() {
            if text.len() > 255 || text.contains('\0') {
                return Err(Error::TooLong);
            }
            bytes.extend(text.as_bytes());
            bytes.push(0);
        }
        Ok(bytes)
    }
}

/// Reads a request after its version.
pub(crate) fn take_v4(taking: &mut Taking<'_>) -> Result<Request, Stop> {
    let command = Command::of(taking.byte()?);
    let port = u16::from_be_bytes(taking.array()?);
    let address: [u8; 4] = taking.array()?;
    let user = String::from_utf8_lossy(taking.up_to_zero()?).into_owned();
    // 0.0.0.x means that a name follows (SOCKS 4A).
    let host = match address {
        [0, 0, 0, last] if last > 0 => Host::Name(name(taking.up_to_zero()?)?),
        address => Host::Address(Ipv4Addr::from(address).into()),
    };
    Ok(Request { command, target: Target { host, port }, user })
}

impl Command {
    fn of(byte: u8) -> Self {
        match byte {
            1 => Self::Connect,
            2 => Self::Bind,
            3 => Self::Associate,
            other => Self::Other(other),
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Connect => 1,
            Self::Bind => 2,
            Self::Associate => 3,
            Self::Other(byte) => byte,
        }
    }
}

const NAMED: Ipv4Addr = Ipv4Addr::new(0, 0, 0, 1);
