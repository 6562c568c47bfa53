//! TLS at the client's end of a connection: rustls between the load and its socket.
//!
//! All subjects get the same: TLS 1.3, X25519, `TLS_AES_128_GCM_SHA256`.

use std::io::{self, ErrorKind, IoSlice, Read as _, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};

use crate::Failure;

/// The configurations of clients of one subject.
#[derive(Clone, Debug)]
pub(crate) struct Configs {
    /// Every handshake is a full one.
    full: Arc<ClientConfig>,
    /// The last ticket is used.
    resuming: Arc<ClientConfig>,
}

impl Configs {
    /// Clients that trust the certificate in that file.
    pub(crate) fn trusting(file: &Path) -> Result<Self, Failure> {
        let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let mut roots = RootCertStore::empty();
        let cert = CertificateDer::from_pem_file(file).map_err(|error| fail(&error))?;
        roots.add(cert).map_err(|error| fail(&error))?;
        let provider = CryptoProvider {
            cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
            kx_groups: vec![ring::kx_group::X25519],
            ..ring::default_provider()
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| fail(&error))?;
        let resuming = builder.with_root_certificates(roots).with_no_client_auth();
        let mut full = resuming.clone();
        full.resumption = Resumption::disabled();
        Ok(Self { full: Arc::new(full), resuming: Arc::new(resuming) })
    }
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Session(ClientConnection);

impl Session {
    /// Makes the handshake.
    pub(crate) fn open(
        configs: &Configs,
        resume: bool,
        stream: &mut TcpStream,
    ) -> Result<Self, Failure> {
        let config = if resume { &configs.resuming } else { &configs.full };
        let name = ServerName::try_from(NAME).expect("it is a name");
        let mut tls = ClientConnection::new(Arc::clone(config), name)
            .map_err(|error| format!("TLS: {error}"))?;
        // Nothing is accepted before the one under way is written.
        tls.set_buffer_limit(None);
        tls.complete_io(stream).map_err(|error| format!("the TLS handshake failed: {error}"))?;
        Ok(Self(tls))
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.0.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Encrypts `bytes`, unless earlier ones wait: how many were taken.
    pub(crate) fn send(&mut self, socket: &OwnedFd, bytes: &[u8]) -> Result<usize, Failure> {
        if !self.flush(socket)? {
            return Ok(0);
        }
        let taken = self.0.writer().write(bytes).map_err(|error| format!("TLS: {error}"))?;
        self.flush(socket)?;
        Ok(taken)
    }

    /// Writes the waiting data; returns `false` if some still waits.
    pub(crate) fn flush(&mut self, socket: &OwnedFd) -> Result<bool, Failure> {
        while self.0.wants_write() {
            match self.0.write_tls(&mut Raw(socket)) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(format!("cannot send: {error}")),
            }
        }
        Ok(true)
    }

    /// Decrypts received bytes, and hands on the payload.
    pub(crate) fn receive(
        &mut self,
        mut bytes: &[u8],
        mut payload: impl FnMut(&[u8]),
    ) -> Result<(), Failure> {
        let mut plain = [0; 16 << 10];
        while !bytes.is_empty() {
            let fail = |error: &dyn std::fmt::Display| format!("TLS: {error}");
            self.0.read_tls(&mut bytes).map_err(|error| fail(&error))?;
            self.0.process_new_packets().map_err(|error| fail(&error))?;
            loop {
                match self.0.reader().read(&mut plain) {
                    Ok(0) => return Err("the connection has ended".to_owned()),
                    Ok(count) => payload(&plain[..count]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(fail(&error)),
                }
            }
        }
        Ok(())
    }

    pub(crate) fn half_close(&mut self, socket: &OwnedFd) -> Result<(), Failure> {
        self.0.send_close_notify();
        self.flush(socket).map(drop)
    }
}

/// Several records go out in one call.
struct Raw<'a>(&'a OwnedFd);

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        Ok(sendmsg(self.0, slices, &mut SendAncillaryBuffer::default(), flags)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The name in the subjects' certificate.
pub(crate) const NAME: &str = "localhost";

/// The certificate, in the folder of a subject.
pub(crate) const CERT: &str = "cert.pem";
