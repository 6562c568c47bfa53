//! The facts in a PROXY header about a client, besides its addresses.

use std::borrow::Cow;

use endpoint::Fact;
use plan::kind::FactName;
use proxy_protocol::{Ssl, Tlv};

pub(super) const FACTS: &[FactName] = &[
    FactName::new(
        "proxy.alpn",
        "The protocol that the client and the proxy agreed on in TLS (ALPN).",
    ),
    FactName::new(
        "proxy.authority",
        "The server name that the client sent to the proxy in TLS (SNI).",
    ),
    FactName::new("proxy.client", "The client's address, as reported by a trusted proxy."),
    FactName::new("proxy.client_port", "The client's port, if a trusted proxy reports it."),
    FactName::new("proxy.destination", "The address that the client connected to."),
    FactName::new("proxy.destination_port", "The port that the client connected to."),
    FactName::new("proxy.peer", "The proxy's own address."),
    FactName::new("proxy.tls.cipher", "The cipher between the client and the proxy."),
    FactName::new(
        "proxy.tls.client.cn",
        "The common name of the client's certificate, if the proxy has verified it.",
    ),
    FactName::new(
        "proxy.tls.version",
        "The TLS version between the client and the proxy, such as `TLSv1.3`.",
    ),
    FactName::new(
        "proxy.unique_id",
        "The proxy's identifier for the connection, in hexadecimal if it isn't plain text.",
    ),
];

/// The TLVs of a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told(pub(super) Vec<Tlv>);

impl Told {
    fn ssl(&self) -> Option<&Ssl> {
        self.0.iter().find_map(|tlv| match tlv {
            Tlv::Ssl(ssl) => Some(ssl),
            _ => None,
        })
    }

    /// Those that are true wherever the connection goes on to.
    pub(super) fn to_pass_on(&self) -> impl Iterator<Item = &Tlv> {
        self.0.iter().filter(|tlv| !matches!(tlv, Tlv::Other(..)))
    }
}

impl Fact for Told {
    fn root(&self) -> &'static str {
        "proxy"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let first = |of: fn(&Tlv) -> Option<Cow<'_, str>>| self.0.iter().find_map(of);
        match name {
            "alpn" => first(|tlv| match tlv {
                Tlv::Alpn(name) => Some(String::from_utf8_lossy(name)),
                _ => None,
            }),
            "authority" => first(|tlv| match tlv {
                Tlv::Authority(name) => Some(Cow::Borrowed(name)),
                _ => None,
            }),
            "unique_id" => first(|tlv| match tlv {
                Tlv::UniqueId(id) => Some(plain(id)),
                _ => None,
            }),
            "tls.cipher" => self.ssl()?.cipher.as_deref().map(Cow::Borrowed),
            "tls.version" => self.ssl()?.version.as_deref().map(Cow::Borrowed),
            "tls.client.cn" => {
                let ssl = self.ssl().filter(|ssl| ssl.has_certificate && ssl.is_verified)?;
                ssl.common_name.as_deref().map(Cow::Borrowed)
            }
            _ => None,
        }
    }
}

fn plain(id: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(id) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Cow::Borrowed(text),
        _ => id.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    }
}
