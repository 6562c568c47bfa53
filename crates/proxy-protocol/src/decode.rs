//! Decoding of headers, of either version.

use crate::{Decoded, Error, v1, v2};

/// Decodes a header from the start of `bytes`. Nothing is allocated before it is complete.
///
/// # Errors
/// The bytes are no header, whatever follows.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Error> {
    if bytes.is_empty() {
        // The shorter of both, or data behind it would be taken along.
        return Ok(Decoded::More(v1::SHORTEST));
    }
    if is_prefix(bytes, v2::SIGNATURE) {
        return v2::decode(bytes);
    }
    if is_prefix(bytes, v1::START) {
        return v1::decode(bytes);
    }
    Err(Error::NoHeader)
}

/// Returns `true` if one of them begins with the other.
fn is_prefix(bytes: &[u8], start: &[u8]) -> bool {
    let common = bytes.len().min(start.len());
    bytes[..common] == start[..common]
}
