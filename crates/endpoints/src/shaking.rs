//! Listening layers in which a connection has one handshake, and mostly becomes one offer at most.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{Bound, Conn, Error, ErrorKind, Local, Offer, Offers, Result};

use crate::patience::timeout;

/// State shared by all connections of such a listener.
#[async_trait]
pub(crate) trait Shaking: Send + Sync + 'static {
    /// Returns the address that it listens on.
    fn local(&self) -> &Local;

    /// Returns the time limit of a handshake.
    fn limit(&self) -> Duration;

    /// Says that it took longer; `within` is the limit.
    fn late(&self, within: &str) -> String;

    /// Sees a connection's handshake through.
    ///
    /// # Errors
    /// The handshake failed; the client has got its answer.
    async fn shake(&self, conn: Conn) -> Result<Shaken>;

    /// An error of this listener.
    fn error(&self, kind: ErrorKind, words: impl Into<String>) -> Error
    where
        Self: Sized,
    {
        Error::new(kind, "accept", &*self.local().descriptor, words)
    }
}

/// The result of a handshake.
pub(crate) enum Shaken {
    /// The client has left without a word.
    Nobody,
    /// It wants a session.
    Offer(Offer),
    /// It has all of these, one after another.
    Offers(Box<dyn Offers>),
}

impl From<Option<Offer>> for Shaken {
    fn from(offer: Option<Offer>) -> Self {
        offer.map_or(Self::Nobody, Self::Offer)
    }
}

/// A listener of that sort, open.
pub(crate) struct Listening<S>(Arc<S>);

impl<S: Shaking> Listening<S> {
    /// Makes what a layer binds to.
    pub(crate) fn bound(kept: S) -> Arc<dyn Bound> {
        Arc::new(Self(Arc::new(kept)))
    }
}

impl<S: Shaking> Bound for Listening<S> {
    fn local(&self) -> &Local {
        self.0.local()
    }

    fn serve(&self, conn: Conn) -> Box<dyn Offers> {
        Box::new(Arriving { kept: Arc::clone(&self.0), conn: Some(conn), offers: None })
    }
}

/// One connection.
struct Arriving<S> {
    kept: Arc<S>,
    /// Before its handshake.
    conn: Option<Conn>,
    /// After it, if there may be more of them.
    offers: Option<Box<dyn Offers>>,
}

#[async_trait]
impl<S: Shaking> Offers for Arriving<S> {
    async fn next(&mut self) -> Result<Option<Offer>> {
        if let Some(conn) = self.conn.take() {
            let limit = self.kept.limit();
            let shaken = timeout(limit, self.kept.shake(conn)).await.unwrap_or_else(|| {
                let words = self.kept.late(&format!("{} s", limit.as_secs_f64()));
                Err(self.kept.error(ErrorKind::Timeout, words))
            });
            match shaken? {
                Shaken::Nobody => {}
                Shaken::Offer(offer) => return Ok(Some(offer)),
                Shaken::Offers(offers) => self.offers = Some(offers),
            }
        }
        match &mut self.offers {
            Some(offers) => offers.next().await,
            None => Ok(None),
        }
    }
}
