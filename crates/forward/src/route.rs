//! The route of an offer.

use std::sync::Arc;

use async_trait::async_trait;
use endpoint::{Connector, Info, Refusal};

/// Chooses the destination of an offer from the facts about its near side.
#[async_trait]
pub trait Route: Send + Sync {
    /// Returns the destination. The future is dropped if the peer leaves, and when the connect timeout is
    /// over.
    ///
    /// # Errors
    /// There is no route for this peer; the refusal that it gets.
    async fn route(&self, info: &Info) -> Result<Destination, Refusal>;
}

/// An endpoint to connect to, and its name for the log. As a route, it is the same for every client.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Its descriptor, as the log shows it.
    pub name: Arc<str>,
    /// The connector.
    pub connector: Arc<dyn Connector>,
}

impl Destination {
    /// Creates a destination with this name for the log.
    pub fn new(name: impl Into<Arc<str>>, connector: impl Into<Arc<dyn Connector>>) -> Self {
        Self { name: name.into(), connector: connector.into() }
    }
}

#[async_trait]
impl Route for Destination {
    async fn route(&self, _: &Info) -> Result<Destination, Refusal> {
        Ok(self.clone())
    }
}
