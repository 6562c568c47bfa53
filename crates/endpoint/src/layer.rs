//! Layers: protocols that run over any endpoint, on both sides, written once. This file has their listening side, and
//! the adaptor for both.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Accept, Accepted, Answer, Conn, Connector, Context, DialLayer, Exposure, Grants, Incoming,
    Info, Listener, Local, Missing, Offer, Offers, Result,
};

/// The listening side of a layer, planned.
#[async_trait]
pub trait ServeLayer: fmt::Debug + Send + Sync {
    /// Creates the state of the layer for one listener: certificates, limits, sessions that can be
    /// resumed. `local` is the address of the endpoint beneath.
    ///
    /// # Errors
    /// A file that it needs can't be read.
    async fn bind(&self, cx: &Context, local: &Local) -> Result<Arc<dyn Bound>>;

    /// Returns what is missing, as [`Listener::missing`] does.
    fn missing(&self, _: &Context) -> Vec<Missing> {
        Vec::new()
    }
}

/// A layer over one open listener, shared by all its connections.
#[async_trait]
pub trait Bound: Send + Sync {
    /// Returns the address that the layer listens on.
    fn local(&self) -> &Local;

    /// Returns the offers over `conn`. Handshakes are awaited in [`Offers::next`], with the layer's
    /// time limit.
    fn serve(&self, conn: Conn) -> Box<dyn Offers>;
}

/// A layer over an endpoint: the one adaptor for all of them.
#[derive(Debug)]
pub struct Layered<E: ?Sized, L: ?Sized> {
    layer: Arc<L>,
    inner: Box<E>,
}

impl<E: ?Sized, L: ?Sized> Layered<E, L> {
    /// Creates `layer` over `inner`.
    pub fn new(inner: Box<E>, layer: Arc<L>) -> Self {
        Self { layer, inner }
    }
}

// === impl Listener ===

#[async_trait]
impl Listener for Layered<dyn Listener, dyn ServeLayer> {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        let inner = self.inner.bind(cx).await?;
        let bound = self.layer.bind(cx, inner.local()).await?;
        Ok(Box::new(LayeredAccept { inner, bound }))
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        let mut all = self.layer.missing(cx);
        all.append(&mut Missing::beneath(self.inner.missing(cx)));
        all
    }

    fn exposure(&self) -> Exposure {
        self.inner.exposure()
    }
}

struct LayeredAccept {
    inner: Box<dyn Accept>,
    bound: Arc<dyn Bound>,
}

#[async_trait]
impl Accept for LayeredAccept {
    fn local(&self) -> &Local {
        self.bound.local()
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let Some(incoming) = self.inner.accept().await? else { return Ok(None) };
        let bound = Arc::clone(&self.bound);
        let info = incoming.info.clone();
        Ok(Some(Incoming::new(info, LayeredOffers { incoming, bound, current: None })))
    }
}

/// The layer's offers over each of the inner endpoint's offers, one after another.
struct LayeredOffers {
    incoming: Incoming,
    bound: Arc<dyn Bound>,
    current: Option<Box<dyn Offers>>,
}

#[async_trait]
impl Offers for LayeredOffers {
    async fn next(&mut self) -> Result<Option<Offer>> {
        loop {
            if let Some(offers) = &mut self.current {
                if let Some(offer) = offers.next().await? {
                    return Ok(Some(offer));
                }
                self.current = None;
            }
            let Some(inner) = self.incoming.next().await? else { return Ok(None) };
            // A layer has to talk to its peer before the peer's request is known: the endpoint
            // beneath is accepted without conditions, and the gate asks at the outermost layer.
            match inner.accept(Answer::default()).await? {
                // A layer above has its own view of the far side; the view of the endpoint
                // beneath has no reader.
                Accepted::Session(conn) | Accepted::Through(conn, _) => {
                    self.current = Some(self.bound.serve(conn));
                }
                Accepted::Attached => {}
            }
        }
    }
}

// === impl Connector ===

#[async_trait]
impl Connector for Layered<dyn Connector, dyn DialLayer> {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let beneath = self.layer.beneath(info);
        let conn = self.inner.connect(cx, beneath.as_ref().unwrap_or(info)).await?;
        self.layer.dial(cx, conn, info).await
    }

    fn patience(&self) -> Option<Duration> {
        self.inner.patience()
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        let mut all = self.layer.missing(cx);
        all.append(&mut Missing::beneath(self.inner.missing(cx)));
        all
    }

    fn takes_datagrams(&self) -> bool {
        self.layer.takes_datagrams()
    }

    fn grants(&self) -> Grants {
        self.layer.grants(self.inner.grants())
    }
}
