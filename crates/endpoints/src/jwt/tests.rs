use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair,
};
use serde_json::json;

use super::*;

const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn shared(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    move |message| ring::hmac::sign(&key, message).as_ref().to_vec()
}

/// With a secret of ours.
fn hs256(claims: &Value) -> String {
    signed(&json!({ "alg": "HS256" }), claims, shared(SECRET))
}

fn rules(file: &std::path::Path) -> Rules {
    Rules { place: Place::File(file.to_owned()), audiences: None, issuers: None, is_lasting: false }
}

fn tokens(keys: &str, change: impl Fn(&mut Rules)) -> Tokens {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), keys).expect("it is written");
    let mut rules = rules(file.path());
    change(&mut rules);
    rules.open(&Context::new()).expect("it is there")
}

fn secret() -> String {
    URL_SAFE_NO_PAD.encode(SECRET)
}

fn check(tokens: &Tokens, token: &str) -> Result<Claims, Bad> {
    tokens.0.verify(&tokens.0.known().expect("it was read"), token)
}

fn refused(tokens: &Tokens, token: &str) -> String {
    check(tokens, token).expect_err("it is no good").words
}

/// `now`, in seconds, and some.
fn at(seconds: i64) -> i64 {
    i64::try_from(get_current_timestamp()).expect("it is soon") + seconds
}

#[test]
fn claims_are_checked() {
    let tokens = tokens(&secret(), |_| ());
    let good = check(&tokens, &hs256(&json!({ "host": "h", "port": 5900, "exp": at(60) })));
    let good = good.expect("it is good");
    assert_eq!(good.text("host").as_deref(), Some("h"));
    assert_eq!(good.text("port").as_deref(), Some("5900"));
    assert!(tokens.is_current(good.key, good.expires));
    assert!(!tokens.is_current([0; 32], good.expires));
    assert!(!tokens.is_current(good.key, Some(1)));
    assert!(tokens.is_current(good.key, Some(u64::MAX)));
    for (claims, words) in [
        (json!({ "host": "h" }), "it has no `exp`"),
        (json!({ "exp": at(-120) }), "it has expired"),
        (json!({ "exp": "never" }), "it has no `exp`"),
        (json!({ "exp": null }), "it has no `exp`"),
        (json!({ "exp": -1 }), "it has no `exp`"),
        (json!({ "exp": at(600), "nbf": at(120) }), "it is not valid yet"),
        (json!({ "exp": at(600), "nbf": "soon" }), "its `nbf` is invalid"),
        (json!({ "exp": at(600), "aud": "somebody" }), "it is for another audience"),
    ] {
        assert_eq!(refused(&tokens, &hs256(&claims)), words, "{claims}");
    }
    // Clocks differ.
    assert!(check(&tokens, &hs256(&json!({ "exp": at(-5), "nbf": at(5) }))).is_ok());
}

#[test]
fn audience_and_issuer_have_to_be_there_if_they_are_asked_for() {
    let tokens = tokens(&secret(), |rules| {
        rules.audiences = Some(vec!["ef".to_owned(), "other".to_owned()]);
        rules.issuers = Some(vec!["https://id.example".to_owned()]);
        rules.is_lasting = true;
    });
    let good = json!({ "aud": ["x", "ef"], "iss": "https://id.example" });
    assert!(check(&tokens, &hs256(&good)).is_ok());
    for (claims, words) in [
        (json!({ "aud": "ef" }), "it has no `iss`"),
        (json!({ "iss": "https://id.example" }), "it has no `aud`"),
        (json!({ "aud": "ef", "iss": "https://evil.example" }), "it is from another issuer"),
        (json!({ "aud": [], "iss": "https://id.example" }), "it is for another audience"),
        (json!({ "aud": "ef", "iss": "https://id.example", "exp": 1 }), "it has expired"),
    ] {
        assert_eq!(refused(&tokens, &hs256(&claims)), words, "{claims}");
    }
}

#[test]
fn a_token_without_a_signature_or_with_another_ones_is_refused() {
    let tokens = tokens(&secret(), |_| ());
    let claims = json!({ "host": "h", "port": 1, "exp": at(60) });
    for alg in ["none", "None", "NONE", ""] {
        let token = signed(&json!({ "alg": alg }), &claims, |_| Vec::new());
        assert_eq!(refused(&tokens, &token), "its algorithm is not supported", "{alg}");
    }
    let header = json!({ "alg": "HS256" });
    let empty = signed(&header, &claims, |_| Vec::new());
    assert_eq!(refused(&tokens, &empty), "its signature is invalid");
    let other = signed(&header, &claims, shared(b"another secret, of 32 bytes also"));
    let bad = check(&tokens, &other).expect_err("it is another's");
    assert!(bad.is_forged && bad.words == "its signature is invalid");
    let good = hs256(&claims);
    let (message, signature) = good.rsplit_once('.').expect("it has dots");
    let changed = format!("{}.{signature}", message.replacen('.', ".A", 1));
    assert_eq!(refused(&tokens, &changed), "its signature is invalid");
    for (token, words) in [
        ("", "it is not a token"),
        ("a.b", "it is not a token"),
        ("a.b.c", "its algorithm is not supported"),
        ("a.b.c.d.e", "it is encrypted (JWE), but only signed tokens are supported"),
        (&"x".repeat(1 << 20), "it is too long"),
    ] {
        assert_eq!(refused(&tokens, token), words);
    }
    let critical = json!({ "alg": "HS256", "crit": ["exp"] });
    assert_eq!(refused(&tokens, &signed(&critical, &claims, shared(SECRET))), "it is not a token");
}

/// A public key as PEM: its DER is a fixed prefix and the point.
fn pem(prefix: &[u8], point: &[u8]) -> String {
    let der = [prefix, point].concat();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

const P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

#[test]
fn a_public_key_is_for_its_own_algorithms_and_is_no_secret() {
    let random = SystemRandom::new();
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
    let ec = ec.expect("a key");
    let document = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
    let ed = Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a key");
    let (ec_pem, ed_pem) =
        (pem(P256, ec.public_key().as_ref()), pem(ED25519, ed.public_key().as_ref()));
    let tokens = tokens(&format!("# two keys\n{ec_pem}{ed_pem}"), |_| ());
    let claims = json!({ "exp": at(60) });
    let es256 = |message: &[u8]| ec.sign(&random, message).expect("it signs").as_ref().to_vec();
    assert!(check(&tokens, &signed(&json!({ "alg": "ES256" }), &claims, es256)).is_ok());
    let eddsa = |message: &[u8]| ed.sign(message).as_ref().to_vec();
    assert!(check(&tokens, &signed(&json!({ "alg": "EdDSA" }), &claims, eddsa)).is_ok());
    let wrong = "no key matches its algorithm";
    // Key confusion: everybody has the public key.
    for known in [ec_pem.as_bytes(), ec_pem.trim().as_bytes(), ec.public_key().as_ref()] {
        let token = signed(&json!({ "alg": "HS256" }), &claims, shared(known));
        assert_eq!(refused(&tokens, &token), wrong);
    }
    for alg in ["ES384", "RS256", "PS512"] {
        assert_eq!(
            refused(&tokens, &signed(&json!({ "alg": alg }), &claims, es256)),
            wrong,
            "{alg}"
        );
    }
    // A key that comes with the token is not trusted.
    let own = json!({ "alg": "HS256", "jwk": { "kty": "oct", "k": secret() } });
    assert_eq!(refused(&tokens, &signed(&own, &claims, shared(SECRET))), wrong);
}

#[test]
fn a_set_of_keys_is_chosen_from_by_name() {
    let random = SystemRandom::new();
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).expect("a key");
    let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, document.as_ref(), &random);
    let ec = ec.expect("a key");
    let point = ec.public_key().as_ref();
    let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
    let set = json!({ "keys": [
        { "kty": "EC", "crv": "P-384", "kid": "ec", "use": "sig", "x": part(1..49), "y": part(49..97) },
        { "kty": "oct", "kid": "a", "alg": "HS256", "k": secret() },
        { "kty": "oct", "kid": "short", "k": "c2hvcnQ" },
        { "kty": "oct", "kid": "encrypts", "use": "enc", "k": secret() },
        { "kty": "oct", "kid": "other", "alg": "ES256", "k": secret() },
        { "kty": "nonsense" },
    ] });
    let (keys, wrong) = keys::read(&set.to_string());
    assert_eq!(wrong.len(), 4, "{wrong:?}");
    assert_eq!(keys.for_id(None).count(), 2);
    let tokens = tokens(&set.to_string(), |_| ());
    let claims = json!({ "exp": at(60) });
    let es384 = |message: &[u8]| ec.sign(&random, message).expect("it signs").as_ref().to_vec();
    let with = |alg: &str, kid: Option<&str>| match kid {
        Some(kid) => json!({ "alg": alg, "kid": kid }),
        None => json!({ "alg": alg }),
    };
    for kid in [Some("ec"), None] {
        assert!(check(&tokens, &signed(&with("ES384", kid), &claims, es384)).is_ok(), "{kid:?}");
    }
    for kid in [Some("a"), None] {
        let token = signed(&with("HS256", kid), &claims, shared(SECRET));
        assert!(check(&tokens, &token).is_ok(), "{kid:?}");
    }
    let wrong = "no key matches its algorithm";
    for (alg, kid) in [("HS256", "ec"), ("HS256", "encrypts"), ("HS512", "a"), ("HS256", "../a")] {
        let token = signed(&with(alg, Some(kid)), &claims, shared(SECRET));
        assert_eq!(refused(&tokens, &token), wrong, "{alg} {kid}");
    }
}

#[test]
fn files_that_are_no_keys_say_what_they_are() {
    for (text, words) in [
        ("", "a secret must have at least 32 bytes"),
        ("c2hvcnQ", "a secret must have at least 32 bytes"),
        ("not base64!", "it is neither PEM nor JSON nor a secret in base64url"),
        ("{\"keys\": [", "it is not JSON"),
        ("{}", "a key has an unknown type"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "it is a private key"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "it is a certificate"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n", "it is not a public key"),
    ] {
        let (keys, wrong) = keys::read(text);
        assert_eq!(keys.for_id(None).count(), 0);
        assert!(wrong[0].1.starts_with(words), "{text}: {wrong:?}");
    }
    let half = format!("{}-----BEGIN PUBLIC KEY-----\nMFk", pem(ED25519, &[7; 32]));
    let (keys, wrong) = keys::read(&half);
    assert_eq!((keys.for_id(None).count(), wrong.len(), wrong[0].0), (1, 1, 4), "{wrong:?}");
}
