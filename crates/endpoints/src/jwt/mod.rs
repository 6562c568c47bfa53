//! Signed tokens (JWT, RFC 7519), for `route:jwt` and `auth={jwt}`.
//!
//! 1. [`keys`] parses a file of keys, and determines the algorithms of each; [`fetched`] has the keys of a server;
//! 2. [`Tokens::check`] finds the key that a token is signed with, and checks its claims;
//! 3. [`verify`] provides ring's verification to the library that parses tokens.

mod fetched;
mod keys;
mod verify;

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use descriptor::{Code, Diagnostic};
use endpoint::{Context, Missing};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header, get_current_timestamp};
use plan::kind::{Args, Param, ValueKind};
use serde_json::{Map, Value};
use tokio::task::spawn_blocking;

use self::fetched::{Fetched, Pace};
use self::keys::{Key, Keys};
use crate::http::remote::Remote;
use crate::watched::Watched;

/// The parameter with the keys, under the name that it has there.
pub(crate) const fn keys(name: &'static str) -> Param {
    Param::new(name, ValueKind::Text, KEYS).required().hides_query()
}

const KEYS: &str = "The keys: a file with public keys (PEM: RSA, P-256, P-384, Ed25519), a JWK or a JWKS, or a secret of at \
    least 32 bytes in base64url; or the URL of a JWKS, as `{https://id.example/jwks.json}`. A file is read again when it has \
    changed. A JWKS is fetched when it is first needed. It is used for as long as its `Cache-Control: max-age` says, from 30 s \
    to an hour, or for 5 min if it doesn't say, and it is fetched again for a token with an unknown `kid`, at most every \
    5 s. If that fails, the earlier keys stay in use, with a warning. Redirects are not followed, and a token can't name \
    the server (`jku` and `x5u` are ignored). A key verifies only the algorithms of its type. Secrets in a JWKS from a \
    URL are ignored, and tokens without a signature are refused. `exp` and `nbf` are checked, with a tolerance of 30 \
    s. Encrypted tokens (JWE) are not supported.";

pub(crate) const AUTHORITIES: Param = Param::new(
    "ca",
    ValueKind::Text,
    "The trusted authorities for the server of the keys, as for `tls`: `system`, `webpki`, or a file or a folder \
     (PEM).",
)
.default("system");

pub(crate) const AUDIENCE: Param = Param::new(
    "aud",
    ValueKind::List,
    "The accepted audiences; a token must be for one of them. Without this parameter, a token with `aud` is refused.",
);

pub(crate) const ISSUER: Param = Param::new(
    "iss",
    ValueKind::List,
    "The accepted issuers; a token must be from one of them. By default, `iss` is \
                                        not checked.",
);

pub(crate) const LASTING: Param =
    Param::new("lasting", ValueKind::Bool, "Accept tokens without `exp`, which never expire.")
        .default("false");

/// The requirements on tokens, planned.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    place: Place,
    audiences: Option<Vec<String>>,
    issuers: Option<Vec<String>>,
    is_lasting: bool,
}

/// The source of the keys.
#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    Server(Arc<Remote>),
}

impl Place {
    fn read(args: &Args, name: &str) -> Result<Self, Diagnostic> {
        let typed = args.text(name).unwrap_or_default();
        let begins = |scheme: &str| {
            typed.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        if !begins("https://") && !begins("http://") {
            if args.is_given(AUTHORITIES.name) {
                let message = "`ca` applies to keys from a URL, but these are in a file";
                return Err(args.mistake(AUTHORITIES.name, Code::BadValue, message));
            }
            return Ok(Self::File(typed.into()));
        }
        let ca = args.text(AUTHORITIES.name);
        let remote = Remote::read(args, name, ca, "a JWKS has public keys, which need none")?;
        if !remote.is_private() {
            let message =
                "these keys are fetched without TLS, so an attacker on the path can replace them";
            args.warn(name, Code::BadValue, message);
        }
        Ok(Self::Server(Arc::new(remote)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
            Self::Server(remote) => remote.fmt(f),
        }
    }
}

impl Rules {
    /// Reads the parameters, with the one that names the place of the keys.
    ///
    /// # Errors
    /// The URL is none; or a list is given and has nothing in it: an unset variable must not mean everybody.
    pub(crate) fn read(args: &Args, keys: &str) -> Result<Self, Diagnostic> {
        let list = |name: &str| match args.list(name) {
            [] if args.is_given(name) => {
                Err(args.mistake(name, "bad-list", format!("`{name}` is empty")))
            }
            [] => Ok(None),
            list => Ok(Some(list.to_vec())),
        };
        Ok(Self {
            place: Place::read(args, keys)?,
            audiences: list(AUDIENCE.name)?,
            issuers: list(ISSUER.name)?,
            is_lasting: args.flag(LASTING.name),
        })
    }

    /// Returns where the keys are, for messages.
    pub(crate) fn place(&self) -> &impl fmt::Display {
        &self.place
    }

    /// Returns the file of keys if it doesn't exist; `keys` is the parameter that names it.
    pub(crate) fn missing(&self, keys: &'static str, cx: &Context) -> Vec<Missing> {
        match &self.place {
            Place::File(file) if file.is_file() => Vec::new(),
            Place::File(file) => {
                vec![Missing::of(keys, format!("there is no file `{}` with keys", file.display()))]
            }
            Place::Server(remote) => Missing::at(keys, remote.connector.missing(cx)),
        }
    }

    /// Reads the keys of a file; those of a server are fetched later. Blocks for as long as that takes.
    ///
    /// # Errors
    /// The file can't be read.
    pub(crate) fn open(self, cx: &Context) -> io::Result<Tokens> {
        self.open_at(cx, Pace::USUAL)
    }

    fn open_at(self, cx: &Context, pace: Pace) -> io::Result<Tokens> {
        verify::install();
        let source = match &self.place {
            Place::File(file) => Source::File(Watched::whole(file, keys::read)?),
            Place::Server(remote) => Source::Server(Fetched::new(Arc::clone(remote), cx, pace)),
        };
        Ok(Tokens(Arc::new(Inner { source, rules: self })))
    }

    fn validation(&self, algorithms: Vec<Algorithm>) -> Validation {
        let set = |list: &Option<Vec<String>>| list.clone().map(HashSet::from_iter);
        // The claims that are checked have to be present.
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

/// A checker of tokens.
pub(crate) struct Tokens(Arc<Inner>);

struct Inner {
    source: Source,
    rules: Rules,
}

enum Source {
    File(Watched<Keys>),
    Server(Fetched),
}

/// A token that is good.
#[derive(Debug)]
pub(crate) struct Claims {
    claims: Map<String, Value>,
    /// Tells the key that it is signed with from others.
    pub(crate) key: [u8; 32],
    /// The time at which it expires, in seconds since 1970.
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

/// The reason why a token isn't good.
#[derive(Debug)]
pub(crate) struct Bad {
    pub(crate) words: String,
    /// Set if no known key has signed it: it may be a guess.
    pub(crate) is_forged: bool,
    /// Set if it may be signed with a key that is newer than the fetched ones.
    is_of_unknown_key: bool,
}

impl Tokens {
    /// Returns the claims of a token that one of the keys has signed, that is valid at this time, and whose audience
    /// is ours. Cancel safe.
    ///
    /// # Errors
    /// The keys can't be had, in words; or the token isn't good.
    pub(crate) async fn check(&self, token: &str) -> Result<Result<Claims, Bad>, String> {
        let keys = match &self.0.source {
            Source::File(_) => None,
            Source::Server(fetched) => Some(fetched.get().await?),
        };
        let found = self.verified(keys, token).await?;
        let Source::Server(fetched) = &self.0.source else { return Ok(found) };
        if !found.as_ref().is_err_and(|bad| bad.is_of_unknown_key) {
            return Ok(found);
        }
        fetched.again().await;
        self.verified(fetched.known(), token).await
    }

    /// On a thread for blocking work: files are read, and signatures are checked.
    async fn verified(
        &self,
        keys: Option<Arc<Keys>>,
        token: &str,
    ) -> Result<Result<Claims, Bad>, String> {
        if token.len() > LONGEST {
            return Ok(Err(forged("it is too long")));
        }
        let (own, token) = (Arc::clone(&self.0), token.to_owned());
        let verified = spawn_blocking(move || {
            own.verify(&keys.or_else(|| own.known()).unwrap_or_default(), &token)
        });
        verified.await.map_err(|error| error.to_string())
    }

    /// Has the keys of now for [`Tokens::is_current`], if they were needed before.
    pub(crate) async fn refresh(&self) {
        if let Source::Server(fetched) = &self.0.source
            && fetched.known().is_some()
        {
            // It has earlier keys at least.
            let _ = fetched.get().await;
        }
    }

    /// Returns whether a key is still one of ours, and `expires` is to come.
    pub(crate) fn is_current(&self, key: [u8; 32], expires: Option<u64>) -> bool {
        // The latest date has no room for more.
        let is_over =
            expires.is_some_and(|expires| expires.saturating_add(LEEWAY) < get_current_timestamp());
        !is_over && self.0.known().is_some_and(|keys| keys.has(key))
    }
}

impl Inner {
    fn known(&self) -> Option<Arc<Keys>> {
        match &self.source {
            Source::File(file) => Some(file.get()),
            Source::Server(fetched) => fetched.known(),
        }
    }

    fn verify(&self, keys: &Keys, token: &str) -> Result<Claims, Bad> {
        if token.len() > LONGEST {
            return Err(forged("it is too long"));
        }
        match token.split('.').count() {
            3 => {}
            5 => return Err(forged("it is encrypted (JWE), but only signed tokens are supported")),
            _ => return Err(forged("it is not a token")),
        }
        let header = decode_header(token).map_err(|_| forged("its algorithm is not supported"))?;
        let id = header.kid.as_deref();
        let mut last = forged("no key matches its algorithm");
        for Key { algorithms, key, stamp, .. } in keys.for_id(id) {
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
        // A server that names its keys has another one only under another name.
        last.is_of_unknown_key = last.is_forged && id.is_none_or(|id| !keys.names(id));
        Err(last)
    }
}

fn forged(words: &str) -> Bad {
    Bad { words: words.to_owned(), is_forged: true, is_of_unknown_key: false }
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
        ErrorKind::InvalidClaimFormat(name) => (format!("its `{name}` is invalid"), false),
        ErrorKind::InvalidSignature => ("its signature is invalid".to_owned(), true),
        _ => ("it is not a token".to_owned(), true),
    };
    Bad { words, is_forged, is_of_unknown_key: false }
}

/// The tolerated difference of clocks, in seconds.
const LEEWAY: u64 = 30;
/// The maximum length of a token, in bytes.
const LONGEST: usize = 16 << 10;

#[cfg(test)]
mod tests;
