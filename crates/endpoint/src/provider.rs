//! Providers of routes: what is asked where a client goes.
//!
//! A provider knows neither caches nor limits: whoever asks it keeps those.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::{Context, Info};

/// Says where clients go.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync {
    /// Looks up a client. The future is dropped when its time is over, or if nobody waits for it any more.
    ///
    /// # Errors
    /// The provider can't be asked, in words for the log.
    async fn find(&self, cx: &Context, query: &Query<'_>) -> Result<Answer, String>;

    /// Returns what an answer depends on.
    fn asks(&self) -> Asks {
        Asks::Key
    }

    /// Returns how long an answer may be used again, where neither the answer nor the user says it. Zero is for providers
    /// that answer from memory, or whose answer may differ the next time.
    fn lifetime(&self) -> Duration {
        Duration::ZERO
    }

    /// Says what it needs and isn't there, as [`Connector::missing`](crate::Connector::missing) does.
    fn missing(&self, cx: &Context) -> Option<String> {
        let _ = cx;
        None
    }
}

/// What an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// The key. A client without one has no route, and clients with the same key share a lookup.
    Key,
    /// Any fact; the key is one of them, and may be missing.
    Facts,
}

/// A client that is looked up.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// What chooses, filled in from the client's facts; without control characters. It may be a secret.
    pub key: Option<&'a str>,
    /// What is known about the client.
    pub info: &'a Info,
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Query")
    }
}

/// What a provider says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// Where the client goes, if anywhere.
    pub found: Found,
    /// How long the answer may be used again, if the provider says so.
    pub lifetime: Option<Duration>,
    /// Ends the answer's life early.
    pub expiry: Option<Expiry>,
}

impl Answer {
    /// An answer that says nothing about its lifetime.
    #[must_use]
    pub fn new(found: Found) -> Self {
        Self { found, lifetime: None, expiry: None }
    }

    /// With a lifetime.
    #[must_use]
    pub fn living(mut self, lifetime: Option<Duration>) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// With what ends its life early.
    #[must_use]
    pub fn until(mut self, expiry: Expiry) -> Self {
        self.expiry = Some(expiry);
        self
    }
}

/// Where a client goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There.
    Destination(Destination),
    /// Nowhere: there is no route for it.
    Unknown,
    /// Nowhere: it may not.
    Forbidden,
}

/// A destination in text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// A descriptor, or `HOST:PORT`.
    pub text: String,
    /// The subprotocol that the client is told, if the route says it.
    pub subprotocol: Option<String>,
}

impl Destination {
    /// Without a subprotocol.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), subprotocol: None }
    }
}

/// Whether what it was handed out with still holds. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Expiry(Arc<AtomicBool>);

impl Expiry {
    /// Has it hold no more.
    pub fn expire(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Returns whether it holds no more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Returns whether somebody else holds a clone.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}
