//! Errors in a head.

use std::fmt;

/// The reason why a head is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The sort of error, which selects a status.
    pub fault: Fault,
    /// In words.
    pub words: String,
}

/// The sorts of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It isn't HTTP/1: 400.
    Malformed,
    /// Another method than CONNECT: 405.
    Method,
    /// More than [`MOST`](crate::MOST) bytes or 100 fields: 431.
    TooLarge,
}

impl Error {
    pub(crate) fn new(fault: Fault, words: impl Into<String>) -> Self {
        Self { fault, words: words.into() }
    }

    pub(crate) fn of(error: httparse::Error) -> Self {
        match error {
            httparse::Error::TooManyHeaders => {
                Self::new(Fault::TooLarge, "a head has more than 100 fields")
            }
            error => {
                Self::new(Fault::Malformed, format!("received data that is not HTTP: {error}"))
            }
        }
    }

    pub(crate) fn too_large() -> Self {
        Self::new(Fault::TooLarge, "a head has more than 16 KiB")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Error {}
