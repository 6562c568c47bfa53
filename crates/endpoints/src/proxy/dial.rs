//! The connecting side.

use std::any::Any;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;

use async_trait::async_trait;
use endpoint::info::{Proxied, Tcp, Unix};
use endpoint::{
    Conn, Context, DialLayer, Error, ErrorKind, Fact, Info, Result, Transport, describe,
};
use proxy_protocol::{Addresses, Header, Ssl, Tlv, Version, encode};
use tokio::io::AsyncWriteExt;

use super::fact::Told;

/// The layer, planned.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) label: String,
    pub(super) version: Version,
}

#[async_trait]
impl DialLayer for Dial {
    async fn dial(&self, _: &Context, conn: Conn, info: &Info) -> Result<Conn> {
        let Conn { transport, info: beneath, control, guard } = conn;
        let mut stream = transport.into_bytes();
        let header = Header { addresses: addresses(info), tlvs: tlvs(info) };
        let error = |kind, words: String| Error::new(kind, "connect", &*self.label, words);
        let bytes = encode(&header, self.version)
            .map_err(|cause| error(ErrorKind::Other, cause.to_string()))?;
        let sent = async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        sent.await.map_err(|cause| error(ErrorKind::Refused, describe(&cause)))?;
        Ok(Conn { transport: Transport::Bytes(stream), info: beneath, control, guard })
    }
}

/// Returns the client's address and the one that it connected to, as given by the outermost layer
/// that knows them.
fn addresses(info: &Info) -> Addresses {
    let tcp = info.get::<Tcp>();
    let inet = |source: SocketAddr, destination: Option<SocketAddr>| {
        let unspecified = match source.ip() {
            IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let destination = destination.or(tcp.map(|tcp| tcp.local));
        let destination = destination.unwrap_or_else(|| SocketAddr::new(unspecified, 0));
        Addresses::Inet { source, destination }
    };
    if let Some(proxied) = info.get::<Proxied>()
        && let Some(client) = proxied.client
    {
        let source = SocketAddr::new(client, proxied.client_port.unwrap_or(0));
        return inet(source, proxied.destination);
    }
    if let Some(tcp) = tcp {
        return inet(tcp.peer, None);
    }
    match info.get::<Unix>() {
        Some(Unix { path, .. }) => {
            let path = path.as_os_str().as_bytes();
            // An abstract name is shown as `@name`, and begins with a zero.
            let destination = match path.split_first() {
                Some((b'@', name)) => [b"\0", name].concat(),
                _ => path.to_vec(),
            };
            Addresses::Unix { source: Vec::new(), destination }
        }
        None => Addresses::Local,
    }
}

/// Returns the facts about the client's TLS. Of TLS to us and the TLS that proxies have reported, the outermost is
/// the client's own: the others are between two proxies.
fn tlvs(info: &Info) -> Vec<Tlv> {
    let told = info.get::<Told>();
    let is_id = |tlv: &&Tlv| matches!(tlv, Tlv::UniqueId(_));
    let id = told.into_iter().flat_map(Told::to_pass_on).find(is_id).cloned();
    let mut tlvs = Vec::new();
    for fact in info.facts() {
        let any: &dyn Any = fact;
        if let Some(told) = any.downcast_ref::<Told>() {
            tlvs.extend(told.to_pass_on().filter(|tlv| !is_id(tlv)).cloned());
            break;
        }
        if fact.root() == "tls" {
            tlvs.extend(ours(fact));
            break;
        }
        // By a header of HTTP; the facts of the PROXY protocol are beneath.
        if any.downcast_ref::<Proxied>().is_some_and(|proxied| proxied.scheme.is_some()) {
            let is_encrypted = fact.get("scheme").as_deref() == Some("https");
            let ssl = Ssl { is_encrypted, ..Ssl::default() };
            tlvs.extend(is_encrypted.then_some(Tlv::Ssl(ssl)));
            break;
        }
    }
    tlvs.extend(id);
    tlvs
}

fn ours(tls: &dyn Fact) -> Vec<Tlv> {
    let fact = |name: &str| tls.get(name).map(std::borrow::Cow::into_owned);
    let has_certificate = fact("client.fingerprint").is_some();
    let ssl = Ssl {
        is_encrypted: true,
        has_certificate,
        // One that isn't good doesn't get here.
        is_verified: has_certificate,
        version: fact("version").map(|version| format!("TLSv{version}")),
        common_name: fact("client.cn"),
        cipher: None,
    };
    let alpn = fact("alpn").map(|name| Tlv::Alpn(name.into_bytes()));
    let authority = fact("sni").map(Tlv::Authority);
    alpn.into_iter().chain(authority).chain([Tlv::Ssl(ssl)]).collect()
}
