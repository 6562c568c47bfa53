//! A name and a password, as Basic credentials (RFC 7617).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The credentials of a client.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name, without a colon.
    pub user: String,
    /// The password.
    pub password: String,
}

impl Login {
    /// Parses the value of `Proxy-Authorization`; `None` if it has no Basic credentials.
    #[must_use]
    pub fn of(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some(Self { user: user.to_owned(), password: password.to_owned() })
    }

    /// Returns the value of `Proxy-Authorization`.
    #[must_use]
    pub fn value(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.password)))
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}
