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
    /// The connection is ready for data: its handshakes are over. Dropping the future cancels the
    /// attempt and leaves nothing open. The caller sets the time limit; connectors with a `timeout`
    /// parameter apply the shorter of the two.
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

    /// Returns what access to it exposes.
    fn grants(&self) -> Grants;
}
