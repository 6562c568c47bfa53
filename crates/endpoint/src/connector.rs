//! The connecting side.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Conn, Context, Grants, Info, Result};

/// An endpoint to connect to, planned but not open. Used for one connection after another.
#[async_trait]
pub trait Connector: fmt::Debug + Send + Sync {
    /// Opens a connection. `info` is what is known of the near side, for whom it is opened.
    ///
    /// Ready means ready for data: handshakes are over. Dropping the future gives up the attempt
    /// and leaves nothing open. Whoever calls sets the limit of time; connectors that have a
    /// `timeout` of their own keep to the shorter.
    ///
    /// # Errors
    /// The name is unknown, the peer refused, the device isn't there, the handshake failed.
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn>;

    /// Returns how long connecting may take if that is its own decision, in place of the caller's limit;
    /// [`Duration::MAX`] is for as long as the client waits.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Says what it needs that isn't there now, such as a program or a device: a warning at the start, since a later
    /// session may find it. Looks at the file system, and opens nothing.
    fn missing(&self, _: &Context) -> Option<String> {
        None
    }

    /// What reaching it amounts to.
    fn grants(&self) -> Grants;
}
