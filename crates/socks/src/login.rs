//! A name and a password (RFC 1929).

use std::fmt;

use crate::take::Taking;
use crate::target::put_counted;
use crate::{Error, Read};

/// The credentials of a client.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: Vec<u8>,
    /// The password.
    pub password: Vec<u8>,
}

impl Login {
    /// Parses it.
    ///
    /// # Errors
    /// It is of another version.
    pub fn read(bytes: &[u8]) -> Result<Read<Self>, Error> {
        Taking::message(bytes, |taking| {
            taking.version(1)?;
            let user = taking.counted()?.to_vec();
            Ok(Self { user, password: taking.counted()?.to_vec() })
        })
    }

    /// Returns its bytes.
    ///
    /// # Errors
    /// One of both is empty or has more than 255 bytes.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![1];
        put_counted(&self.user, &mut bytes)?;
        put_counted(&self.password, &mut bytes)?;
        Ok(bytes)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// Parses the server's reply to a login, and returns `true` if it is accepted.
///
/// # Errors
/// It is of another version.
pub fn login_status(bytes: &[u8]) -> Result<Read<bool>, Error> {
    Taking::message(bytes, |taking| {
        // Some servers send 5 here.
        let version = taking.byte()?;
        if version != 1 && version != 5 {
            return Err(Error::OtherVersion(version).into());
        }
        Ok(taking.byte()? == 0)
    })
}

/// Returns the server's reply to a login, as bytes.
#[must_use]
pub fn login_answer(is_right: bool) -> [u8; 2] {
    [1, u8::from(!is_right)]
}
