//! A connection that came in, and the offers that come of it.

use std::fmt;

use async_trait::async_trait;

use crate::{Info, Offer, Result};

/// A connection that came in, before its handshakes.
pub struct Incoming {
    /// The facts that are known without waiting for the peer.
    pub info: Info,
    source: Source,
}

/// The source of a connection's offers.
enum Source {
    /// The only one, until it is taken.
    Ready(Option<Box<Offer>>),
    /// Those that come from its handshakes.
    Handshakes(Box<dyn Offers>),
}

impl Incoming {
    /// Creates an incoming connection whose offers come from `offers`.
    pub fn new(info: Info, offers: impl Offers + 'static) -> Self {
        Self { info, source: Source::Handshakes(Box::new(offers)) }
    }

    /// Creates a connection with exactly one offer, which needs no handshake.
    pub fn ready(offer: Offer) -> Self {
        Self { info: offer.info.clone(), source: Source::Ready(Some(Box::new(offer))) }
    }

    /// Returns the offer of [`Incoming::ready`], which needs no task that runs handshakes: it is the only one. `None` if
    /// offers have to be waited for.
    pub fn take_ready(&mut self) -> Option<Offer> {
        match &mut self.source {
            Source::Ready(offer) => offer.take().map(|offer| *offer),
            Source::Handshakes(_) => None,
        }
    }

    /// Returns the next offer, after its handshakes; `None` when there will be no more.
    ///
    /// # Errors
    /// The handshake failed; there will be no more offers.
    pub async fn next(&mut self) -> Result<Option<Offer>> {
        match &mut self.source {
            Source::Ready(offer) => Ok(offer.take().map(|offer| *offer)),
            Source::Handshakes(offers) => offers.next().await,
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("info", &self.info).finish_non_exhaustive()
    }
}

/// The offers of one incoming connection: none (its layer answered without one), one session, or
/// many, one after another or at once (HTTP keep-alive, HTTP/2).
#[async_trait]
pub trait Offers: Send {
    /// Returns the next offer; `None` if there will be no more. It may be called while earlier offers are undecided or
    /// in use. Dropping the offers gives up what has not become one; sessions that were accepted live on.
    ///
    /// # Errors
    /// The handshake failed; the peer has been sent the answer that is due to it.
    async fn next(&mut self) -> Result<Option<Offer>>;
}
