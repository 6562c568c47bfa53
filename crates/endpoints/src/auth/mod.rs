//! Authentication: what `auth=` means, for any layer whose clients can carry credentials.
//!
//! A layer reads [`Credentials`](endpoint::gate::Credentials) in its protocol's terms, asks the [`Authenticator`], and
//! renders what comes back: an identity, a ticket to spend, or a refusal with challenges. A provider is a
//! [`Gate`]; [`link`] is the first.

mod link;
mod secret;

use std::sync::Arc;

use endpoint::Refusal;
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
                let (gate, exchange) = (Arc::new(link.clone()), Arc::new(link));
                Ok(Some(Authenticator { gate, exchange, invitation: Some(token) }))
            }
        }
    }
}

/// What a listener asks about its clients.
pub(crate) struct Authenticator {
    pub(crate) gate: Arc<dyn Gate>,
    /// Where a page gets its tickets.
    pub(crate) exchange: Arc<dyn Exchange>,
    /// A secret for the user to pass on, if the provider makes one.
    pub(crate) invitation: Option<String>,
}

/// Gives a page what a browser needs for its sessions: it can't send a bearer token along with a WebSocket.
pub(crate) trait Exchange: Send + Sync {
    /// Exchanges a bearer token for a ticket. A token that works once is spent, and the secret that comes instead of
    /// it goes along.
    ///
    /// # Errors
    /// Why the token isn't good.
    fn exchange(&self, bearer: &str) -> Result<Exchanged, Refusal>;
}

/// What a page gets for a bearer token.
pub(crate) struct Exchanged {
    /// What to show from now on, if the token was good once.
    pub(crate) secret: Option<String>,
    /// What opens one session.
    pub(crate) ticket: String,
    /// What opens files.
    pub(crate) files: String,
}
