//! Hashes of passwords in files of users.
//!
//! bcrypt (`$2y$…`, what `htpasswd -B` writes) and argon2 (`$argon2id$…`) are good; Apache's own MD5 (`$apr1$…`) and
//! `{SHA}…` are weak, and accepted because existing files contain them.

use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

/// A hash, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Argon2(String),
    Bcrypt(String),
    /// Salt and digest.
    Apr1(String, String),
    Sha1(Vec<u8>),
}

/// Returns a hash of a password (bcrypt), as for files of users.
///
/// # Errors
/// The system has no random numbers.
pub fn hash_password(password: &str) -> Result<String, String> {
    bcrypt::hash(password, bcrypt::DEFAULT_COST).map_err(|error| error.to_string())
}

impl Hash {
    /// Reads one.
    ///
    /// # Errors
    /// The error in the hash, as text.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.starts_with("$argon2") {
            return match PasswordHash::new(text) {
                Ok(hash) if hash.hash.is_some() && hash.salt.is_some() => {
                    Ok(Self::Argon2(text.to_owned()))
                }
                Ok(_) => Err("the argon2 hash is truncated".to_owned()),
                Err(error) => Err(format!("the argon2 hash is invalid: {error}")),
            };
        }
        if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|start| text.starts_with(start)) {
            let cost = text.get(4..6).and_then(|cost| cost.parse::<u32>().ok());
            return match cost {
                _ if text.len() != 60 || !text.is_ascii() => {
                    Err("the bcrypt hash is truncated".to_owned())
                }
                Some(4..=MOST_COST) => Ok(Self::Bcrypt(text.to_owned())),
                _ => Err(format!("the cost of the bcrypt hash must be from 4 to {MOST_COST}")),
            };
        }
        if let Some(rest) = text.strip_prefix("$apr1$") {
            return match rest.split_once('$') {
                Some((salt, digest)) if salt.len() <= 8 && digest.len() == 22 => {
                    Ok(Self::Apr1(salt.to_owned(), digest.to_owned()))
                }
                _ => Err("the apr1 hash is truncated".to_owned()),
            };
        }
        if let Some(digest) = text.strip_prefix("{SHA}") {
            return match STANDARD.decode(digest) {
                Ok(digest) if digest.len() == 20 => Ok(Self::Sha1(digest)),
                _ => Err("the SHA hash is truncated".to_owned()),
            };
        }
        Err("the hash must be bcrypt, argon2, apr1 or {SHA}; `endpointforward passwd` creates one"
            .to_owned())
    }

    /// Returns its name if it is weak.
    pub(super) fn weakness(&self) -> Option<&'static str> {
        match self {
            Self::Apr1(..) => Some("apr1 (MD5)"),
            Self::Sha1(_) => Some("{SHA}"),
            Self::Argon2(_) | Self::Bcrypt(_) => None,
        }
    }

    /// Returns whether it is the password's. Takes a tenth of a second or more of a thread where the hash is good.
    pub(super) fn is_of(&self, password: &str) -> bool {
        match self {
            Self::Argon2(text) => PasswordHash::new(text).is_ok_and(|hash| {
                argon2::Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
            }),
            Self::Bcrypt(text) => bcrypt::verify(password, text).unwrap_or(false),
            Self::Apr1(salt, digest) => apr1(password.as_bytes(), salt.as_bytes())
                .as_bytes()
                .ct_eq(digest.as_bytes())
                .into(),
            Self::Sha1(digest) => {
                let ours = ring::digest::digest(
                    &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
                    password.as_bytes(),
                );
                ours.as_ref().ct_eq(digest).into()
            }
        }
    }
}

/// Apache's variant of the MD5-based crypt(3), as its `apr_md5.c` defines it.
fn apr1(password: &[u8], salt: &[u8]) -> String {
    let digest = |parts: &[&[u8]]| {
        let mut md5 = Md5::new();
        parts.iter().for_each(|part| md5.update(part));
        md5.finalize()
    };
    let mixed = digest(&[password, salt, password]);
    let mut first: Vec<u8> = [password, b"$apr1$", salt].concat();
    for at in (0..password.len()).step_by(16) {
        first.extend_from_slice(&mixed[..(password.len() - at).min(16)]);
    }
    let mut length = password.len();
    while length > 0 {
        first.push(if length & 1 == 1 { 0 } else { password[0] });
        length >>= 1;
    }
    let mut last = digest(&[&first]);
    for round in 0..1000 {
        let mut parts: Vec<&[u8]> = Vec::with_capacity(4);
        parts.push(if round % 2 == 1 { password } else { &last });
        if round % 3 != 0 {
            parts.push(salt);
        }
        if round % 7 != 0 {
            parts.push(password);
        }
        parts.push(if round % 2 == 1 { &last } else { password });
        let next = digest(&parts);
        last = next;
    }
    let mut text = String::with_capacity(22);
    let mut put = |mut bits: u32, letters: usize| {
        for _ in 0..letters {
            text.push(char::from(LETTERS[(bits & 0x3f) as usize]));
            bits >>= 6;
        }
    };
    for (a, b, c) in [(0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)] {
        put(u32::from(last[a]) << 16 | u32::from(last[b]) << 8 | u32::from(last[c]), 4);
    }
    put(u32::from(last[11]), 2);
    text
}

const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Four seconds of a processor for each attempt.
const MOST_COST: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_other_programs_are_verified() {
        // By `htpasswd -nbm`, `-nbB -C 4`, `-nbs`, and by argon2(1).
        for text in ["$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="] {
            let hash = Hash::read(text).expect(text);
            assert!(hash.is_of("myPassword") && !hash.is_of("mypassword"), "{text}");
            assert!(hash.weakness().is_some());
        }
        let ours = bcrypt::hash("pässword", 4).expect("it can be made");
        let hash = Hash::read(&ours).expect("it is whole");
        assert!(hash.is_of("pässword") && !hash.is_of("") && hash.weakness().is_none());
    }

    #[test]
    fn what_is_no_hash_is_told() {
        for (text, words) in [
            ("secret", "must be bcrypt"),
            ("$2y$10$short", "truncated"),
            (&format!("$2y$31${}", "a".repeat(53)), "cost"),
            ("$apr1$x", "truncated"),
            ("{SHA}x", "truncated"),
            ("$argon2id$v=19$m=1", "argon2"),
        ] {
            let error = Hash::read(text).expect_err(text);
            assert!(error.contains(words), "{error}");
        }
        // A hash with letters that aren't ASCII made bcrypt panic once (RUSTSEC-2026-0199).
        assert!(Hash::read(&format!("$2y$10$ü{}", "a".repeat(51))).is_err());
    }
}
