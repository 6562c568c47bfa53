//! Signed tokens (JWT, RFC 7519): what routes and sign-in share.
//!
//! 1. [`keys`] reads a file of keys, and says which algorithms each is for;
//! 2. [`Tokens::check`] finds the key that a token is signed with, and looks at its claims;
//! 3. [`verify`] has ring's signatures for the library that reads tokens.

mod keys;
mod verify;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header, get_current_timestamp};
use plan::kind::{Args, Param, ValueKind};
use serde_json::{Map, Value};

use self::keys::{Key, Keys};
use crate::watched::Watched;

/// What a file of keys is, for the parameters that name one.
pub(crate) const KEY_FILE: &str = "A file with public keys (PEM: RSA, P-256, P-384, Ed25519), a JWK or a JWKS, or a secret of at least 32 bytes \
     in base64url. It is read again when it has changed. A key verifies only the algorithms of its type, and a \
     token without a signature for nothing.";

pub(crate) const AUDIENCE: Param = Param::new(
    "aud",
    ValueKind::List,
    "The audiences of which a token has to be for one. Without it, a token for any is refused.",
);

pub(crate) const ISSUER: Param =
    Param::new("iss", ValueKind::List, "The issuers of which a token has to be from one.");

pub(crate) const LASTING: Param = Param::new(
    "lasting",
    ValueKind::Bool,
    "Whether tokens are taken that never expire, because they have no `exp`.",
)
.default("false");

/// What is asked of tokens, planned.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    file: PathBuf,
    audiences: Option<Vec<String>>,
    issuers: Option<Vec<String>>,
    is_lasting: bool,
}

impl Rules {
    /// Reads the parameters, with the one that names the file.
    ///
    /// # Errors
    /// One of them is given and lists nothing: an unset variable must not mean everybody.
    pub(crate) fn read(args: &Args, file: &str) -> Result<Self, descriptor::Diagnostic> {
        let list = |name: &str| match args.list(name) {
            [] if args.is_given(name) => {
                Err(args.mistake(name, "bad-list", format!("`{name}` is empty")))
            }
            [] => Ok(None),
            list => Ok(Some(list.to_vec())),
        };
        Ok(Self {
            file: args.text(file).unwrap_or_default().into(),
            audiences: list(AUDIENCE.name)?,
            issuers: list(ISSUER.name)?,
            is_lasting: args.flag(LASTING.name),
        })
    }

    /// Returns where the keys are.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// The file can't be read.
    pub(crate) fn open(self) -> io::Result<Tokens> {
        verify::install();
        Ok(Tokens { keys: Watched::open(&self.file, keys::read)?, rules: self })
    }

    fn validation(&self, algorithms: Vec<Algorithm>) -> Validation {
        let set = |list: &Option<Vec<String>>| list.clone().map(HashSet::from_iter);
        // What is asked for has to be there.
        let required = [
            ("exp", !self.is_lasting),
            ("aud", self.audiences.is_some()),
            ("iss", self.issuers.is_some()),
        ];
        let required = required.iter().filter(|(_, is)| *is).map(|(name, _)| (*name).to_owned());
        Validation {
            algorithms,
            leeway: LEEWAY,
            validate_nbf: true,
            aud: set(&self.audiences),
            iss: set(&self.issuers),
            required_spec_claims: required.collect(),
            ..Validation::default()
        }
    }
}

/// What checks tokens.
pub(crate) struct Tokens {
    keys: Watched<Keys>,
    rules: Rules,
}

/// A token that is good.
#[derive(Debug)]
pub(crate) struct Claims {
    claims: Map<String, Value>,
    /// Tells the key that it is signed with from others.
    pub(crate) key: [u8; 32],
    /// When it ends, in seconds since 1970.
    pub(crate) expires: Option<u64>,
}

impl Claims {
    /// Returns a claim that is text or a number.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.claims.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// Why a token isn't good.
#[derive(Debug)]
pub(crate) struct Bad {
    pub(crate) words: String,
    /// Whether no key of ours has signed it: it may be a guess.
    pub(crate) is_forged: bool,
}

impl Tokens {
    /// Returns the claims of a token that one of the keys has signed, that is valid at this time, and whose audience is ours.
    ///
    /// # Errors
    /// It isn't.
    pub(crate) fn check(&self, token: &str) -> Result<Claims, Bad> {
        let forged = |words: &str| Bad { words: words.to_owned(), is_forged: true };
        if token.len() > LONGEST {
            return Err(forged("it is too long"));
        }
        match token.split('.').count() {
            3 => {}
            5 => return Err(forged("it is encrypted (JWE), and signed ones are read")),
            _ => return Err(forged("it is no token")),
        }
        let header =
            decode_header(token).map_err(|_| forged("its algorithm is none that is taken"))?;
        let keys = self.keys.get();
        let mut last = forged("no key is for its algorithm");
        for Key { algorithms, key, stamp, .. } in keys.for_id(header.kid.as_deref()) {
            if !algorithms.contains(&header.alg) {
                continue;
            }
            let validation = self.rules.validation(algorithms.clone());
            match decode::<Map<String, Value>>(token, key, &validation) {
                Ok(data) => {
                    let expires = data.claims.get("exp").and_then(seconds);
                    return Ok(Claims { claims: data.claims, key: *stamp, expires });
                }
                Err(error) => last = bad(&error),
            }
            if !last.is_forged {
                break;
            }
        }
        Err(last)
    }

    /// Returns whether a key is still one of ours, and `expires` is to come.
    pub(crate) fn is_current(&self, key: [u8; 32], expires: Option<u64>) -> bool {
        // The latest date has no room for more.
        let is_over =
            expires.is_some_and(|expires| expires.saturating_add(LEEWAY) < get_current_timestamp());
        !is_over && self.keys.get().has(key)
    }
}

fn seconds(value: &Value) -> Option<u64> {
    // A date may have a fraction (RFC 7519 section 2). One that is too large for u64 never comes.
    value.as_u64().or_else(|| value.as_f64().map(|seconds| seconds as u64))
}

fn bad(error: &Error) -> Bad {
    let (words, is_forged) = match error.kind() {
        ErrorKind::ExpiredSignature => ("it has expired".to_owned(), false),
        ErrorKind::ImmatureSignature => ("it is not valid yet".to_owned(), false),
        ErrorKind::InvalidAudience => ("it is for another audience".to_owned(), false),
        ErrorKind::InvalidIssuer => ("it is from another issuer".to_owned(), false),
        ErrorKind::MissingRequiredClaim(name) => (format!("it has no `{name}`"), false),
        ErrorKind::InvalidClaimFormat(name) => (format!("its `{name}` makes no sense"), false),
        ErrorKind::InvalidSignature => ("its signature is wrong".to_owned(), true),
        _ => ("it is no token".to_owned(), true),
    };
    Bad { words, is_forged }
}

/// What clocks may differ by, in seconds.
const LEEWAY: u64 = 30;
/// Of a token, in bytes.
const LONGEST: usize = 16 << 10;

#[cfg(test)]
mod tests;
