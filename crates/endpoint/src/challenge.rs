//! The ways to authenticate that a refusal names.

/// A way to authenticate, sent along with a refusal. Each layer renders it in its protocol's terms, or omits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme.
    pub scheme: Scheme,
    /// The purpose of the credentials, as shown to a user.
    pub realm: String,
}

/// The authentication schemes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// A user's name and password (RFC 7617).
    Basic,
    /// A token (RFC 6750).
    Bearer,
    /// A page to sign in on, at this path of the same origin: for browsers.
    Page(String),
}
