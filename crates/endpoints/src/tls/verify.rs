//! Servers that are known by their key, servers that are not verified, and clients that a gate verifies.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::certs::key_digest;

/// Takes a certificate by the key in it, and by an authority too if one is asked for.
#[derive(Debug)]
pub(super) struct Pinned {
    algorithms: WebPkiSupportedAlgorithms,
    pins: Vec<[u8; 32]>,
    authority: Option<Arc<dyn ServerCertVerifier>>,
}

impl Pinned {
    pub(super) fn new(
        provider: &CryptoProvider,
        pins: Vec<[u8; 32]>,
        authority: Option<Arc<rustls::client::WebPkiServerVerifier>>,
    ) -> Self {
        let algorithms = provider.signature_verification_algorithms;
        Self { algorithms, pins, authority: authority.map(|it| it as Arc<dyn ServerCertVerifier>) }
    }
}

/// Takes every certificate.
#[derive(Debug)]
pub(super) struct Anything(WebPkiSupportedAlgorithms);

impl Anything {
    pub(super) fn new(provider: &CryptoProvider) -> Self {
        Self(provider.signature_verification_algorithms)
    }
}

/// The peer has to prove that it has the key, whatever else is looked at.
macro_rules! signatures {
    ($field:tt) => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, cert, signed, &self.$field)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, cert, signed, &self.$field)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.$field.supported_schemes()
        }
    };
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !key_digest(cert).is_some_and(|digest| self.pins.contains(&digest)) {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        match &self.authority {
            Some(authority) => authority.verify_server_cert(cert, chain, name, ocsp, now),
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    signatures!(algorithms);
}

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    signatures!(0);
}

/// Clients have to prove that they have the key, and need no certificate.
impl ClientCertVerifier for Anything {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    signatures!(0);
}
