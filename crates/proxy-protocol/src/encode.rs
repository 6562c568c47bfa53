//! Encoding of headers.

use crate::{Error, Header, v1, v2};

/// The version of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A line of text. TLVs and addresses of Unix sockets don't fit in it, and are left out.
    V1,
    /// Binary.
    V2,
}

/// Encodes a header.
///
/// Addresses of both families in one header are both written as IPv6, the IPv4 one mapped (RFC 4291 section 2.5.5.2).
///
/// # Errors
/// [`Error::TooLong`]: the TLVs don't fit.
pub fn encode(header: &Header, version: Version) -> Result<Vec<u8>, Error> {
    match version {
        Version::V1 => Ok(v1::encode(header)),
        Version::V2 => v2::encode(header),
    }
}
