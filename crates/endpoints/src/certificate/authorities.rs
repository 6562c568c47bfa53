//! Verification of a client's certificate against the authorities of a gate, as in TLS.
//!
//! Each check uses the current time and the current files: a certificate that expired or was revoked after its
//! connection was opened admits no further session.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use endpoint::{Error, ErrorKind};
use rustls::CertificateError;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Pem, Presented, Stamp};

/// The authorities of clients' certificates, from files that are read again when they have changed.
pub(crate) struct Authorities {
    label: String,
    ca: PathBuf,
    crl: Option<PathBuf>,
    current: Mutex<Current>,
}

struct Current {
    verifier: Arc<dyn ClientCertVerifier>,
    stamp: Stamp,
    looked: Instant,
}

impl Authorities {
    /// Reads the files for the first time. `label` is the endpoint that errors are about.
    ///
    /// # Errors
    /// A file can't be read, or isn't what it has to be.
    pub(crate) fn open(label: &str, ca: PathBuf, crl: Option<PathBuf>) -> Result<Self, Error> {
        let stamp = stamp(&ca, &crl);
        let verifier = load(label, &ca, &crl)?;
        let current = Mutex::new(Current { verifier, stamp, looked: Instant::now() });
        Ok(Self { label: label.to_owned(), ca, crl, current })
    }

    /// Verifies a client's certificate: its chain, its dates, that it is for clients, and that it isn't revoked.
    ///
    /// # Errors
    /// The reason why it is invalid, for the client.
    pub(crate) fn verify(&self, presented: &Presented) -> Result<(), &'static str> {
        let (own, rest) = presented.chain.split_first().ok_or(UNACCEPTED)?;
        let verified = self.verifier().verify_client_cert(own, rest, UnixTime::now());
        verified.map(drop).map_err(|error| words(&error))
    }

    /// Returns the verifier for the current files. It makes a system call per second, and reads small files when they
    /// have changed.
    fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() < OFTEN {
            return Arc::clone(&current.verifier);
        }
        current.looked = Instant::now();
        let stamp = stamp(&self.ca, &self.crl);
        if stamp != current.stamp {
            current.stamp = stamp;
            match load(&self.label, &self.ca, &self.crl) {
                Ok(verifier) => {
                    info!("{}: loaded the changed file", self.ca.display());
                    current.verifier = verifier;
                }
                Err(error) => warn!("{error}; the earlier contents stay in use"),
            }
        }
        Arc::clone(&current.verifier)
    }
}

fn stamp(ca: &Path, crl: &Option<PathBuf>) -> Stamp {
    Stamp::of([ca.to_owned()].into_iter().chain(crl.clone()))
}

fn load(
    label: &str,
    ca: &Path,
    crl: &Option<PathBuf>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    verifier(label, Arc::new(ring::default_provider()), ca, crl.as_ref(), false)
}

/// Reads the files into what verifies a client's certificate; with `optional`, clients without one are admitted too.
///
/// # Errors
/// A file can't be read, or isn't what it has to be.
pub(crate) fn verifier(
    label: &str,
    provider: Arc<CryptoProvider>,
    ca: &Path,
    crl: Option<&PathBuf>,
    optional: bool,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let roots = Arc::new(Pem(label).roots(ca)?);
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider);
    if optional {
        builder = builder.allow_unauthenticated();
    }
    if let Some(crl) = crl {
        // An expired list may miss certificates that were revoked since.
        builder = builder.with_crls(Pem(label).revoked(crl)?).enforce_revocation_expiration();
    }
    let built = builder.build();
    built.map_err(|error| Error::new(ErrorKind::Other, "open", label, error.to_string()))
}

fn words(error: &rustls::Error) -> &'static str {
    let rustls::Error::InvalidCertificate(error) = error else { return UNACCEPTED };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "your certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "your certificate is not valid yet"
        }
        CertificateError::Revoked => "your certificate has been revoked",
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "your certificate is signed by no authority of this listener"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "your certificate is not one for clients (extended key usage)"
        }
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. }
        | CertificateError::UnknownRevocationStatus => {
            "the revocation list for your certificate is missing or has expired"
        }
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "your certificate is an authority's, as `openssl req -x509` creates them"
        }
        _ => UNACCEPTED,
    }
}

const OFTEN: Duration = Duration::from_secs(1);
const UNACCEPTED: &str = "your certificate is not accepted";
