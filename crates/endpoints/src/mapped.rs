//! A listener that changes accepted connections, without a handshake.
//!
//! A layer accepts the endpoint beneath without conditions, because its own handshake comes first. A layer without a
//! handshake leaves the decision where it is: a refusal is sent in the protocol of the endpoint beneath, and a web
//! page is kept from a program that it must not reach.

use std::sync::Arc;

use async_trait::async_trait;
use endpoint::{Accept, Conn, Incoming, Local, Offer, Offers, Result};

/// The change to a connection.
pub(crate) type Change = Arc<dyn Fn(Conn) -> Conn + Send + Sync>;

/// The listener, open.
pub(crate) struct Mapped {
    pub(crate) inner: Box<dyn Accept>,
    pub(crate) local: Local,
    pub(crate) change: Change,
}

#[async_trait]
impl Accept for Mapped {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let Some(incoming) = self.inner.accept().await? else { return Ok(None) };
        let (info, change) = (incoming.info.clone(), Arc::clone(&self.change));
        Ok(Some(Incoming::new(info, Changed { incoming, change })))
    }
}

struct Changed {
    incoming: Incoming,
    change: Change,
}

#[async_trait]
impl Offers for Changed {
    async fn next(&mut self) -> Result<Option<Offer>> {
        let Some(offer) = self.incoming.next().await? else { return Ok(None) };
        let change = Arc::clone(&self.change);
        Ok(Some(offer.map(move |conn| change(conn))))
    }
}
