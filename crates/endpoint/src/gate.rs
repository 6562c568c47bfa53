//! Admission: the identity of a peer, and the decision to let it in.
//!
//! A [`Gate`] sees the facts about a peer, among them the [`Credentials`] that its layer has read, and returns an
//! [`Admitted`] or a [`Refusal`]. The forwarder asks its gate for every offer, and a layer asks for whatever it answers
//! with more than an error. Only a check that passed puts an [`Identity`] and a [`Role`] into an [`Info`]: no fact of a
//! layer or a client can.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub use crate::challenge::{Challenge, Scheme};
pub use crate::info::credentials::Credentials;
pub use crate::info::identity::{Identity, Role};
use crate::{Info, Refusal};

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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::Fact;

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
