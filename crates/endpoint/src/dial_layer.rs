//! The connecting side of a layer.

use std::fmt;

use async_trait::async_trait;

use crate::{Conn, Context, Grants, Info, Missing, Result};

/// The connecting side of a layer, planned.
#[async_trait]
pub trait DialLayer: fmt::Debug + Send + Sync {
    /// Opens the layer over `conn`. `info` has the facts about the near side.
    ///
    /// # Errors
    /// The peer refused or did not keep to the protocol.
    async fn dial(&self, cx: &Context, conn: Conn, info: &Info) -> Result<Conn>;

    /// Returns the facts that the endpoint beneath is connected for, if they are others than those about the near
    /// side: a client that asks for datagrams is relayed over a connection.
    fn beneath(&self, info: &Info) -> Option<Info> {
        let _ = info;
        None
    }

    /// Returns `true` if the layer can serve a client that asks for datagrams; see
    /// [`Connector::takes_datagrams`](crate::Connector::takes_datagrams).
    fn takes_datagrams(&self) -> bool {
        false
    }

    /// Returns what is missing, as [`Connector::missing`](crate::Connector::missing) does.
    fn missing(&self, _: &Context) -> Vec<Missing> {
        Vec::new()
    }

    /// Returns the resources that access to it exposes, over an endpoint that exposes `beneath`.
    fn grants(&self, beneath: Grants) -> Grants {
        beneath
    }
}
