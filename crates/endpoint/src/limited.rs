//! A listener whose offers are limited: a wrapper of any other.

use std::sync::Arc;

use async_trait::async_trait;

use crate::limits::{Counters, Limits};
use crate::{Accept, Context, Exposure, Incoming, Listener, Local, Missing, Offer, Offers, Result};

/// A listener with limits.
#[derive(Debug)]
pub struct Limited {
    inner: Box<dyn Listener>,
    limits: Limits,
}

impl Limited {
    /// Creates a listener that limits the sessions of `inner`.
    #[must_use]
    pub fn new(inner: Box<dyn Listener>, limits: Limits) -> Self {
        Self { inner, limits }
    }
}

#[async_trait]
impl Listener for Limited {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        let inner = self.inner.bind(cx).await?;
        let counters = Arc::new(Counters::new(inner.local().descriptor.clone(), self.limits));
        Ok(Box::new(LimitedAccept { inner, counters }))
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        self.inner.missing(cx)
    }

    fn exposure(&self) -> Exposure {
        self.inner.exposure()
    }
}

struct LimitedAccept {
    inner: Box<dyn Accept>,
    counters: Arc<Counters>,
}

#[async_trait]
impl Accept for LimitedAccept {
    fn local(&self) -> &Local {
        self.inner.local()
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let Some(incoming) = self.inner.accept().await? else { return Ok(None) };
        let (info, counters) = (incoming.info.clone(), Arc::clone(&self.counters));
        Ok(Some(Incoming::new(info, LimitedOffers { incoming, counters })))
    }
}

struct LimitedOffers {
    incoming: Incoming,
    counters: Arc<Counters>,
}

#[async_trait]
impl Offers for LimitedOffers {
    async fn next(&mut self) -> Result<Option<Offer>> {
        let offer = self.incoming.next().await?;
        Ok(offer.map(|offer| offer.limited(Arc::clone(&self.counters))))
    }
}
