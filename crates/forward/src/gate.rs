//! Who may come in.

use async_trait::async_trait;
use endpoint::{Info, Refusal};

/// Decides whether an offer may go on. Nothing is connected, started or opened for an offer that
/// has not passed.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Lets the peer pass, or refuses it. The future is dropped if the peer leaves, and when the
    /// connect timeout is over.
    ///
    /// # Errors
    /// What the peer is told.
    async fn check(&self, info: &Info) -> Result<(), Refusal>;
}

/// Lets everybody pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenGate;

#[async_trait]
impl Gate for OpenGate {
    async fn check(&self, _: &Info) -> Result<(), Refusal> {
        Ok(())
    }
}
