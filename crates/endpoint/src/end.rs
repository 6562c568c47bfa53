//! The reason for the end of one side, which a bare end of file can't carry.

use std::borrow::Cow;
use std::fmt;
use std::io;

use crate::Reason;

/// The end of one direction, with the reason where the transport has one.
///
/// An end read from one side is handed to the other side's
/// [`poll_finish`](crate::Life::poll_finish), so a WebSocket's close code reaches a WebSocket, and a
/// program's exit status reaches a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// The reason.
    pub why: Reason,
    /// The peer's close code (RFC 6455 section 7.4), for a transport that has such codes too. Without one, the
    /// transport uses the code in its table for `why`.
    pub code: Option<u16>,
    /// The cause of the end, as text for a person. Layers truncate it to what their protocol
    /// permits.
    pub reason: Cow<'static, str>,
    /// The exit status of the program on that side.
    pub status: Option<ExitStatus>,
    /// Set if data before it may be missing, whatever the reason is.
    cut: bool,
}

impl End {
    /// Returns an end without further information, such as a TCP FIN.
    #[must_use]
    pub fn eof() -> Self {
        Self::default()
    }

    /// Creates an end for this reason, with the reason's text.
    #[must_use]
    pub fn of(why: Reason) -> Self {
        Self { why, code: None, reason: why.words().into(), status: None, cut: false }
    }

    /// Creates an end for this reason, with another text.
    pub fn because(why: Reason, words: impl Into<Cow<'static, str>>) -> Self {
        Self { why, code: None, reason: words.into(), status: None, cut: false }
    }

    /// Creates an end with the peer's close code, which means `why`.
    pub fn with_code(why: Reason, code: u16, words: impl Into<Cow<'static, str>>) -> Self {
        Self { why, code: Some(code), reason: words.into(), status: None, cut: false }
    }

    /// Returns the end of a direction because of this error on the other one: the end that the error carries
    /// ([`End::into_error`]), or else its sort.
    #[must_use]
    pub fn lost(error: &io::Error) -> Self {
        if let Some(Carried(end)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return end.clone();
        }
        // The sort of error alone: its words may name what is none of the peer's business.
        Self::because(Reason::Failed, error.kind().to_string())
    }

    /// Returns an error that carries this end to the other side.
    #[must_use]
    pub fn into_error(self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, Carried(self))
    }

    /// Returns the end, of data that may be incomplete.
    #[must_use]
    pub fn cutting(self) -> Self {
        Self { cut: true, ..self }
    }

    /// Returns `true` if the data before it may be incomplete: an encrypted stream ended without its closing alert
    /// (RFC 8446 section 6.1), or we stopped reading one before its end. Such an end must not be passed on as an end of
    /// input. A WebSocket that ends without a Close (close code 1006) is not cut, because each message has its own end.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut || (self.why == Reason::Truncated && self.code.is_none())
    }

    /// Creates the end of a program.
    #[must_use]
    pub fn exited(status: ExitStatus) -> Self {
        Self {
            why: Reason::Exit,
            code: None,
            reason: status.to_string().into(),
            status: Some(status),
            cut: false,
        }
    }
}

/// An end, as an error carries it.
#[derive(Debug)]
struct Carried(End);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

impl std::error::Error for Carried {}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, &*self.reason) {
            (None, "") => f.write_str("end of stream"),
            (None, reason) => f.write_str(reason),
            (Some(code), "") => write!(f, "close {code}"),
            (Some(code), reason) => write!(f, "close {code}, {reason:?}"),
        }
    }
}

/// The exit status of a program, as returned by `wait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this status, 0 to 255.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// Unknown: other code took its status first.
    Unknown,
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => write!(f, "ended by signal {signal}"),
            Self::Unknown => f.write_str("exit status unknown"),
        }
    }
}
