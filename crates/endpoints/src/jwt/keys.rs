//! Keys from a file (PEM, JWK, JWKS or a secret), and sets of keys (JWKS) from a server.
//!
//! A key verifies only the algorithms of its type, whatever a token's header names: a public key is never used as a
//! secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::watched::Parsed;

/// The keys of a file or a server.
#[derive(Default)]
pub(super) struct Keys(Vec<Key>);

/// A key, and what it is for.
pub(super) struct Key {
    id: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) key: DecodingKey,
    /// Tells it from others.
    pub(super) stamp: [u8; 32],
}

impl Keys {
    /// Returns those that a token with this `kid` may be signed with.
    pub(super) fn for_id(&self, id: Option<&str>) -> impl Iterator<Item = &Key> {
        self.0.iter().filter(move |key| id.is_none() || key.id.is_none() || key.id.as_deref() == id)
    }

    /// Returns whether one of them is named so.
    pub(super) fn names(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the key with this stamp is one of them.
    pub(super) fn has(&self, stamp: [u8; 32]) -> bool {
        self.0.iter().any(|key| key.stamp == stamp)
    }
}

/// Reads a file. An invalid key doesn't invalidate the others.
pub(super) fn read(text: &str) -> Parsed<Keys> {
    let (mut keys, mut wrong) = (Keys::default(), Vec::new());
    let mut take = |line: usize, read: Result<Key, String>| match read {
        Ok(key) => keys.0.push(key),
        Err(words) => wrong.push((line, words)),
    };
    if text.trim_start().starts_with('{') {
        match serde_json::from_str::<Value>(text) {
            Err(error) => take(error.line(), Err("it is not JSON".to_owned())),
            Ok(value) => match value.get("keys").and_then(Value::as_array) {
                Some(all) => all.iter().for_each(|one| take(1, of_jwk(one))),
                None => take(1, of_jwk(&value)),
            },
        }
    } else if text.contains(BEGIN) {
        let starts: Vec<_> = text.match_indices(BEGIN).map(|(at, _)| at).collect();
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(text.len());
            let line = text[..*start].lines().count() + 1;
            take(line, of_pem(text[*start..end].trim()));
        }
    } else {
        take(1, of_secret(text.trim()));
    }
    (keys, wrong)
}

/// Parses a server's set (RFC 7517 section 5), and returns its keys and their errors. Only public keys are used,
/// because a published secret is not secret.
///
/// # Errors
/// It is no set.
pub(super) fn read_set(bytes: &[u8]) -> Result<(Keys, Vec<String>), String> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|_| "the answer is not JSON".to_owned())?;
    let all = value.get("keys").and_then(Value::as_array);
    let all = all.ok_or("the answer has no `keys`, as a JWKS has")?;
    let (mut keys, mut wrong) = (Keys::default(), Vec::new());
    for one in all.iter().take(MOST) {
        match of_jwk(one) {
            Ok(key) if key.key.family() == AlgorithmFamily::Hmac => {
                wrong.push("a secret that a server publishes is not used".to_owned());
            }
            Ok(key) => keys.0.push(key),
            Err(words) => wrong.push(words),
        }
    }
    if all.len() > MOST {
        wrong.push(format!("{} keys beyond the first {MOST} are not used", all.len() - MOST));
    }
    Ok((keys, wrong))
}

fn of_pem(text: &str) -> Result<Key, String> {
    if text.contains("PRIVATE KEY-----") {
        return Err("it is a private key, but only the public key is needed".to_owned());
    }
    if text.contains("CERTIFICATE-----") {
        return Err(
            "it is a certificate; `openssl x509 -pubkey -noout` extracts its key".to_owned()
        );
    }
    let bytes = text.as_bytes();
    let key = DecodingKey::from_rsa_pem(bytes)
        .or_else(|_| DecodingKey::from_ec_pem(bytes))
        .or_else(|_| DecodingKey::from_ed_pem(bytes))
        .map_err(|_| "it is not a public key for RSA, P-256, P-384 or Ed25519 (PEM)".to_owned())?;
    of_key(key, None, bytes)
}

fn of_secret(text: &str) -> Result<Key, String> {
    let secret = URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .map_err(|_| "it is neither PEM nor JSON nor a secret in base64url".to_owned())?;
    let key = DecodingKey::from_secret(&secret).map_err(|_| SHORT.to_owned())?;
    of_key(key, None, text.as_bytes())
}

fn of_jwk(value: &Value) -> Result<Key, String> {
    let jwk: Jwk = serde_json::from_value(value.clone())
        .map_err(|_| "a key is not a valid JWK (RFC 7517)".to_owned())?;
    let is_for_signatures =
        jwk.common.public_key_use.as_ref().is_none_or(|what| *what == PublicKeyUse::Signature);
    let verifies = jwk.common.key_operations.as_ref();
    if !is_for_signatures || !verifies.is_none_or(|all| all.contains(&KeyOperations::Verify)) {
        return Err("a key is not for signatures".to_owned());
    }
    let curves = [EllipticCurve::P256, EllipticCurve::P384];
    let is_known = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(params) => curves.contains(&params.curve),
        AlgorithmParameters::OctetKeyPair(params) => params.curve == EllipticCurve::Ed25519,
        _ => true,
    };
    let key = DecodingKey::from_jwk(&jwk).ok().filter(|_| is_known);
    let key = key.ok_or("a key has an unknown type")?;
    let mut key = of_key(key, jwk.common.key_id, value.to_string().as_bytes())?;
    if let Some(algorithm) = jwk.common.key_algorithm {
        let name = algorithm.to_string();
        key.algorithms.retain(|own| Ok(*own) == name.parse());
        if key.algorithms.is_empty() {
            return Err(format!("a key has `alg` {name}, which doesn't match its type"));
        }
    }
    Ok(key)
}

fn of_key(key: DecodingKey, id: Option<String>, text: &[u8]) -> Result<Key, String> {
    let bytes = key.try_get_as_bytes().unwrap_or_default();
    let algorithms = match key.family() {
        // RFC 7518 section 3.2.
        AlgorithmFamily::Hmac if bytes.len() < 32 => return Err(SHORT.to_owned()),
        // An uncompressed point.
        AlgorithmFamily::Ec => match bytes.len() {
            65 => vec![Algorithm::ES256],
            97 => vec![Algorithm::ES384],
            _ => return Err("a key has a curve other than P-256 and P-384".to_owned()),
        },
        family => family.algorithms().to_vec(),
    };
    let stamp = digest(&SHA256, text).as_ref().try_into().expect("it has 32 bytes");
    Ok(Key { id, algorithms, key, stamp })
}

/// Keys of a server's. A token without a `kid` is checked with each.
const MOST: usize = 100;
const BEGIN: &str = "-----BEGIN ";
const SHORT: &str = "a secret must have at least 32 bytes";
