//! Certificates and keys from files, and one that is made on the spot.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use endpoint::{Error, ErrorKind, describe};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use ring::digest::{SHA256, digest};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;
use tracing::{info, warn};
use webpki::EndEntityCert;

use crate::certificate::{Pem, fingerprint};

/// Reads files for one endpoint, which errors are about.
#[derive(Clone, Copy)]
pub(super) struct Files<'a> {
    pub(super) label: &'a str,
    pub(super) provider: &'a Arc<CryptoProvider>,
}

impl Files<'_> {
    /// The certificate with its chain, and its key: in one file, or in two.
    pub(super) fn certified(
        self,
        cert: &Path,
        key: Option<&Path>,
        chain: Option<&Path>,
    ) -> Result<Arc<CertifiedKey>, Error> {
        let mut certs = self.pem().certificates(cert)?;
        if let Some(chain) = chain {
            certs.extend(self.pem().certificates(chain)?);
        }
        if let Some(words) = certs.first().and_then(out_of_date) {
            warn!("the certificate in {} {words}; peers will refuse it", cert.display());
        }
        let key = key.unwrap_or(cert);
        let private = self.key(key)?;
        let fits =
            |certs: Vec<_>| CertifiedKey::from_der(certs, private.clone_key(), self.provider);
        fits(certs.clone()).map(Arc::new).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                let later = certs.iter().skip(1).any(|cert| fits(vec![cert.clone()]).is_ok());
                let words = if later {
                    "the key belongs to a later certificate; that one has to be the first, before its authorities"
                } else {
                    "the key doesn't match the certificate"
                };
                self.pem().error(key, words)
            }
            error => self.pem().error(key, &format!("the key can't be used: {error}")),
        })
    }

    fn key(self, path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
        if fs::metadata(path).is_ok_and(|file| file.mode() & 0o077 != 0) {
            warn!(
                "the key file {} can be read by other users; protect it with chmod 600",
                path.display()
            );
        }
        PrivateKeyDer::from_pem_file(path).map_err(|error| {
            self.pem().locked(path).unwrap_or_else(|| match error {
                rustls::pki_types::pem::Error::NoItemsFound => {
                    self.pem().error(path, "it contains no private key (PEM)")
                }
                error => self.pem().unreadable(path, &error),
            })
        })
    }

    /// The certificates in a folder, `NAME.pem` or `NAME/fullchain.pem` and `NAME/privkey.pem`, by name.
    pub(super) fn folder(self, path: &Path) -> Result<Vec<(String, Arc<CertifiedKey>)>, Error> {
        let entries =
            fs::read_dir(path).map_err(|error| self.pem().error(path, &describe(&error)))?;
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let inside = entry.path();
            let (chain, key) = (inside.join("fullchain.pem"), inside.join("privkey.pem"));
            let name =
                |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            if chain.is_file() {
                let Some(name) = name(&inside) else { continue };
                found.push((name, self.certified(&chain, Some(&key), None)?));
            } else if inside.extension().is_some_and(|end| end == "pem") {
                let Some(name) = name(&inside.with_extension("")) else { continue };
                found.push((name, self.certified(&inside, None, None)?));
            }
        }
        if found.is_empty() {
            return Err(self
                .pem()
                .error(path, "there is neither NAME.pem nor NAME/fullchain.pem in this folder"));
        }
        found.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(found)
    }

    /// A self-signed certificate for these names.
    pub(super) fn self_signed(self, names: Vec<String>) -> Result<Arc<CertifiedKey>, Error> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::new(
                ErrorKind::Other,
                "bind",
                self.label,
                format!("cannot create a certificate: {error}"),
            )
        };
        let mut params = CertificateParams::new(names).map_err(|error| failed(&error))?;
        params.distinguished_name.push(DnType::CommonName, "endpointforward self-signed");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2050, 1, 1);
        let key = KeyPair::generate().map_err(|error| failed(&error))?;
        let cert = params.self_signed(&key).map_err(|error| failed(&error))?;
        let der = cert.der().clone();
        info!(
            "the self-signed certificate of {} has the SHA-256 fingerprint {}; endpointforward accepts it with \
             `pin={}`",
            self.label,
            fingerprint(&der),
            pin(&der).unwrap_or_default()
        );
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| failed(&error))?;
        let certified = CertifiedKey::from_der(vec![der], key, self.provider);
        certified.map(Arc::new).map_err(|error| failed(&error))
    }

    fn pem(&self) -> Pem<'_> {
        Pem(self.label)
    }
}

/// Returns the error in the dates of a certificate.
fn out_of_date(cert: &CertificateDer<'_>) -> Option<&'static str> {
    let cert = EndEntityCert::try_from(cert).ok()?;
    // The dates are checked before anything else; without an authority, the rest fails.
    let verified = cert.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &[],
        &[],
        UnixTime::now(),
        webpki::KeyUsage::server_auth(),
        None,
        None,
    );
    match verified.err()? {
        webpki::Error::CertExpired { .. } => Some("has expired"),
        webpki::Error::CertNotValidYet { .. } => Some("is not valid yet"),
        _ => None,
    }
}

/// The SHA-256 of a certificate's key (`SubjectPublicKeyInfo`), as `pin=` takes it.
pub(super) fn pin(cert: &CertificateDer<'_>) -> Option<String> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    Some(format!("sha256/{}", STANDARD.encode(key_digest(cert)?)))
}

pub(super) fn key_digest(cert: &CertificateDer<'_>) -> Option<[u8; 32]> {
    let cert = EndEntityCert::try_from(cert).ok()?;
    let digest = digest(&SHA256, &cert.subject_public_key_info());
    digest.as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_looked_at() {
        let made = |from: i32, until: i32| {
            let mut params = CertificateParams::new(vec!["h.example".to_owned()]).unwrap();
            (params.not_before, params.not_after) =
                (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
            let cert = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            out_of_date(cert.der())
        };
        assert_eq!(made(2020, 2021), Some("has expired"));
        assert_eq!(made(2090, 2095), Some("is not valid yet"));
        assert_eq!(made(2020, 2095), None);
    }
}
