//! Errors: the failure, the endpoint and the operation.

use std::fmt;
use std::io;

/// The result of an endpoint's work.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of an endpoint: `Display` is one line that names the act, the endpoint and the cause.
///
/// ```
/// use endpoint::{Error, ErrorKind};
/// let cause = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let error = Error::from_io("connect", "tcp:127.0.0.1:23", cause);
/// assert_eq!(error.to_string(), "cannot connect tcp:127.0.0.1:23: connection refused");
/// assert_eq!(error.kind(), ErrorKind::Refused);
/// ```
pub struct Error {
    act: &'static str,
    endpoint: String,
    kind: ErrorKind,
    cause: Cause,
    hint: Option<String>,
    bare: Option<String>,
}

/// The sort of failure, which selects a status code, a refusal or a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The address, device or path is in use.
    Busy,
    /// A configured policy forbids it.
    Forbidden,
    /// The thing or the name doesn't exist.
    NotFound,
    /// Another error of the operating system.
    Other,
    /// The system denies permission.
    Permission,
    /// The peer violates its protocol.
    Protocol,
    /// The peer refused the connection.
    Refused,
    /// It took too long.
    Timeout,
    /// The service that knows the destination can't be asked at the moment.
    Unavailable,
    /// There is no route to a destination.
    Unrouted,
}

impl Error {
    /// Creates a failure from a text.
    pub fn new(
        kind: ErrorKind,
        act: &'static str,
        endpoint: impl Into<String>,
        cause: impl Into<String>,
    ) -> Self {
        let cause = Cause::Words(cause.into());
        Self { act, endpoint: endpoint.into(), kind, cause, hint: None, bare: None }
    }

    /// Creates a failure from the operating system's error.
    pub fn from_io(act: &'static str, endpoint: impl Into<String>, cause: io::Error) -> Self {
        use io::ErrorKind as K;
        let kind = match cause.kind() {
            K::AddrInUse | K::ResourceBusy | K::WouldBlock => ErrorKind::Busy,
            K::NotFound | K::AddrNotAvailable => ErrorKind::NotFound,
            K::PermissionDenied => ErrorKind::Permission,
            K::InvalidData => ErrorKind::Protocol,
            K::ConnectionRefused => ErrorKind::Refused,
            K::TimedOut => ErrorKind::Timeout,
            _ => ErrorKind::Other,
        };
        Self {
            act,
            endpoint: endpoint.into(),
            kind,
            cause: Cause::Io(cause),
            hint: None,
            bare: None,
        }
    }

    /// Adds a hint: one sentence without a full stop.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause as a text without names: no address, path or program.
    #[must_use]
    pub fn with_bare_cause(mut self, words: impl Into<String>) -> Self {
        self.bare = Some(words.into());
        self
    }

    /// Returns the sort of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the operation that failed: `bind`, `accept`, `connect`.
    #[must_use]
    pub fn act(&self) -> &'static str {
        self.act
    }

    /// Returns the descriptor of the endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the cause without the operation and the endpoint.
    #[must_use]
    pub fn cause(&self) -> String {
        self.cause.to_string()
    }

    /// Returns the hint, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns the operating system's error, if it was one.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            Cause::Words(_) => None,
        }
    }

    /// Returns the cause as a text without names, for a peer that may not learn what is behind the listener. The
    /// operating system's messages are such texts; for other errors, it is their sort.
    ///
    /// ```
    /// use endpoint::Error;
    /// let refused = std::io::Error::from_raw_os_error(111);
    /// let refused = Error::from_io("connect", "tcp:secret.example:1", refused);
    /// assert_eq!(refused.bare_cause().as_deref(), Some("connection refused"));
    /// let named = std::io::Error::other("secret.example has no certificate");
    /// let named = Error::from_io("connect", "tls:secret.example:1", named);
    /// assert_eq!(named.bare_cause().as_deref(), Some("other error"));
    /// ```
    #[must_use]
    pub fn bare_cause(&self) -> Option<String> {
        let of_io = |error: &io::Error| match error.raw_os_error() {
            Some(_) => describe(error),
            None => error.kind().to_string(),
        };
        self.bare.clone().or_else(|| self.io().map(of_io))
    }

    /// Returns `true` if accepting failed because of the one connection that was to be accepted, so
    /// that the next can be tried at once.
    #[must_use]
    pub fn is_of_one_connection(&self) -> bool {
        use io::ErrorKind as K;
        self.io().is_some_and(|error| {
            matches!(
                error.kind(),
                K::ConnectionAborted | K::ConnectionRefused | K::ConnectionReset | K::Interrupted
            )
        })
    }

    /// Returns `true` if the system, or this process, has run out of descriptors or memory: EMFILE,
    /// ENFILE, ENOBUFS or ENOMEM, numbered as on Linux.
    #[must_use]
    pub fn is_exhaustion(&self) -> bool {
        let number = self.io().and_then(io::Error::raw_os_error);
        number.is_some_and(|number| matches!(number, 12 | 23 | 24 | 105))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.act, self.endpoint, self.cause)
    }
}

/// The same as `Display`, for a `main` that returns it and for `unwrap`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.io().map(|error| error as _)
    }
}

enum Cause {
    Io(io::Error),
    Words(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Io(error) => f.write_str(&describe(error)),
        }
    }
}

/// Returns the system's message without Rust's `(os error 111)`, in lower case like all messages.
#[must_use]
pub fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let word = text.split(' ').next().unwrap_or(text);
    let mut chars = text.chars();
    match chars.next() {
        // An acronym or a name, such as WebSocket, stays as it is.
        Some(first) if !word.chars().skip(1).any(char::is_uppercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}
