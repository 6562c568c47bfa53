//! Why one side has no more to say: what a bare end of file can't carry.

use std::borrow::Cow;
use std::fmt;

/// The end of one direction, with the reason where the transport has one.
///
/// An end read from one side is handed to the other side's
/// [`poll_finish`](crate::Life::poll_finish), so a WebSocket's close code reaches a WebSocket, and a
/// program's exit status reaches a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// A WebSocket close code (RFC 6455 section 7.4), where the end came with one or wants one.
    pub code: Option<u16>,
    /// What ended it, in words for a person. Layers cut it to what their protocol takes.
    pub reason: Cow<'static, str>,
    /// How the program on that side ended.
    pub status: Option<ExitStatus>,
}

impl End {
    /// An end that says nothing but that it is one: a TCP FIN.
    #[must_use]
    pub fn eof() -> Self {
        Self::default()
    }

    /// An end with a close code and a reason.
    pub fn with_code(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Some(code), reason: reason.into(), status: None }
    }

    /// An end that is known only in words.
    pub fn because(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code: None, reason: reason.into(), status: None }
    }

    /// The end of a program.
    #[must_use]
    pub fn exited(status: ExitStatus) -> Self {
        Self { code: None, reason: status.to_string().into(), status: Some(status) }
    }
}

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

/// How a program ended, as `wait` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this status, 0 to 255.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// The system doesn't tell: something else took its status first.
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
