//! The datagrams between a client and a relay: a header before the data.

use crate::Error;
use crate::take::{Read, Taking};
use crate::target::Target;

/// The header of a datagram (RFC 1928 section 7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The destination in a client's datagram; the sender in a relay's.
    pub target: Target,
}

impl Header {
    /// Parses the header of a whole datagram. Returns it with its length, which is where the data begins.
    ///
    /// # Errors
    /// The datagram ends within its header, has no such address, or is a fragment: a relay that joins no fragments has
    /// to drop them.
    pub fn read(datagram: &[u8]) -> Result<(Self, usize), Error> {
        let read = Taking::message(datagram, |taking| {
            let [_, _, fragment] = taking.array()?;
            if fragment != 0 {
                return Err(Error::Fragment(fragment).into());
            }
            Ok(Self { target: Target::take(taking)? })
        })?;
        match read {
            Read::Message(header, length) => Ok((header, length)),
            Read::More(_) => Err(Error::Short),
        }
    }

    /// Returns its bytes.
    ///
    /// # Errors
    /// The target's name is empty or has more than 255 bytes.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; 3];
        self.target.put(&mut bytes)?;
        Ok(bytes)
    }
}
