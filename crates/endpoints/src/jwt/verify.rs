//! Signatures by ring for `jsonwebtoken`, which has no cryptography built in.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::{hmac, signature};

/// Has the library verify with ring. In a process that has chosen something else for it, that stays.
pub(super) fn install() {
    // An error means that a provider is installed already.
    let _ = RING.install_default();
}

static RING: CryptoProvider = CryptoProvider {
    // Nothing is signed here.
    signer_factory: |_, _| Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    verifier_factory: |algorithm, key| {
        // The key's own kind decides: a public key is no secret of HMAC's.
        if key.family() != algorithm.family() {
            return Err(new_error(ErrorKind::InvalidAlgorithm));
        }
        Ok(Box::new(Ring { algorithm: *algorithm, key: key.clone() }) as Box<dyn JwtVerifier>)
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Ring {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Ring {
    fn is_good(&self, message: &[u8], signed: &[u8]) -> Result<bool> {
        let by = |with: &'static dyn signature::VerificationAlgorithm| {
            let key = self.key.try_get_as_bytes()?;
            Ok(signature::UnparsedPublicKey::new(with, key).verify(message, signed).is_ok())
        };
        let rsa = |with: &'static signature::RsaParameters| match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                let key = signature::RsaPublicKeyComponents { n, e };
                Ok(key.verify(with, message, signed).is_ok())
            }
            DecodingKeyKind::SecretOrDer(_) => by(with),
        };
        let shared = |with: hmac::Algorithm| {
            let key = hmac::Key::new(with, self.key.try_get_as_bytes()?);
            Ok(hmac::verify(&key, message, signed).is_ok())
        };
        match self.algorithm {
            Algorithm::HS256 => shared(hmac::HMAC_SHA256),
            Algorithm::HS384 => shared(hmac::HMAC_SHA384),
            Algorithm::HS512 => shared(hmac::HMAC_SHA512),
            Algorithm::ES256 => by(&signature::ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => by(&signature::ECDSA_P384_SHA384_FIXED),
            Algorithm::RS256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Algorithm::PS256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => rsa(&signature::RSA_PSS_2048_8192_SHA512),
            Algorithm::EdDSA => by(&signature::ED25519),
            _ => Err(new_error(ErrorKind::UnsupportedAlgorithm)),
        }
    }
}

impl Verifier<Vec<u8>> for Ring {
    fn verify(&self, message: &[u8], signed: &Vec<u8>) -> std::result::Result<(), Error> {
        match self.is_good(message, signed) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Error::new()),
        }
    }
}

impl JwtVerifier for Ring {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
