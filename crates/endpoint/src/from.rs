//! `from=`: connections of listed networks alone, whatever the listener is.

use async_trait::async_trait;

use crate::{
    Accept, Context, Error, ErrorKind, Exposure, Incoming, Listener, Local, Missing, Networks,
    Offer, Offers, Result,
};

/// A listener that closes connections from other addresses without an answer. The address is that of the connection:
/// behind a proxy, the proxy's.
#[derive(Debug)]
pub struct FromNetworks {
    inner: Box<dyn Listener>,
    networks: Networks,
}

impl FromNetworks {
    /// Creates a listener that admits connections from these networks only.
    #[must_use]
    pub fn new(inner: Box<dyn Listener>, networks: Networks) -> Self {
        Self { inner, networks }
    }
}

#[async_trait]
impl Listener for FromNetworks {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        let inner = self.inner.bind(cx).await?;
        Ok(Box::new(Filtered { inner, networks: self.networks.clone() }))
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        self.inner.missing(cx)
    }

    fn exposure(&self) -> Exposure {
        self.inner.exposure()
    }
}

struct Filtered {
    inner: Box<dyn Accept>,
    networks: Networks,
}

#[async_trait]
impl Accept for Filtered {
    fn local(&self) -> &Local {
        self.inner.local()
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let Some(incoming) = self.inner.accept().await? else { return Ok(None) };
        if incoming.info.source().is_some_and(|peer| self.networks.has(peer.ip())) {
            return Ok(Some(incoming));
        }
        let place = self.local().descriptor.clone();
        let error =
            Error::new(ErrorKind::Permission, "accept", place, "its address is not in `from`");
        Ok(Some(Incoming::new(incoming.info.clone(), Closed(Some(error)))))
    }
}

/// The offers of a connection that is closed already.
struct Closed(Option<Error>);

#[async_trait]
impl Offers for Closed {
    async fn next(&mut self) -> Result<Option<Offer>> {
        self.0.take().map_or(Ok(None), Err)
    }
}
