//! The address of an open listener.

use std::fmt;
use std::net::SocketAddr;

/// The address of a listener, with parts that the system chose filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Local {
    /// A descriptor for it: `tcp:127.0.0.1:41234`, `ws:{tcp:127.0.0.1:41234}`.
    pub descriptor: String,
    /// The URL for a browser, if there is one.
    pub url: Option<String>,
    /// Set if connections to it are encrypted, so that clients use `https` and `wss`.
    pub is_encrypted: bool,
    /// Its treatment of clients' certificates.
    pub certificates: ClientCertificates,
    /// The IP address and port, if it has one.
    pub address: Option<SocketAddr>,
    /// The URL that admits its bearer, if only the invited may connect. Not part of `Display`.
    pub invitation: Option<Invitation>,
}

/// The treatment of clients' certificates by a listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// It requests none.
    #[default]
    None,
    /// It requests them; a gate verifies them.
    Unverified,
    /// It requests them, and verifies them against its authorities.
    Verified,
}

/// A URL that admits everyone who opens it: printed for the user who started the command, and never
/// logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation(String);

impl Invitation {
    /// Creates an invitation of this URL, which contains the secret.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// Returns the URL, including the secret.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invitation")
    }
}

impl Local {
    /// Creates an address that only has a descriptor.
    pub fn new(descriptor: impl Into<String>) -> Self {
        Self {
            descriptor: descriptor.into(),
            url: None,
            is_encrypted: false,
            certificates: ClientCertificates::None,
            address: None,
            invitation: None,
        }
    }

    /// Creates the address of a layer of the kind `name` over a listener with the address `beneath`: `NAME:{…}`, with
    /// everything else that is known of `beneath`. See
    /// [`Local::without_page`], too.
    #[must_use]
    pub fn over(name: &str, beneath: &Self) -> Self {
        Self { descriptor: format!("{name}:{{{}}}", beneath.descriptor), ..beneath.clone() }
    }

    /// Creates the address of a network socket.
    #[must_use]
    pub fn at(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Sets the URL that it is reachable by.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Removes the URL and the invitation: browsers don't speak the protocol.
    #[must_use]
    pub fn without_page(mut self) -> Self {
        (self.url, self.invitation) = (None, None);
        self
    }

    /// Requires this invitation.
    #[must_use]
    pub fn with_invitation(mut self, invitation: Invitation) -> Self {
        self.invitation = Some(invitation);
        self
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.descriptor)?;
        self.url.as_ref().map_or(Ok(()), |url| write!(f, " ({url})"))
    }
}
