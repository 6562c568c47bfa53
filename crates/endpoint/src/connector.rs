//! The connecting side.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Conn, Context, Grants, Info, Missing, Result};

/// An endpoint to connect to, planned but not open. Used for one connection after another.
#[async_trait]
pub trait Connector: fmt::Debug + Send + Sync {
    /// Opens a connection. `info` has the facts about the near side that it is opened for.
    ///
    /// The connection is ready for data: its handshakes are over. Dropping the future cancels the
    /// attempt and leaves nothing open. The caller sets the time limit; connectors with a `timeout`
    /// parameter apply the shorter of the two.
    ///
    /// # Errors
    /// The name is unknown, the peer refused, the device isn't there, the handshake failed.
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn>;

    /// Returns the time limit for connecting to it, which replaces the caller's; [`Duration::MAX`] lasts as long as the
    /// client waits.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Returns the programs, files and devices that don't exist now: not an error at the start, since they may exist for a
    /// later session. Looks at the file system, and opens nothing.
    fn missing(&self, _: &Context) -> Vec<Missing> {
        Vec::new()
    }

    /// Returns `true` if it can serve a client that asks for datagrams. A listener whose protocol has both asks this before
    /// it promises them.
    fn takes_datagrams(&self) -> bool {
        false
    }

    /// Returns the resources that access to it exposes.
    fn grants(&self) -> Grants;
}
