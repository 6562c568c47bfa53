//! rustls' configurations, made of parameters.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use endpoint::{ClientCertificates, Error, ErrorKind, Missing};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::version::TLS13;
use rustls::{
    ClientConfig, DEFAULT_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion,
};

use super::certs::Files;
use super::choose::Chooser;
use super::verify::{Anything, Pinned};
use crate::absent::{no_file, no_files};
use crate::certificate::{self, Pem, Stamp};

/// The settings of both sides.
#[derive(Clone, Debug)]
pub(super) struct Common {
    /// The endpoint, for messages.
    pub(super) label: String,
    pub(super) cert: Vec<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) chain: Option<PathBuf>,
    pub(super) alpn: Vec<Vec<u8>>,
    /// No version before 1.3.
    pub(super) only_13: bool,
}

/// The credentials of a listener.
#[derive(Clone, Debug)]
pub(super) struct Serving {
    pub(super) common: Common,
    pub(super) is_self_signed: bool,
    pub(super) clients: Clients,
    pub(super) ca: Option<PathBuf>,
    pub(super) crl: Option<PathBuf>,
}

/// The verification of clients' certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clients {
    Off,
    Optional,
    /// They are requested, and verified by a gate.
    Requested,
    Required,
}

impl Clients {
    pub(super) fn is_verified(self) -> bool {
        matches!(self, Self::Optional | Self::Required)
    }

    /// Returns the kind of certificates that the layers above get.
    pub(super) fn shown(self) -> ClientCertificates {
        match self {
            Self::Off => ClientCertificates::None,
            Self::Requested => ClientCertificates::Unverified,
            Self::Optional | Self::Required => ClientCertificates::Verified,
        }
    }
}

/// The trusted authorities and keys of a connection.
#[derive(Clone, Debug)]
pub(super) enum Trust {
    System,
    Mozilla,
    File(PathBuf),
    /// Keys, by their SHA-256.
    Pins(Vec<[u8; 32]>),
    /// Keys, of certificates that an authority in the file has signed.
    FileAndPins(PathBuf, Vec<[u8; 32]>),
    Anybody,
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

impl Common {
    fn versions(&self) -> &'static [&'static SupportedProtocolVersion] {
        if self.only_13 { ONLY_13 } else { DEFAULT_VERSIONS }
    }

    fn error(&self, words: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Other, "open", &*self.label, words.to_string())
    }

    /// Returns those of its files that don't exist.
    pub(super) fn missing(&self) -> Vec<Missing> {
        let missing = self.cert.iter().filter(|path| !path.exists());
        let certs = missing.map(|path| no_file("cert", path));
        certs.chain(no_files([("key", &self.key), ("chain", &self.chain)])).collect()
    }

    /// The files that it is made of.
    pub(super) fn files<'a>(&'a self, more: &'a [&'a Option<PathBuf>]) -> Vec<PathBuf> {
        let own = [&self.key, &self.chain];
        let named = own.into_iter().chain(more.iter().copied()).flatten();
        self.cert.iter().chain(named).cloned().collect()
    }
}

impl Serving {
    /// Returns the files that don't exist.
    pub(super) fn missing(&self) -> Vec<Missing> {
        let mut all = self.common.missing();
        all.extend(no_files([("ca", &self.ca), ("crl", &self.crl)]));
        all
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp::of(self.common.files(&[&self.ca, &self.crl]))
    }

    /// Reads the files. Blocks on them.
    pub(super) fn load(&self, address: Option<IpAddr>) -> Result<ServerConfig, Error> {
        let provider = provider();
        let files = Files { label: &self.common.label, provider: &provider };
        let chooser = if self.is_self_signed {
            Chooser::one(files.self_signed(own_names(address))?)
        } else {
            let mut chooser = Chooser::default();
            for path in &self.common.cert {
                if path.is_dir() {
                    chooser.add_named(files.folder(path)?);
                } else {
                    let (key, chain) = (self.common.key.as_deref(), self.common.chain.as_deref());
                    let certified =
                        files.certified(path, key, chain).map_err(|error| match path.exists() {
                            true => error,
                            false => error.with_hint("for a trial, `cert=self-signed` creates one"),
                        });
                    chooser.add(certified?);
                }
            }
            chooser
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder
            .with_protocol_versions(self.common.versions())
            .map_err(|error| self.common.error(error))?;
        let builder = match (&self.ca, self.clients) {
            (Some(ca), Clients::Optional | Clients::Required) => {
                let optional = self.clients == Clients::Optional;
                let provider = Arc::clone(&provider);
                let (label, crl) = (&*self.common.label, self.crl.as_ref());
                let verifier = certificate::verifier(label, provider, ca, crl, optional)?;
                builder.with_client_cert_verifier(verifier)
            }
            (_, Clients::Requested) => {
                builder.with_client_cert_verifier(Arc::new(Anything::new(&provider)))
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(chooser));
        config.alpn_protocols.clone_from(&self.common.alpn);
        config.send_tls13_tickets = 1;
        config.ticketer = ring::Ticketer::new().map_err(|error| self.common.error(error))?;
        Ok(config)
    }
}

/// Returns the names in a certificate for this machine alone.
fn own_names(address: Option<IpAddr>) -> Vec<String> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(address.filter(|address| !address.is_unspecified()).map(|it| it.to_string()));
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    names.extend(Some(host).filter(|host| !host.is_empty() && host.chars().all(is_name)));
    names.sort();
    names.dedup();
    names
}

/// Reads the files of a connection. Blocks on them.
pub(super) fn dialling(common: &Common, trust: &Trust) -> Result<ClientConfig, Error> {
    let provider = provider();
    let files = Files { label: &common.label, provider: &provider };
    let webpki = |roots: RootCertStore| {
        let builder = rustls::client::WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::clone(&provider),
        );
        builder.build().map_err(|error| common.error(error))
    };
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::System => {
            let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(&provider));
            Arc::new(verifier.map_err(|error| {
                common.error(format!(
                    "the system's certificate authorities can't be used: {error}; install the package \
                     `ca-certificates`, or set `ca=webpki` or `ca=FILE`"
                ))
            })?)
        }
        Trust::Mozilla => webpki(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())?,
        Trust::File(path) => webpki(Pem(&common.label).roots(path)?)?,
        Trust::Pins(pins) => Arc::new(Pinned::new(&provider, pins.clone(), None)),
        Trust::FileAndPins(path, pins) => Arc::new(Pinned::new(
            &provider,
            pins.clone(),
            Some(webpki(Pem(&common.label).roots(path)?)?),
        )),
        Trust::Anybody => Arc::new(Anything::new(&provider)),
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(common.versions())
        .map_err(|error| common.error(error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match common.cert.first() {
        Some(cert) => {
            let certified =
                files.certified(cert, common.key.as_deref(), common.chain.as_deref())?;
            builder.with_client_cert_resolver(Arc::new(Chooser::one(certified)))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols.clone_from(&common.alpn);
    Ok(config)
}

static ONLY_13: &[&SupportedProtocolVersion] = &[&TLS13];
