//! An endpoint whose connections are changed, without a handshake.
//!
//! A layer accepts the endpoint beneath without conditions, because its own handshake comes first. A change without a
//! handshake leaves the decision where it is: a refusal is sent in the protocol of the endpoint beneath, and a web
//! page is kept from a program that it must not reach.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Accept, Conn, Connector, Context, Exposure, Grants, Incoming, Info, Listener, Local, Missing,
    Offer, Offers, Result,
};

/// A listener or a connector that changes each connection of the endpoint beneath, for layers without a handshake.
///
/// ```
/// use std::sync::Arc;
/// use endpoint::{Conn, Connector, Listener, Mapped};
///
/// fn upper(conn: Conn) -> Conn {
///     // Replace `conn.transport` here.
///     conn
/// }
///
/// fn listener(beneath: Box<dyn Listener>) -> Box<dyn Listener> {
///     Box::new(Mapped::new("upper", beneath, |_, conn| upper(conn)))
/// }
///
/// fn connector(beneath: Box<dyn Connector>) -> Box<dyn Connector> {
///     Box::new(Mapped::new("upper", beneath, |_, conn| upper(conn)))
/// }
/// ```
pub struct Mapped<E: ?Sized, F> {
    name: &'static str,
    inner: Box<E>,
    change: Arc<F>,
}

impl<E: ?Sized, F: Fn(&Context, Conn) -> Conn> Mapped<E, F> {
    /// Creates an endpoint of the kind `name` over `inner`. `change` is called once a connection is open, and must not
    /// block.
    pub fn new(name: &'static str, inner: Box<E>, change: F) -> Self {
        Self { name, inner, change: Arc::new(change) }
    }
}

impl<E: fmt::Debug + ?Sized, F> fmt::Debug for Mapped<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, inner, .. } = self;
        f.debug_struct("Mapped").field("name", name).field("inner", inner).finish_non_exhaustive()
    }
}

// === Listening ===

#[async_trait]
impl<F> Listener for Mapped<dyn Listener, F>
where
    F: Fn(&Context, Conn) -> Conn + Send + Sync + 'static,
{
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        let inner = self.inner.bind(cx).await?;
        let local = Local::over(self.name, inner.local());
        let (cx, change) = (cx.clone(), Arc::clone(&self.change));
        Ok(Box::new(MappedAccept::new(inner, local, move |conn| change(&cx, conn))))
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        Missing::beneath(self.inner.missing(cx))
    }

    fn exposure(&self) -> Exposure {
        self.inner.exposure()
    }
}

type Change = Arc<dyn Fn(Conn) -> Conn + Send + Sync>;

/// An open listener that changes accepted connections: the result of binding a [`Mapped`], for listeners that differ
/// from it in more than the change.
pub struct MappedAccept {
    inner: Box<dyn Accept>,
    local: Local,
    change: Change,
}

impl MappedAccept {
    /// Creates a listener at `local` over `inner`. `change` is called once a connection was accepted, and must not
    /// block.
    pub fn new(
        inner: Box<dyn Accept>,
        local: Local,
        change: impl Fn(Conn) -> Conn + Send + Sync + 'static,
    ) -> Self {
        Self { inner, local, change: Arc::new(change) }
    }
}

impl fmt::Debug for MappedAccept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MappedAccept").field("local", &self.local).finish_non_exhaustive()
    }
}

#[async_trait]
impl Accept for MappedAccept {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let Some(incoming) = self.inner.accept().await? else { return Ok(None) };
        let (info, change) = (incoming.info.clone(), Arc::clone(&self.change));
        Ok(Some(Incoming::new(info, MappedOffers { incoming, change })))
    }
}

struct MappedOffers {
    incoming: Incoming,
    change: Change,
}

#[async_trait]
impl Offers for MappedOffers {
    async fn next(&mut self) -> Result<Option<Offer>> {
        let Some(offer) = self.incoming.next().await? else { return Ok(None) };
        let change = Arc::clone(&self.change);
        Ok(Some(offer.map(move |conn| change(conn))))
    }
}

// === Connecting ===

#[async_trait]
impl<F> Connector for Mapped<dyn Connector, F>
where
    F: Fn(&Context, Conn) -> Conn + Send + Sync + 'static,
{
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        Ok((self.change)(cx, self.inner.connect(cx, info).await?))
    }

    fn patience(&self) -> Option<Duration> {
        self.inner.patience()
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        Missing::beneath(self.inner.missing(cx))
    }

    fn takes_datagrams(&self) -> bool {
        self.inner.takes_datagrams()
    }

    fn grants(&self) -> Grants {
        self.inner.grants()
    }
}
