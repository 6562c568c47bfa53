//! The identity and the role of a peer.

/// The identity of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(Option<String>);

impl Identity {
    /// Creates the identity of a peer that was admitted without a name.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// Creates the identity of a user of this name.
    pub fn user(name: impl Into<String>) -> Self {
        Self(Some(name.into()))
    }

    /// Returns the user's name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// The role of a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Read and write.
    #[default]
    ReadWrite,
    /// Read only.
    ReadOnly,
}

impl Role {
    /// Returns its name: `rw` or `ro`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadWrite => "rw",
            Self::ReadOnly => "ro",
        }
    }
}
