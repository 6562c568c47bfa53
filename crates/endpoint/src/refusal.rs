//! Refusals of offers, independent of the protocol.

use std::fmt;
use std::time::Duration;

use crate::Reason;
use crate::challenge::Challenge;

/// A refusal of an offer, independent of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The sort of refusal, which selects a status code.
    pub kind: RefusalKind,
    /// One line for the peer. It names no address that the peer didn't know.
    pub message: String,
    /// The ways in which the peer may authenticate, if that would help.
    pub challenges: Vec<Challenge>,
    /// The time after which another attempt may succeed, if it is known.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Creates a refusal.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), challenges: Vec::new(), retry_after: None }
    }

    /// Refuses a peer that has to authenticate, with the schemes that it may use.
    pub fn challenge(
        message: impl Into<String>,
        challenges: impl IntoIterator<Item = Challenge>,
    ) -> Self {
        let mut refusal = Self::new(RefusalKind::Unauthenticated, message);
        refusal.challenges.extend(challenges);
        refusal
    }

    /// Sets the time after which another attempt may succeed.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Returns the time after which another attempt may succeed in whole seconds, rounded up, as in HTTP's Retry-After
    /// (RFC 9110 section 10.2.3).
    #[must_use]
    pub fn retry_seconds(&self) -> Option<u64> {
        self.retry_after.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The sorts of refusal, with the HTTP status each becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The far side can't be opened as it is set up, and another attempt would fare no better: 500.
    Broken,
    /// Limits are reached, or we are stopping: 503.
    Busy,
    /// The peer may not: 403.
    Forbidden,
    /// There is no such thing: 404.
    NotFound,
    /// The far side did not take the connection: 502.
    Refused,
    /// The peer asks too often: 429.
    Throttled,
    /// The far side did not answer: 504.
    Timeout,
    /// The peer is not authenticated: 401.
    Unauthenticated,
}

impl RefusalKind {
    /// Returns the reason for the end of a session that was accepted already.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Busy | Self::Throttled => Reason::Limit,
            Self::Forbidden | Self::Unauthenticated => Reason::Forbidden,
            Self::NotFound => Reason::NotFound,
            Self::Broken | Self::Refused => Reason::Unreachable,
            Self::Timeout => Reason::Timeout,
        }
    }
}
