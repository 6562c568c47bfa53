//! The credentials that a peer has sent.

use std::borrow::Cow;
use std::fmt;

use super::Fact;

/// The credentials of a peer, as its layer has read them. No template can use them, and a check removes them from the
/// facts.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// A user's name.
    pub user: Option<String>,
    /// The password that goes with it.
    pub password: Option<String>,
    /// A bearer token (RFC 6750): a secret that its holder sends on purpose.
    pub bearer: Option<String>,
    /// A ticket that opens one session, issued recently to a page that has sent a bearer token.
    pub ticket: Option<String>,
    /// Secrets that a browser sends automatically, and to every port of a host: cookies. A layer passes none for a
    /// request that becomes a session, so they admit to pages and files only. Clients may send several.
    pub cookies: Vec<String>,
}

impl Fact for Credentials {
    fn root(&self) -> &'static str {
        "credentials"
    }

    fn get(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}
