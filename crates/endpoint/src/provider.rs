//! Providers of routes: the sources of clients' destinations.
//!
//! A provider has neither caches nor limits: its caller has them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::{Context, Info, Missing};

/// A source of clients' destinations.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync {
    /// Looks up a client. The future is dropped after the time limit, or if no client waits for it any more.
    ///
    /// # Errors
    /// The provider can't be asked, in words for the log.
    async fn find(&self, cx: &Context, query: &Query<'_>) -> Result<Answer, String>;

    /// Returns the facts that an answer depends on.
    fn asks(&self) -> Asks {
        Asks::Key
    }

    /// Returns the time for which an answer may be reused, unless the answer or the user sets it. Zero is for
    /// providers that answer from memory, or whose answer may differ the next time.
    fn lifetime(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns what is missing, as [`Connector::missing`](crate::Connector::missing) does.
    fn missing(&self, cx: &Context) -> Vec<Missing> {
        let _ = cx;
        Vec::new()
    }
}

/// The facts that an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// The key. A client without one has no route, and clients with the same key share a lookup.
    Key,
    /// Any fact; the key is one of them, and may be missing.
    Facts,
}

/// The client to look up.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// The key, filled with facts about the client; without control characters. It may be a secret.
    pub key: Option<&'a str>,
    /// The facts about the client.
    pub info: &'a Info,
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Query")
    }
}

/// A provider's answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The client's destination, if there is one.
    pub found: Found,
    /// The time for which the answer may be reused, if the provider sets it.
    pub lifetime: Option<Duration>,
    /// Ends the answer's life early.
    pub expiry: Option<Expiry>,
}

impl Answer {
    /// Creates an answer without a lifetime.
    #[must_use]
    pub fn new(found: Found) -> Self {
        Self { found, lifetime: None, expiry: None }
    }

    /// Sets the lifetime.
    #[must_use]
    pub fn living(mut self, lifetime: Option<Duration>) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets the handle that ends the lifetime early.
    #[must_use]
    pub fn until(mut self, expiry: Expiry) -> Self {
        self.expiry = Some(expiry);
        self
    }
}

/// The client's destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The destination.
    Destination(Destination),
    /// None: there is no route for the client.
    Unknown,
    /// None: the client is refused.
    Forbidden,
}

/// A destination in text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// A descriptor, or `HOST:PORT`.
    pub text: String,
    /// The subprotocol for the client, if the route sets it.
    pub subprotocol: Option<String>,
}

impl Destination {
    /// Creates a destination without a subprotocol.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), subprotocol: None }
    }
}

/// The validity of an answer. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Expiry(Arc<AtomicBool>);

impl Expiry {
    /// Ends the validity.
    pub fn expire(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Returns `true` if the validity has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Returns `true` if there is another clone.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}
