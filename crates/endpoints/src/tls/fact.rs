//! Facts about a TLS connection.

use std::borrow::Cow;

use endpoint::Fact;
use plan::kind::FactName;
use rustls::{CommonState, ProtocolVersion};

pub(super) const FACTS: &[FactName] = &[
    FactName::new("tls.alpn", "The agreed protocol (ALPN, RFC 7301)."),
    FactName::new(
        "tls.client.cn",
        "The common name in the subject of the client's verified certificate. Missing if there are several, or if it \
         contains control characters or invisible ones.",
    ),
    FactName::new(
        "tls.client.fingerprint",
        "The SHA-256 fingerprint of the client's verified certificate, in hexadecimal.",
    ),
    FactName::new(
        "tls.client.san",
        "The DNS names in the client's verified certificate, separated by commas.",
    ),
    FactName::new(
        "tls.client.subject",
        "The subject of the client's verified certificate (RFC 4514, such as `CN=alice,O=Example,C=SE`). Control \
         characters and invisible ones are escaped. Missing if it is longer than 2,048 bytes.",
    ),
    FactName::new("tls.sni", "The server name that the client sent (SNI, RFC 6066 section 3)."),
    FactName::new("tls.version", "The TLS version: `1.2` or `1.3`."),
];

/// Facts about a TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secured {
    sni: Option<String>,
    alpn: Option<String>,
    version: Option<&'static str>,
}

impl Secured {
    /// Reads them from an open connection. `sni` is what the client asked for.
    pub(super) fn of(state: &CommonState, sni: Option<String>) -> Self {
        let alpn = state.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
        let version = match state.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => Some("1.2"),
            Some(ProtocolVersion::TLSv1_3) => Some("1.3"),
            _ => None,
        };
        Self { sni, alpn, version }
    }
}

impl Fact for Secured {
    fn root(&self) -> &'static str {
        "tls"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = match name {
            "alpn" => self.alpn.as_deref(),
            "sni" => self.sni.as_deref(),
            "version" => self.version,
            _ => None,
        };
        value.map(Cow::Borrowed)
    }

    fn log(&self) -> Option<String> {
        let version = self.version.map(|version| format!("tls={version}"));
        let name = self.sni.as_ref().map(|sni| format!("sni={sni:?}"));
        let log: Vec<_> = version.into_iter().chain(name).collect();
        Some(log.join(" ")).filter(|log| !log.is_empty())
    }
}
