//! Admission: the identity of a peer, and the decision to let it in.
//!
//! A [`Gate`] sees the facts about a peer, among them the [`Credentials`] that its layer has read, and returns an
//! [`Admitted`] or a [`Refusal`]. The forwarder asks its gate for every offer, and a layer asks for whatever it answers
//! with more than an error. Only a check that passed puts an [`Identity`] and a [`Role`] into an [`Info`]: no fact of a
//! layer or a client can.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Fact, Info, Refusal, RefusalKind};

/// Admits or refuses a peer. Nothing is connected, started or opened for a peer that has not passed.
///
/// A peer that has sent credentials has them as the fact [`Credentials`]: those of Basic and Bearer over HTTP, and the
/// name and the password of SOCKS and of an HTTP proxy. A gate that needs some and finds none returns
/// [`Refusal::challenge`], and the layer asks for them: over HTTP, with a 401 and its `WWW-Authenticate`.
///
/// ```
/// use endpoint::gate::{Admitted, Challenge, Credentials, Gate, Identity, Role, Scheme};
/// use endpoint::{Info, Refusal};
///
/// struct Token;
///
/// #[async_trait::async_trait]
/// impl Gate for Token {
///     async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
///         match info.get::<Credentials>().and_then(|shown| shown.bearer.as_deref()) {
///             Some("hunter2") => Ok(Admitted::new(info, Identity::anonymous(), Role::ReadWrite)),
///             _ => {
///                 let bearer = Challenge { scheme: Scheme::Bearer, realm: "example".to_owned() };
///                 Err(Refusal::challenge("a token is needed", [bearer]))
///             }
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Gate: Send + Sync {
    /// Admits the peer, or refuses it. The future is dropped if the peer leaves, and when its time is over.
    ///
    /// # Errors
    /// The refusal that the peer gets, with the challenges that it may answer.
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal>;
}

/// Admits every peer, without an identity.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenGate;

#[async_trait]
impl Gate for OpenGate {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        Ok(Admitted::unchanged(info))
    }
}

#[async_trait]
impl<G: Gate + ?Sized> Gate for Arc<G> {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        (**self).check(info).await
    }
}

/// A peer that passed a check.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admitted {
    /// The facts that were checked, without credentials and with the identity.
    pub info: Info,
    /// The credential to spend once the peer's session opens, if it works once.
    pub ticket: Option<Ticket>,
}

impl Admitted {
    /// Admits the peer that `info` is about as this identity, in this role.
    #[must_use]
    pub fn new(info: &Info, identity: Identity, role: Role) -> Self {
        let info = info.clone().without_credentials().with_admission(identity, role);
        Self { info, ticket: None }
    }

    /// Admits the peer with the identity and role that an earlier check found.
    #[must_use]
    pub fn unchanged(info: &Info) -> Self {
        Self { info: info.clone().without_credentials(), ticket: None }
    }

    /// Adds a ticket, which is spent when the peer's session opens.
    #[must_use]
    pub fn with_ticket(mut self, ticket: Ticket) -> Self {
        self.ticket = Some(ticket);
        self
    }

    /// Returns the peer's identity, if a check has determined it.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.info.identity()
    }

    /// Returns the peer's role, if a check has determined it.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.info.role()
    }

    /// Adds the identity to other facts about the same peer.
    #[must_use]
    pub fn mark(&self, info: Info) -> Info {
        info.admitted_as(&self.info)
    }
}

/// The identity of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(Option<String>);

impl Identity {
    /// Creates the identity of a peer that was admitted without a name.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// Creates the identity of a user of this name.
    pub fn user(name: impl Into<String>) -> Self {
        Self(Some(name.into()))
    }

    /// Returns the user's name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// The role of a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Read and write.
    #[default]
    ReadWrite,
    /// Read only.
    ReadOnly,
}

impl Role {
    /// Returns its name: `rw` or `ro`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadWrite => "rw",
            Self::ReadOnly => "ro",
        }
    }
}

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

/// Credentials that work once, verified and not spent yet. A request that is refused for another reason doesn't spend
/// them: dropping a ticket spends nothing.
pub struct Ticket(Spend);

type Spend = Box<dyn FnOnce() -> Result<(), Refusal> + Send + Sync>;

impl Ticket {
    /// Creates a ticket that `spend` spends.
    pub fn new(spend: impl FnOnce() -> Result<(), Refusal> + Send + Sync + 'static) -> Self {
        Self(Box::new(spend))
    }

    /// Spends the credentials.
    ///
    /// # Errors
    /// Another session has spent them meanwhile.
    pub fn spend(self) -> Result<(), Refusal> {
        (self.0)()
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}

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

impl Refusal {
    /// Refuses a peer that has to authenticate, with the schemes that it may use.
    pub fn challenge(
        message: impl Into<String>,
        challenges: impl IntoIterator<Item = Challenge>,
    ) -> Self {
        let mut refusal = Self::new(RefusalKind::Unauthenticated, message);
        refusal.challenges.extend(challenges);
        refusal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Pretender;

    impl Fact for Pretender {
        fn root(&self) -> &'static str {
            "auth"
        }

        fn get(&self, _: &str) -> Option<Cow<'_, str>> {
            Some("root".into())
        }
    }

    #[test]
    fn identity_comes_from_a_check_alone() {
        let info = Info::new().with(Pretender);
        assert_eq!(info.lookup("auth", "user"), None);
        let admitted = Admitted::new(&info, Identity::user("ada"), Role::ReadOnly);
        let known = admitted.info.clone().with(Pretender);
        assert_eq!(known.lookup("auth", "user").as_deref(), Some("ada"));
        assert_eq!(known.lookup("auth", "role").as_deref(), Some("ro"));
        assert_eq!(admitted.mark(Info::new()).identity(), Some(&Identity::user("ada")));
        let again = Admitted::unchanged(&known);
        assert_eq!((again.identity(), again.role()), (admitted.identity(), admitted.role()));
    }

    #[test]
    fn credentials_end_with_the_check_and_are_shown_nowhere() {
        let credentials =
            Credentials { bearer: Some("hunter2".to_owned()), ..Credentials::default() };
        let info = Info::new().with(credentials);
        assert!(!format!("{info:?}").contains("hunter"), "{info:?}");
        assert!(Admitted::unchanged(&info).info.get::<Credentials>().is_none());
    }
}
