//! Facts about a connection: a stack, innermost first.
//!
//! By name for templates, logs and a program's environment (`http.path`); by type for code. A fact
//! is text from a peer more often than not: it can become a value, never syntax.

pub(crate) mod credentials;
mod http;
pub(crate) mod identity;
mod proxied;
mod socket;
mod target;
mod window;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use self::credentials::Credentials;
pub use self::http::Http;
use self::identity::{Identity, Role};
pub use self::proxied::Proxied;
pub use self::socket::{Tcp, Udp, Unix};
pub use self::target::{Restriction, Target};
pub use self::window::RequestedWindow;
use crate::Network;

/// Facts of one layer of a connection.
pub trait Fact: Any + fmt::Debug + Send + Sync {
    /// Returns the first part of their names. The kind that adds the facts declares them, for
    /// templates.
    fn root(&self) -> &'static str;

    /// Returns the value of `root.name`.
    fn get(&self, name: &str) -> Option<Cow<'_, str>>;

    /// Returns the peer's address for the log, if this layer knows it.
    fn peer(&self) -> Option<String> {
        None
    }

    /// Returns the peer's network, if this layer knows it.
    fn network(&self) -> Option<Network> {
        None
    }

    /// Returns the subprotocols that the peer offers, in order of preference; on an open connection, the agreed one.
    /// `None` if this layer has no subprotocols.
    fn subprotocols(&self) -> Option<&[String]> {
        None
    }

    /// Returns the fields for the log line of a session's start: `NAME=VALUE`, separated by spaces; text from a peer is
    /// quoted. `None` by default.
    fn log(&self) -> Option<String> {
        None
    }
}

/// The facts about one connection. Cheap to clone.
#[derive(Clone, Default)]
pub struct Info {
    facts: Vec<Arc<dyn Fact>>,
    /// The identity and role of the peer. Not a fact, so that only a check can set it.
    admission: Option<Arc<(Identity, Role)>>,
}

impl Info {
    /// Creates an empty stack of facts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one more fact, outermost.
    #[must_use]
    pub fn with(self, fact: impl Fact) -> Self {
        self.with_shared(Arc::new(fact))
    }

    /// Adds one more fact, outermost, that is in use elsewhere as well.
    #[must_use]
    pub fn with_shared(mut self, fact: Arc<impl Fact>) -> Self {
        self.facts.push(fact);
        self
    }

    /// Returns the outermost fact of type `T`.
    #[must_use]
    pub fn get<T: Fact>(&self) -> Option<&T> {
        self.facts.iter().rev().find_map(|fact| {
            let fact: &dyn Any = &**fact;
            fact.downcast_ref()
        })
    }

    /// Returns the outermost value of `root.name`. `auth.user` and `auth.role` come from the check that the peer
    /// passed.
    #[must_use]
    pub fn lookup(&self, root: &str, name: &str) -> Option<Cow<'_, str>> {
        if root == "auth" {
            return match name {
                "user" => self.identity()?.name().map(Cow::Borrowed),
                "role" => Some(Cow::Borrowed(self.role()?.name())),
                _ => None,
            };
        }
        self.facts.iter().rev().filter(|fact| fact.root() == root).find_map(|fact| fact.get(name))
    }

    /// Returns all facts, the outermost first.
    pub fn facts(&self) -> impl Iterator<Item = &dyn Fact> {
        self.facts.iter().rev().map(|fact| &**fact)
    }

    /// Returns the peer, as given by the outermost layer that knows it. Standard input and files have none.
    #[must_use]
    pub fn peer(&self) -> Option<String> {
        self.facts.iter().rev().find_map(|fact| fact.peer())
    }

    /// Returns the fields for the log line of a session's start: user, role, and those of the facts ([`Fact::log`]). Empty
    /// if there are none.
    #[must_use]
    pub fn log(&self) -> String {
        let user = self.identity().and_then(Identity::name).map(|name| format!("user={name:?}"));
        let role = self.role().filter(|role| *role != Role::default());
        let role = role.map(|role| format!("role={}", role.name()));
        let facts = self.facts.iter().filter_map(|fact| fact.log());
        user.into_iter().chain(role).chain(facts).collect::<Vec<_>>().join(" ")
    }

    /// Returns the address that the connection comes from, if it has one: behind a proxy, the
    /// proxy's.
    #[must_use]
    pub fn source(&self) -> Option<SocketAddr> {
        let udp = || self.get::<Udp>().map(|udp| udp.peer);
        self.get::<Tcp>().map(|tcp| tcp.peer).or_else(udp)
    }

    /// Returns the peer's network, as given by the innermost layer, which has connected.
    #[must_use]
    pub fn network(&self) -> Network {
        self.facts.iter().find_map(|fact| fact.network()).unwrap_or(Network::Unknown)
    }

    /// Returns the peer's identity, if a [`Gate`](crate::gate::Gate) has determined it.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.admission.as_deref().map(|(identity, _)| identity)
    }

    /// Returns the peer's role, if a [`Gate`](crate::gate::Gate) has determined it.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.admission.as_deref().map(|(_, role)| *role)
    }

    pub(crate) fn with_admission(mut self, identity: Identity, role: Role) -> Self {
        self.admission = Some(Arc::new((identity, role)));
        self
    }

    pub(crate) fn admitted_as(mut self, other: &Self) -> Self {
        self.admission.clone_from(&other.admission);
        self
    }

    pub(crate) fn without_credentials(mut self) -> Self {
        self.facts.retain(|fact| !(&**fact as &dyn Any).is::<Credentials>());
        self
    }

    /// Returns the subprotocol agreed with `far`, if this peer offers it too.
    #[must_use]
    pub fn agree(&self, far: &Self) -> Option<String> {
        let names = |info: &Self| -> Option<Vec<String>> {
            info.facts.iter().rev().find_map(|fact| fact.subprotocols()).map(<[String]>::to_vec)
        };
        let (offered, settled) = (names(self)?, names(far)?.into_iter().next()?);
        offered.contains(&settled).then_some(settled)
    }
}

impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.facts).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http() -> Http {
        Http {
            path: "/a".into(),
            query: "token=hunter2&x".into(),
            headers: vec![
                ("cookie".into(), "a=1; session=hunter3".into()),
                ("authorization".into(), "Basic hunter4".into()),
            ],
            subprotocols: vec!["mqtt".into()],
        }
    }

    #[test]
    fn facts_are_found_by_name_and_by_type() {
        let info = Info::new().with(http()).with(Target::new("h", 7));
        let named = |root: &str, name: &str| info.lookup(root, name).map(Cow::into_owned);
        assert_eq!(named("http", "path").as_deref(), Some("/a"));
        assert_eq!(named("http", "query.token").as_deref(), Some("hunter2"));
        assert_eq!(named("http", "cookie.session").as_deref(), Some("hunter3"));
        assert_eq!(named("http", "header.Cookie").as_deref(), Some("a=1; session=hunter3"));
        assert_eq!(named("target", "port").as_deref(), Some("7"));
        assert_eq!(named("target", "network").as_deref(), Some("tcp"));
        assert_eq!(named("tcp", "peer"), None);
        assert_eq!(info.get::<Target>().map(|target| target.port), Some(7));
    }

    #[test]
    fn two_sides_agree_on_what_the_far_one_settled() {
        let side = |names: &[&str]| {
            let subprotocols = names.iter().map(|&name| name.to_owned()).collect();
            Info::new().with(Http { subprotocols, ..Http::default() })
        };
        let near = side(&["chat", "mqtt"]);
        assert_eq!(near.agree(&side(&["mqtt"])).as_deref(), Some("mqtt"));
        assert_eq!(near.agree(&side(&["amqp"])), None);
        assert_eq!(near.agree(&side(&[])), None);
        assert_eq!(near.agree(&Info::new()), None);
        assert_eq!(Info::new().agree(&near), None);
    }

    #[test]
    fn secrets_do_not_reach_debug() {
        let shown = format!("{:?}", Info::new().with(http()));
        assert!(!shown.contains("hunter"), "{shown}");
    }
}
