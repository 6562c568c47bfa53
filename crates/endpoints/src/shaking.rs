//! Listening layers in which a connection has one handshake and becomes one offer at most.

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

    /// Sees a connection's handshake through; `None` if the client leaves without a word.
    ///
    /// # Errors
    /// The handshake failed; what the client was owed for that has been sent.
    async fn shake(&self, conn: Conn) -> Result<Option<Offer>>;

    /// An error of this listener.
    fn error(&self, kind: ErrorKind, words: impl Into<String>) -> Error
    where
        Self: Sized,
    {
        Error::new(kind, "accept", &*self.local().descriptor, words)
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
        Box::new(Arriving { kept: Arc::clone(&self.0), conn: Some(conn) })
    }
}

/// One connection, before its handshake.
struct Arriving<S> {
    kept: Arc<S>,
    conn: Option<Conn>,
}

#[async_trait]
impl<S: Shaking> Offers for Arriving<S> {
    async fn next(&mut self) -> Result<Option<Offer>> {
        let Some(conn) = self.conn.take() else { return Ok(None) };
        let limit = self.kept.limit();
        timeout(limit, self.kept.shake(conn)).await.unwrap_or_else(|| {
            let words = self.kept.late(&format!("{} s", limit.as_secs_f64()));
            Err(self.kept.error(ErrorKind::Timeout, words))
        })
    }
}
