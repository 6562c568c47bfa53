//! The choice of the certificate for a connection.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::certificate::names;

/// Certificates, chosen from by the name that a client asks for. The first is for those that ask for none, or for one
/// that there is no certificate for.
#[derive(Debug, Default)]
pub(super) struct Chooser {
    first: Option<Arc<CertifiedKey>>,
    named: Vec<(String, Arc<CertifiedKey>)>,
}

impl Chooser {
    pub(super) fn one(certified: Arc<CertifiedKey>) -> Self {
        Self { first: Some(certified), named: Vec::new() }
    }

    /// Adds a certificate for the names that it contains.
    pub(super) fn add(&mut self, certified: Arc<CertifiedKey>) {
        let names = certified.cert.first().map(names).unwrap_or_default();
        let named: Vec<_> = names.into_iter().map(|name| (name, Arc::clone(&certified))).collect();
        self.first.get_or_insert(certified);
        self.named.extend(named);
    }

    /// Adds certificates for these names.
    pub(super) fn add_named(&mut self, named: Vec<(String, Arc<CertifiedKey>)>) {
        for (name, certified) in named {
            self.first.get_or_insert_with(|| Arc::clone(&certified));
            self.named.push((name.to_ascii_lowercase(), certified));
        }
    }

    /// The one for a name; `*.example.com` is for one label more (RFC 6125 section 6.4.3).
    fn choose(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let named = name.and_then(|name| {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let wild = name.split_once('.').map(|(_, rest)| format!("*.{rest}"));
            let find = |wanted: &str| self.named.iter().find(|(other, _)| other == wanted);
            find(&name).or_else(|| find(&wild?))
        });
        named.map(|(_, certified)| certified).or(self.first.as_ref()).cloned()
    }
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name())
    }
}

impl ResolvesClientCert for Chooser {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.first.clone()
    }

    fn has_certs(&self) -> bool {
        self.first.is_some()
    }
}
