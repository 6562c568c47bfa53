//! Facts about a connection: a stack, innermost first.
//!
//! By name for templates, logs and a program's environment (`http.path`); by type for code. A fact
//! is text from a peer more often than not: it can become a value, never syntax.

mod window;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

pub use self::window::RequestedWindow;
use crate::Network;
use crate::gate::{Credentials, Identity, Role};

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

    /// Fields for the log line of a session's start: `NAME=VALUE`, separated by spaces; text from a peer is quoted. `None`
    /// by default.
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
    pub fn with(mut self, fact: impl Fact) -> Self {
        self.facts.push(Arc::new(fact));
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

    /// Returns the peer, as given by the outermost layer that knows it.
    #[must_use]
    pub fn peer(&self) -> String {
        self.facts.iter().rev().find_map(|fact| fact.peer()).unwrap_or_else(|| "unknown".to_owned())
    }

    /// Fields for the log line of a session's start: user, role, and those of the facts ([`Fact::log`]). Empty if there are
    /// none.
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

/// A TCP connection: `tcp.local`, `tcp.peer`, `tcp.peer_host`, `tcp.peer_port`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// The local address.
    pub local: SocketAddr,
    /// The peer's address.
    pub peer: SocketAddr,
}

impl Fact for Tcp {
    fn root(&self) -> &'static str {
        "tcp"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(match name {
            "local" => self.local.to_string(),
            "peer" => self.peer.to_string(),
            "peer_host" => self.peer.ip().to_string(),
            "peer_port" => self.peer.port().to_string(),
            _ => return None,
        }))
    }

    fn peer(&self) -> Option<String> {
        Some(self.peer.to_string())
    }

    fn network(&self) -> Option<Network> {
        Some(self.peer.ip().into())
    }
}

/// A peer of a UDP socket: `udp.local`, `udp.peer`, `udp.peer_host`, `udp.peer_port`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp {
    /// The local address.
    pub local: SocketAddr,
    /// The peer's address.
    pub peer: SocketAddr,
}

impl Fact for Udp {
    fn root(&self) -> &'static str {
        "udp"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(match name {
            "local" => self.local.to_string(),
            "peer" => self.peer.to_string(),
            "peer_host" => self.peer.ip().to_string(),
            "peer_port" => self.peer.port().to_string(),
            _ => return None,
        }))
    }

    fn peer(&self) -> Option<String> {
        Some(self.peer.to_string())
    }

    fn network(&self) -> Option<Network> {
        Some(self.peer.ip().into())
    }
}

/// A Unix socket connection: `unix.path`, `unix.pid`, `unix.uid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unix {
    /// The socket's path, `@name` if it is abstract.
    pub path: PathBuf,
    /// The peer's process ID, if the system provides it.
    pub pid: Option<i32>,
    /// The peer's user ID, if the system provides it.
    pub uid: Option<u32>,
}

impl Fact for Unix {
    fn root(&self) -> &'static str {
        "unix"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "path" => Some(self.path.to_string_lossy()),
            "pid" => self.pid.map(|pid| pid.to_string().into()),
            "uid" => self.uid.map(|uid| uid.to_string().into()),
            _ => None,
        }
    }

    fn peer(&self) -> Option<String> {
        let path = self.path.display();
        Some(match self.pid {
            Some(pid) => format!("unix:{path} (pid {pid})"),
            None => format!("unix:{path}"),
        })
    }

    fn network(&self) -> Option<Network> {
        self.uid.map(Network::User)
    }
}

/// An HTTP request: `http.path`, `http.query`, `http.query.NAME`, `http.header.NAME`,
/// `http.cookie.NAME`, `http.host`, `http.hostname` (without the port), `http.subprotocol` (what was agreed, else the first
/// offered).
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http {
    /// The path, as it was sent (percent-encoded), with its leading slash.
    pub path: String,
    /// The query after `?`, as it was sent.
    pub query: String,
    /// Headers in order, names in lower case. Values that aren't text are left out.
    pub headers: Vec<(String, String)>,
    /// Subprotocols offered, in the client's order; only the agreed one on a connection.
    pub subprotocols: Vec<String>,
}

impl Http {
    /// Returns the first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// All headers of this name (lower case), in their order.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// A cookie's value (RFC 6265 section 5.4), as it was sent.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies(name).next()
    }

    /// Returns all values of a cookie: one for each path or domain that it was set for.
    pub fn cookies(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(|(key, _)| key == "cookie")
            .flat_map(|(_, value)| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter_map(move |(key, value)| (key == name).then_some(value))
    }

    /// Returns the first query parameter of this name, as it was sent (percent-encoded).
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// The name or address of a Host header field (RFC 9110 section 7.2).
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (name.ends_with(']') || !name.contains(':')) =>
        {
            name
        }
        _ => host,
    }
}

impl Fact for Http {
    fn root(&self) -> &'static str {
        "http"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = match name.split_once('.') {
            None => match name {
                "path" => Some(&*self.path),
                "query" => Some(&*self.query),
                "host" => self.header("host"),
                "hostname" => self.header("host").map(without_port),
                "subprotocol" => self.subprotocols.first().map(|name| &**name),
                _ => None,
            },
            Some(("header", name)) => self.header(&name.to_ascii_lowercase()),
            Some(("cookie", name)) => self.cookie(name),
            Some(("query", name)) => self.parameter(name),
            Some(_) => None,
        };
        value.map(Cow::Borrowed)
    }

    fn subprotocols(&self) -> Option<&[String]> {
        Some(&self.subprotocols)
    }
}

impl fmt::Debug for Http {
    /// Headers that carry secrets are named, not shown; a query may carry a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Http")
            .field("path", &self.path)
            .field("headers", &names)
            .field("subprotocols", &self.subprotocols)
            .finish_non_exhaustive()
    }
}

/// Facts about the client that a trusted proxy reports: `proxy.client` (an address) and `proxy.client_port`,
/// `proxy.destination` and `proxy.destination_port` (the address that the client connected to), `proxy.host` and
/// `proxy.scheme` (from the client's request), `proxy.peer` (the proxy itself).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proxied {
    /// The client's address.
    pub client: Option<IpAddr>,
    /// The client's port.
    pub client_port: Option<u16>,
    /// The address that the client connected to: one of the proxy's.
    pub destination: Option<SocketAddr>,
    /// The host that the client requested, with its port if it had one.
    pub host: Option<String>,
    /// `http` or `https`.
    pub scheme: Option<&'static str>,
    /// The proxy that reports it.
    pub peer: String,
}

impl Proxied {
    /// Creates an empty report of this peer.
    pub fn by(peer: impl Into<String>) -> Self {
        Self { peer: peer.into(), ..Self::default() }
    }
}

impl Fact for Proxied {
    fn root(&self) -> &'static str {
        "proxy"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "client" => self.client.map(|client| client.to_string().into()),
            "client_port" => self.client_port.map(|port| port.to_string().into()),
            "destination" => self.destination.map(|it| it.ip().to_string().into()),
            "destination_port" => self.destination.map(|it| it.port().to_string().into()),
            "host" => self.host.as_deref().map(Cow::Borrowed),
            "scheme" => self.scheme.map(Cow::Borrowed),
            "peer" => Some(Cow::Borrowed(&self.peer)),
            _ => None,
        }
    }

    fn peer(&self) -> Option<String> {
        let client = match self.client_port {
            Some(port) => SocketAddr::new(self.client?, port).to_string(),
            None => self.client?.to_string(),
        };
        Some(format!("{client} (through {})", self.peer))
    }
}

/// What was dialled, or what a client asks to be connected to, as SOCKS and HTTP CONNECT do: `target.host`,
/// `target.port`, `target.network`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A name or an address, as it was sent.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether it is datagrams that are to be sent there, and not a connection.
    pub datagrams: bool,
}

impl Target {
    /// Where a connection leads.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, datagrams: false }
    }

    /// Where datagrams go.
    pub fn datagrams(host: impl Into<String>, port: u16) -> Self {
        Self { datagrams: true, ..Self::new(host, port) }
    }
}

impl Fact for Target {
    fn root(&self) -> &'static str {
        "target"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "host" => Some(Cow::Borrowed(&self.host)),
            "port" => Some(self.port.to_string().into()),
            "network" => Some(if self.datagrams { "udp" } else { "tcp" }.into()),
            _ => None,
        }
    }
}

/// The permitted addresses of a connection that is opened for a client, as set by its route. Connectors that dial
/// addresses check each against it, in addition to their own allow-list. It has no names for templates.
#[derive(Clone)]
pub struct Restriction(Arc<Admits>);

/// The check of a requested host, one of its addresses, and a port: returns `true` if it may be
/// dialled.
type Admits = dyn Fn(&str, IpAddr, u16) -> bool + Send + Sync;

impl Restriction {
    /// Creates a restriction from `admits`, which checks a requested host, one of its addresses,
    /// and a port.
    pub fn new(admits: impl Fn(&str, IpAddr, u16) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(admits))
    }

    /// Returns `true` if `address` may be dialled at `port`, when `host` was requested.
    #[must_use]
    pub fn admits(&self, host: &str, address: IpAddr, port: u16) -> bool {
        (self.0)(host, address, port)
    }
}

impl Fact for Restriction {
    fn root(&self) -> &'static str {
        "restriction"
    }

    fn get(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl fmt::Debug for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Restriction")
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
    fn a_host_is_told_without_its_port() {
        for (host, name) in [
            ("desk", "desk"),
            ("desk:6080", "desk"),
            ("desk:", "desk"),
            ("192.0.2.7:80", "192.0.2.7"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("::1", "::1"),
            ("desk:a", "desk:a"),
            ("", ""),
        ] {
            let mut http = http();
            http.headers.push(("host".into(), host.into()));
            assert_eq!(http.get("hostname").as_deref(), Some(name), "{host}");
        }
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
