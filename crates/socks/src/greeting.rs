//! The client's first message, and the server's choice.

use crate::take::Taking;
use crate::{Error, Read, Request, request};

/// A client's first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// In version 4, the request is the first message.
    V4(Request),
    /// Version 5, with the authentication methods that the client offers.
    V5(Vec<Method>),
}

/// An authentication method (RFC 1928 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Not at all.
    Nothing,
    /// A name and a password (RFC 1929).
    Password,
    /// Any other one.
    Other(u8),
}

impl Greeting {
    /// Parses it.
    ///
    /// # Errors
    /// It is neither version, or a request of version 4 is malformed.
    pub fn read(bytes: &[u8]) -> Result<Read<Self>, Error> {
        Taking::message(bytes, |taking| match taking.byte()? {
            4 => request::take_v4(taking).map(Self::V4),
            5 => Ok(Self::V5(taking.counted()?.iter().map(|byte| Method::of(*byte)).collect())),
            other => Err(Error::BadVersion(other).into()),
        })
    }
}

impl Method {
    fn of(byte: u8) -> Self {
        match byte {
            0 => Self::Nothing,
            2 => Self::Password,
            other => Self::Other(other),
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Password => 2,
            Self::Other(byte) => byte,
        }
    }
}

/// Returns the greeting of version 5 with these methods, as bytes.
#[must_use]
pub fn hello(methods: &[Method]) -> Vec<u8> {
    let mut bytes = vec![5, u8::try_from(methods.len()).unwrap_or(u8::MAX)];
    bytes.extend(methods.iter().take(255).map(|method| method.byte()));
    bytes
}

/// The server's choice from a greeting of version 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice(
    /// `None` if it takes none of them.
    pub Option<Method>,
);

impl Choice {
    /// Parses it.
    ///
    /// # Errors
    /// It isn't version 5.
    pub fn read(bytes: &[u8]) -> Result<Read<Self>, Error> {
        Taking::message(bytes, |taking| {
            taking.version(5)?;
            Ok(match taking.byte()? {
                NONE => Self(None),
                byte => Self(Some(Method::of(byte))),
            })
        })
    }

    /// Returns its bytes.
    #[must_use]
    pub fn bytes(self) -> [u8; 2] {
        [5, self.0.map_or(NONE, Method::byte)]
    }
}

const NONE: u8 = 0xff;
