//! The connecting side.

use std::fmt;
use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::info::Target;
use endpoint::{
    Conn, Context, DialLayer, Error, ErrorKind, Info, Missing, Result, Transport, describe,
};
use rustls::ClientConfig;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::config::{Common, Trust, dialling};
use super::fact::Secured;
use super::states::Tls;
use super::stream::TlsStream;
use crate::absent::no_files;
use crate::certificate::Stamp;
use crate::patience::timeout;

/// The layer, planned.
pub(super) struct Dial {
    pub(super) common: Common,
    pub(super) trust: Trust,
    /// The name that is asked for and verified; the dialled one if it is left out.
    pub(super) name: Option<String>,
    pub(super) truncation_allowed: bool,
    pub(super) limit: Duration,
    /// Made at the first connection, and when a file has changed: sessions are resumed by it.
    pub(super) config: Mutex<Option<(Stamp, Arc<ClientConfig>)>>,
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial").field("label", &self.common.label).finish_non_exhaustive()
    }
}

#[async_trait]
impl DialLayer for Dial {
    async fn dial(&self, _: &Context, conn: Conn, _: &Info) -> Result<Conn> {
        let Conn { transport, info, control, guard } = conn;
        let target = info.get::<Target>().map(|target| target.host.clone());
        let name = self.name.clone().or(target).ok_or_else(|| {
            let words = "the name of the server's certificate is unknown; set `name=`";
            self.error(ErrorKind::Other, words)
        })?;
        // A zone is of this machine alone.
        let name = name.split('%').next().unwrap_or_default().to_owned();
        let server = ServerName::try_from(name.clone()).map_err(|_| {
            self.error(
                ErrorKind::Other,
                format!("`{name}` is not a name that a certificate can have"),
            )
        })?;
        let config = self.config().await?;
        let failed =
            |error: rustls::Error| self.error(ErrorKind::Protocol, super::words::of(&error));
        let tls = UnbufferedClientConnection::new(config, server).map_err(failed)?;
        let tls = Tls::Client(Box::new(tls));
        let mut stream = TlsStream::new(transport.into_bytes(), tls, self.truncation_allowed);
        let shaking = timeout(self.limit, poll_fn(|cx| stream.poll_handshake(cx))).await;
        match shaking {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                let kind = match error.kind() {
                    std::io::ErrorKind::InvalidData => ErrorKind::Protocol,
                    _ => ErrorKind::Refused,
                };
                return Err(self.error(kind, describe(&error)));
            }
            None => {
                let limit = self.limit.as_secs_f64();
                let words = format!("the TLS handshake took more than {limit} s");
                return Err(self.error(ErrorKind::Timeout, words));
            }
        }
        let secured = Secured::of(stream.state(), Some(name));
        let transport = Transport::Bytes(Box::new(stream));
        Ok(Conn { transport, info: info.with(secured), control, guard })
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        let mut all = self.common.missing();
        all.extend(no_files([("ca", &self.ca())]));
        all
    }
}

impl Dial {
    async fn config(&self) -> Result<Arc<ClientConfig>> {
        let ca = self.ca();
        let (common, trust) = (self.common.clone(), self.trust.clone());
        let known = self.config.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let loading = spawn_blocking(move || {
            let stamp = Stamp::of(common.files(&[&ca]));
            let loaded = match &known {
                Some((old, config)) if *old == stamp => return Ok((stamp, Arc::clone(config))),
                _ => dialling(&common, &trust),
            };
            match (loaded, known) {
                (Ok(config), None) => Ok((stamp, Arc::new(config))),
                (Ok(config), Some(_)) => {
                    info!("{}: loaded the changed files", common.label);
                    Ok((stamp, Arc::new(config)))
                }
                // Such as a certificate that is being written just now.
                (Err(error), Some((_, config))) => {
                    warn!("{error}; the earlier contents stay in use");
                    Ok((stamp, config))
                }
                (Err(error), None) => Err(error),
            }
        });
        let loaded = loading
            .await
            .unwrap_or_else(|error| Err(self.error(ErrorKind::Other, error.to_string())));
        let (stamp, config) = loaded?;
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((stamp, Arc::clone(&config)));
        Ok(config)
    }

    /// Returns the file of authorities, if there is one.
    fn ca(&self) -> Option<PathBuf> {
        match &self.trust {
            Trust::File(path) | Trust::FileAndPins(path, _) => Some(path.clone()),
            _ => None,
        }
    }

    fn error(&self, kind: ErrorKind, words: impl Into<String>) -> Error {
        Error::new(kind, "connect", &*self.common.label, words)
    }
}
