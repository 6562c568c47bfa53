//! The listening side.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{
    Bound, ByteStream, Conn, Context, Error, ErrorKind, Local, Missing, Result, ServeLayer,
    Transport, describe,
};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert, UnbufferedServerConnection};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tracing::{info, warn};

use super::config::Serving;
use super::fact::Secured;
use super::states::Tls;
use super::stream::TlsStream;
use crate::ahead;
use crate::certificate::{Presented, Stamp};
use crate::patience::timeout;
use crate::prefixed::Prefixed;
use crate::screened::look;
use crate::shaking::{Listening, Shaken, Shaking};

/// The layer, planned.
#[derive(Debug)]
pub(super) struct Serve {
    pub(super) serving: Serving,
    /// Plain connections are taken, too.
    pub(super) optional: bool,
    pub(super) truncation_allowed: bool,
    pub(super) limit: Duration,
}

#[async_trait]
impl ServeLayer for Serve {
    async fn bind(&self, cx: &Context, beneath: &Local) -> Result<Arc<dyn Bound>> {
        let stamp = self.serving.stamp();
        let config = load(self.serving.clone(), beneath).await?;
        let mut local = Local::over("tls", beneath).without_page();
        local.is_encrypted = true;
        local.certificates = self.serving.clients.shown();
        let current = Current { config, stamp, looked: Instant::now() };
        let kept = Kept {
            serving: self.serving.clone(),
            optional: self.optional,
            is_screened: cx.behind().is_unguarded(),
            truncation_allowed: self.truncation_allowed,
            limit: self.limit,
            current: Mutex::new(current),
            local,
        };
        Ok(Listening::bound(kept))
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        self.serving.missing()
    }
}

async fn load(serving: Serving, beneath: &Local) -> Result<Arc<ServerConfig>> {
    let address = beneath.address.map(|address| address.ip());
    let loading = spawn_blocking(move || serving.load(address));
    let loaded = loading.await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Other, "open", &*beneath.descriptor, error.to_string()))
    });
    loaded.map(Arc::new)
}

/// State shared by all connections of a listener.
struct Kept {
    serving: Serving,
    optional: bool,
    /// A web page must not reach what is behind it.
    is_screened: bool,
    truncation_allowed: bool,
    limit: Duration,
    current: Mutex<Current>,
    local: Local,
}

/// The configuration in use, and the files that it was made of.
struct Current {
    config: Arc<ServerConfig>,
    stamp: Stamp,
    looked: Instant,
}

#[async_trait]
impl Shaking for Kept {
    fn local(&self) -> &Local {
        &self.local
    }

    fn limit(&self) -> Duration {
        self.limit
    }

    fn late(&self, within: &str) -> String {
        format!("the TLS handshake took more than {within}")
    }

    async fn shake(&self, conn: Conn) -> Result<Shaken> {
        shake(self, conn).await.map(|conn| conn.map(ahead::offer).into())
    }
}

impl Kept {
    /// The configuration, made anew if its files were replaced. Sessions keep the one that they have.
    async fn config(&self) -> Arc<ServerConfig> {
        let (config, is_due) = {
            let mut current = self.current();
            let is_due = !self.serving.is_self_signed && current.looked.elapsed() >= LOOK;
            if is_due {
                current.looked = Instant::now();
            }
            (Arc::clone(&current.config), is_due)
        };
        if !is_due {
            return config;
        }
        let serving = self.serving.clone();
        let Ok(stamp) = spawn_blocking(move || serving.stamp()).await else { return config };
        if self.current().stamp == stamp {
            return config;
        }
        let label = &self.serving.common.label;
        match load(self.serving.clone(), &self.local).await {
            Ok(mut new) => {
                // Tickets of the old configuration stay valid, unless `ca` may trust other clients now.
                if self.serving.ca.is_none()
                    && let Some(new) = Arc::get_mut(&mut new)
                {
                    new.ticketer = Arc::clone(&config.ticketer);
                }
                info!("{label}: loaded the changed files");
                let mut current = self.current();
                (current.config, current.stamp) = (Arc::clone(&new), stamp);
                new
            }
            Err(error) => {
                warn!("{error}; the earlier contents stay in use");
                self.current().stamp = stamp;
                config
            }
        }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn shake(kept: &Kept, conn: Conn) -> Result<Option<Conn>> {
    let Conn { transport, info, control, guard } = conn;
    let mut stream = transport.into_bytes();
    let mut first = vec![0; FIRST];
    let reading = stream.read(&mut first);
    // A silent client waits to be spoken to, which no client of TLS does.
    let read = match kept.optional && !kept.is_screened {
        true => timeout(SILENCE, reading).await.unwrap_or(Ok(0)),
        false => reading.await,
    };
    let read = read.map_err(|error| kept.error(ErrorKind::Other, describe(&error)))?;
    first.truncate(read);
    if kept.optional && first.first() != Some(&HANDSHAKE) {
        if kept.is_screened && !first.is_empty() {
            let found = look(&mut stream, &mut first).await;
            let found = found.map_err(|error| kept.error(ErrorKind::Other, describe(&error)))?;
            if let Some(what) = found {
                answer(&mut *stream).await;
                let words = format!("refused {what}: web pages must not use this destination");
                return Err(kept.error(ErrorKind::Refused, words));
            }
        }
        let transport = Transport::Bytes(Box::new(Prefixed::new(first, stream)));
        return Ok(Some(Conn { transport, info, control, guard }));
    }
    if first.is_empty() {
        return Ok(None);
    }
    if is_http(&first) {
        answer(&mut *stream).await;
        let words = "received a plain HTTP request; clients have to use `https://` or `wss://`";
        return Err(kept.error(ErrorKind::Protocol, words));
    }
    let sni = Arc::new(Mutex::new(None));
    let mut config = ServerConfig::clone(&*kept.config().await);
    config.cert_resolver = Arc::new(Noting { inner: config.cert_resolver, sni: Arc::clone(&sni) });
    let failed = |error: rustls::Error| kept.error(ErrorKind::Protocol, super::words::of(&error));
    let tls = UnbufferedServerConnection::new(Arc::new(config)).map_err(failed)?;
    let tls = TlsStream::new(stream, Tls::Server(Box::new(tls)), kept.truncation_allowed);
    let mut stream = tls.with_read(first);
    let done = poll_fn(|cx| stream.poll_handshake(cx)).await;
    if let Err(error) = done {
        if error.kind() == std::io::ErrorKind::InvalidData {
            stream.dismiss().await;
        }
        return Err(kept.error(ErrorKind::Protocol, describe(&error)));
    }
    let sni = sni.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut info = info.with(Secured::of(stream.state(), sni));
    if let Some(presented) = stream.state().peer_certificates().and_then(Presented::new) {
        // The names in an unverified certificate are not facts.
        if kept.serving.clients.is_verified() {
            presented.set_verified();
        }
        info = info.with(presented);
    }
    Ok(Some(Conn { transport: Transport::Bytes(Box::new(stream)), info, control, guard }))
}

/// Notes the name that a client asks for: an unbuffered connection doesn't tell.
#[derive(Debug)]
struct Noting {
    inner: Arc<dyn ResolvesServerCert>,
    sni: Arc<Mutex<Option<String>>>,
}

impl ResolvesServerCert for Noting {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        *self.sni.lock().unwrap_or_else(PoisonError::into_inner) =
            hello.server_name().map(str::to_owned);
        self.inner.resolve(hello)
    }
}

/// Returns `true` if these bytes begin an HTTP request.
fn is_http(first: &[u8]) -> bool {
    let word = first.split(|byte| *byte == b' ').next().unwrap_or_default();
    (3..=7).contains(&word.len())
        && word.len() < first.len()
        && word.iter().all(u8::is_ascii_uppercase)
}

async fn answer(stream: &mut dyn ByteStream) {
    let line = "this port speaks TLS: use https:// or wss://\n";
    let text = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{line}",
        line.len()
    );
    let mut stream = Pin::new(stream);
    // A client that is gone needs no answer.
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.flush().await;
    let _ = poll_fn(|cx| stream.poll_finish(cx, &endpoint::End::eof())).await;
    // Data that it still sends is read, as a reset would take the answer with it.
    let mut rest = [0; 1024];
    while let Some(Ok(1..)) = timeout(SILENCE, stream.read(&mut rest)).await {}
}

/// The minimum interval of checks of the files.
const LOOK: Duration = Duration::from_secs(1);
/// Enough to tell TLS from other protocols; the whole of a small request line isn't needed.
const FIRST: usize = 16;
/// The first byte of a TLS record with a `ClientHello` (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;
const SILENCE: Duration = Duration::from_secs(1);
