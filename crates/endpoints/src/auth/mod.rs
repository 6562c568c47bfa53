//! Authentication: what `auth=` means, for any layer whose clients can carry credentials.
//!
//! A layer reads [`Credentials`](endpoint::gate::Credentials) in its protocol's terms, asks the [`Authenticator`], and
//! renders what comes back: an identity, a ticket to spend, or a refusal with challenges. A provider is a
//! [`Gate`]; [`link`] is the first.

mod link;
mod secret;

use std::sync::Arc;

use endpoint::gate::Gate;
use plan::kind::Args;

use self::link::OneTimeLink;

/// Who may come in, planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Everybody who reaches the listener.
    Open,
    /// The browser that opens the link.
    Token,
}

impl Auth {
    /// Reads the parameter `auth`.
    pub(crate) fn read(args: &Args) -> Self {
        match args.text("auth") {
            Some("token") => Self::Token,
            _ => Self::Open,
        }
    }

    /// Makes what one listener asks; `None` if it admits everybody.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(crate) fn open(self) -> Result<Option<Authenticator>, getrandom::Error> {
        match self {
            Self::Open => Ok(None),
            Self::Token => {
                let (link, token) = OneTimeLink::new()?;
                Ok(Some(Authenticator { gate: Arc::new(link), invitation: Some(token) }))
            }
        }
    }
}

/// What a listener asks about its clients.
pub(crate) struct Authenticator {
    pub(crate) gate: Arc<dyn Gate>,
    /// A secret for the user to pass on, if the provider makes one.
    pub(crate) invitation: Option<String>,
}
