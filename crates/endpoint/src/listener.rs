//! The listening side: from a planned listener to an offer that waits for its answer.
//!
//! ```text
//! Listener ── bind ─► Accept ── accept ─► Incoming ── next ─► Offer ── accept(Answer) ─► Conn
//!                                                               └──── refuse(Refusal)
//! ```
//!
//! `accept` never waits for a handshake; an [`Incoming`]'s handshakes run in a separate task. The
//! far side is connected before an offer is accepted, so a refusal can still be sent in the near
//! side's protocol.

use std::fmt;

use async_trait::async_trait;

use crate::{Context, Exposure, Incoming, Local, Missing, Result};

/// An endpoint to listen on, planned but not open.
#[async_trait]
pub trait Listener: fmt::Debug + Send + Sync {
    /// Opens it.
    ///
    /// # Errors
    /// The address is taken, or may not be used.
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>>;

    /// Returns the files, folders and devices that don't exist now. Looks at the file system, and opens nothing.
    fn missing(&self, _: &Context) -> Vec<Missing> {
        Vec::new()
    }

    /// Returns its exposure, as far as the descriptor determines it.
    fn exposure(&self) -> Exposure;
}

/// A listener that is open. Dropping it closes it.
#[async_trait]
pub trait Accept: Send {
    /// Returns the address that it listens on.
    fn local(&self) -> &Local;

    /// Returns the next connection; `None` if there will be no more.
    ///
    /// Cancel safe: a connection is either returned or stays for the next call. Never waits for
    /// what a peer sends.
    ///
    /// # Errors
    /// If [`Error::is_of_one_connection`](crate::Error::is_of_one_connection), accept again at
    /// once; after other errors, such as running out of descriptors, pause first.
    async fn accept(&mut self) -> Result<Option<Incoming>>;
}
