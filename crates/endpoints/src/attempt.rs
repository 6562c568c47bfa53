//! One of several destinations, tried for a limited time: the shared part of `fallback` and `balance`.

use std::time::Duration;

use endpoint::{Conn, Connector, Context, Error, ErrorKind, Grants, Info, Missing, Result};
use plan::kind::{Param, Topic, ValueKind};
use tracing::warn;

use crate::patience::timeout;

pub(crate) const ENDPOINTS: Param =
    Param::new("endpoint", ValueKind::Connector, "The destinations, each in braces.")
        .positional()
        .required()
        .rest();

pub(crate) const TRY: Param = Param::new(
    "timeout",
    ValueKind::Duration,
    "The time limit for one destination before the next is tried. 0 sets no limit here, so each destination's own \
     limit applies. The last destination has the rest of `--connect-timeout`.",
)
.topic(Topic::Limits)
.default("5");

/// A destination, and its descriptor for the log: secrets are left out.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) connector: Box<dyn Connector>,
    pub(crate) name: String,
}

impl Target {
    /// Connects, within `limit` if there is one.
    ///
    /// # Errors
    /// Its own, or that it took too long.
    pub(crate) async fn attempt(
        &self,
        cx: &Context,
        info: &Info,
        limit: Option<Duration>,
    ) -> Result<Conn> {
        let connecting = self.connector.connect(cx, info);
        let Some(limit) = limit else { return connecting.await };
        timeout(limit, connecting).await.unwrap_or_else(|| {
            let words = format!("no answer within {} s", limit.as_secs_f64());
            Err(Error::new(ErrorKind::Timeout, "connect", &*self.name, words))
        })
    }
}

/// Returns the widest access that one of them grants: a client may reach each.
pub(crate) fn grants(targets: &[Target]) -> Grants {
    targets.iter().map(|target| target.connector.grants()).max().unwrap_or(Grants::Nothing)
}

/// Logs the failure of one that is not the last.
pub(crate) fn log_failure(error: &Error) {
    let (endpoint, cause) = (error.endpoint(), error.cause());
    warn!(endpoint, cause, "{error}; trying the next");
}

/// Returns what each of them misses, as seen from the endpoint over them.
pub(crate) fn missing(targets: &[Target], cx: &Context) -> Vec<Vec<Missing>> {
    let each = targets.iter().enumerate().map(|(number, target)| {
        Missing::within(ENDPOINTS.name, number, target.connector.missing(cx))
    });
    each.collect()
}

/// Returns `true` if one of them can serve clients that ask for datagrams.
pub(crate) fn takes_datagrams(targets: &[Target]) -> bool {
    targets.iter().any(|target| target.connector.takes_datagrams())
}
