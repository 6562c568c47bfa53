//! The listening side.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::info::Proxied;
use endpoint::{
    Bound, ByteStream, Conn, Context, End, ErrorKind, Info, Local, Result, ServeLayer, Transport,
    describe,
};
use proxy_protocol::{Addresses, Decoded, Header, decode};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::fact::Told;
use crate::ahead;
use crate::patience::timeout;
use crate::prefixed::Prefixed;
use crate::screened::look;
use crate::shaking::{Listening, Shaken, Shaking};
use crate::trusted::Trusted;

/// The layer, planned.
#[derive(Debug)]
pub(super) struct Serve {
    pub(super) trusted: Trusted,
    /// Connections without a header are closed.
    pub(super) required: bool,
    pub(super) limit: Duration,
}

#[async_trait]
impl ServeLayer for Serve {
    async fn bind(&self, cx: &Context, beneath: &Local) -> Result<Arc<dyn Bound>> {
        let local = Local::over("proxy", beneath);
        Ok(Listening::bound(Kept {
            trusted: self.trusted.clone(),
            required: self.required,
            limit: self.limit,
            is_screened: cx.behind().is_unguarded(),
            local,
        }))
    }
}

/// State shared by all connections of a listener.
struct Kept {
    trusted: Trusted,
    required: bool,
    limit: Duration,
    /// A web page must not reach what is behind it.
    is_screened: bool,
    local: Local,
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
        format!("no PROXY header came within {within}")
    }

    async fn shake(&self, conn: Conn) -> Result<Shaken> {
        self.read(conn).await.map(|conn| conn.map(ahead::offer).into())
    }
}

impl Kept {
    async fn read(&self, conn: Conn) -> Result<Option<Conn>> {
        let Conn { transport, info, control, guard } = conn;
        let mut stream = transport.into_bytes();
        let whole =
            |stream, info| Conn { transport: Transport::Bytes(stream), info, control, guard };
        if !self.trusted.has_peer(&info) {
            if self.required {
                let peer = info.peer().unwrap_or_else(|| "the peer".to_owned());
                let words = format!("{peer} isn't `trusted`, so its header is not accepted");
                let error = self.error(ErrorKind::Refused, words);
                return Err(error.with_hint("`trusted=` names the proxies' addresses or networks"));
            }
            let stream = self.plain(stream, Vec::new()).await?;
            return Ok(stream.map(|stream| whole(stream, info)));
        }
        let mut bytes = Vec::new();
        let began = Instant::now();
        loop {
            let more = match decode(&bytes) {
                Ok(Decoded::More(more)) => more,
                Ok(Decoded::Header(header, taken)) => {
                    let info = believe(info, header);
                    let first = bytes.split_off(taken);
                    let stream = match first.is_empty() {
                        true => stream,
                        false => Box::new(Prefixed::new(first, stream)),
                    };
                    return Ok(Some(whole(stream, info)));
                }
                Err(proxy_protocol::Error::NoHeader) if !self.required => {
                    let stream = self.plain(stream, bytes).await?;
                    return Ok(stream.map(|stream| whole(stream, info)));
                }
                Err(error) => {
                    let error = self.error(ErrorKind::Protocol, format!("{error}"));
                    close(stream).await;
                    return Err(error.with_hint(
                        "configure the proxy to send one, as HAProxy does with `send-proxy-v2`",
                    ));
                }
            };
            let had = bytes.len();
            // No more than the header's bytes: the rest stays in the socket. The announced length is not allocated
            // before it arrives.
            let room = more.min(PIECE);
            bytes.resize(had + room, 0);
            let reading = stream.read(&mut bytes[had..]);
            let is_plain_soon = !self.required && had < SURE && !self.is_screened;
            let read = match is_plain_soon {
                true => timeout(SILENCE, reading).await,
                false => Some(reading.await),
            };
            let Some(read) = read else {
                bytes.truncate(had);
                let stream = self.plain(stream, bytes).await?;
                return Ok(stream.map(|stream| whole(stream, info)));
            };
            let read = read.map_err(|error| self.error(ErrorKind::Other, describe(&error)))?;
            bytes.truncate(had + read);
            match read {
                // A port that is only looked at, as health checks do.
                0 if bytes.is_empty() => return Ok(None),
                0 if !self.required && bytes.len() < SURE => {
                    let stream = self.plain(stream, bytes).await?;
                    return Ok(stream.map(|stream| whole(stream, info)));
                }
                0 => {
                    let words = format!(
                        "the connection ended within the PROXY header, after {} bytes and {:?}",
                        bytes.len(),
                        began.elapsed()
                    );
                    return Err(self.error(ErrorKind::Protocol, words));
                }
                _ => {}
            }
        }
    }

    /// A connection without a header, which begins with `first`.
    async fn plain(
        &self,
        mut stream: Box<dyn ByteStream>,
        mut first: Vec<u8>,
    ) -> Result<Option<Box<dyn ByteStream>>> {
        if self.is_screened {
            let found = look(&mut stream, &mut first).await;
            let found = found.map_err(|error| self.error(ErrorKind::Other, describe(&error)))?;
            if first.is_empty() {
                return Ok(None);
            }
            if let Some(what) = found {
                close(stream).await;
                let words = format!("refused {what}: web pages must not use this destination");
                return Err(self.error(ErrorKind::Refused, words));
            }
        }
        if first.is_empty() {
            return Ok(Some(stream));
        }
        Ok(Some(Box::new(Prefixed::new(first, stream))))
    }
}

/// Adds the header's facts, if there is a client: for a proxy that connects on its own behalf, the connection's own
/// addresses hold.
fn believe(info: Info, header: Header) -> Info {
    let Header { addresses, tlvs } = header;
    let mut proxied = Proxied::by(info.peer());
    match addresses {
        Addresses::Local => return info,
        Addresses::Inet { source, destination } => {
            proxied.client = Some(source.ip().to_canonical());
            proxied.client_port = Some(source.port());
            proxied.destination = Some(destination);
        }
        Addresses::Unknown | Addresses::Unix { .. } => {}
    }
    let info = if tlvs.is_empty() { info } else { info.with(Told(tlvs)) };
    info.with(proxied)
}

/// Ends the stream without a word: there is none that every client would understand.
async fn close(mut stream: Box<dyn ByteStream>) {
    let _ = timeout(SILENCE, poll_fn(|cx| stream.poll_finish(cx, &End::eof()))).await;
}

/// The size of a read.
const PIECE: usize = 4096;
/// A proxy sends its header at once.
const SILENCE: Duration = Duration::from_secs(1);
/// With this many bytes of a header, the data can't be anything else.
const SURE: usize = 6;
