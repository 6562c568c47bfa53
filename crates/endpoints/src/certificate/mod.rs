//! Clients' certificates: their names, and the authorities that they are verified against.
//!
//! `tls` requests them, and a gate (`auth={cert:ca=…}`) may verify them against other authorities.

mod authorities;
mod pem;
mod subject;

use std::borrow::Cow;
use std::sync::OnceLock;

use endpoint::Fact;
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

pub(crate) use self::authorities::{Authorities, verifier};
pub(crate) use self::pem::{Pem, Stamp};
use self::subject::Subject;

/// The certificates that a client has sent: its own first, then intermediate ones.
///
/// The client has proved that it has the key. The names in the certificate are facts only after it was verified, by
/// `tls` itself or by a gate.
#[derive(Debug)]
pub(crate) struct Presented {
    chain: Vec<CertificateDer<'static>>,
    verified: OnceLock<Certificate>,
}

impl Presented {
    /// Creates the chain of a connection; `None` if it is empty.
    pub(crate) fn new(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let chain: Vec<_> = chain.iter().map(|cert| cert.clone().into_owned()).collect();
        (!chain.is_empty()).then(|| Self { chain, verified: OnceLock::new() })
    }

    /// Returns the names in the client's own certificate as a fact.
    pub(crate) fn set_verified(&self) -> &Certificate {
        self.verified.get_or_init(|| Certificate::of(&self.chain[0]))
    }

    /// Returns the names in the client's own certificate, verified or not.
    pub(crate) fn certificate(&self) -> Cow<'_, Certificate> {
        let read = || Cow::Owned(Certificate::of(&self.chain[0]));
        self.verified.get().map_or_else(read, Cow::Borrowed)
    }
}

impl Fact for Presented {
    fn root(&self) -> &'static str {
        "tls"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let Certificate { fingerprint, names, .. } = self.verified.get()?;
        let value = match name {
            "client.cn" => self.verified.get()?.common_name(),
            "client.fingerprint" => Some(&**fingerprint),
            "client.san" => Some(&**names),
            "client.subject" => self.verified.get()?.subject(),
            _ => None,
        };
        value.map(Cow::Borrowed)
    }

    fn log(&self) -> Option<String> {
        let certificate = self.verified.get()?;
        let name = Some(&*certificate.names).filter(|names| !names.is_empty());
        let name = name.or_else(|| certificate.subject()).unwrap_or(&certificate.fingerprint);
        Some(format!("client={name:?}"))
    }
}

/// The names in a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// The SHA-256, in hexadecimal.
    pub(crate) fingerprint: String,
    /// The DNS names, separated by commas.
    pub(crate) names: String,
    subject: Option<Subject>,
}

impl Certificate {
    fn of(cert: &CertificateDer<'_>) -> Self {
        Self {
            fingerprint: fingerprint(cert),
            names: names(cert).join(","),
            subject: subject::of(cert),
        }
    }

    /// The whole subject (RFC 4514).
    pub(crate) fn subject(&self) -> Option<&str> {
        self.subject.as_ref()?.text.as_deref()
    }

    /// The only common name.
    pub(crate) fn common_name(&self) -> Option<&str> {
        self.subject.as_ref()?.common_name.as_deref()
    }
}

/// The names that a certificate is for.
pub(crate) fn names(cert: &CertificateDer<'_>) -> Vec<String> {
    EndEntityCert::try_from(cert)
        .map(|cert| cert.valid_dns_names().map(str::to_ascii_lowercase).collect())
        .unwrap_or_default()
}

/// The SHA-256 of a certificate, in hexadecimal.
pub(crate) fn fingerprint(cert: &CertificateDer<'_>) -> String {
    digest(&SHA256, cert).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
