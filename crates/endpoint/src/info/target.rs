//! The target of a connection, and the restriction of the addresses that may be dialled for it.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::Fact;

/// The dialled destination, or the one that a client requests, as by SOCKS and HTTP CONNECT: `target.host`,
/// `target.port`, `target.network`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A name or an address, as it was sent.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Set for datagrams instead of a connection.
    pub datagrams: bool,
}

impl Target {
    /// Creates the target of a connection.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, datagrams: false }
    }

    /// Creates the target of datagrams.
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
