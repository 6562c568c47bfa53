//! `route:jwt=KEYFILE`: the key is a signed token, and its claims are the route.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::provider::{Answer, Found, Provider, Query};
use endpoint::{Context, describe};
use plan::kind::{Args, AssembleProvider, Param, Planned, ProviderKind, ValueKind};
use tokio::task::spawn_blocking;
use tracing::debug;

use super::answer;
use crate::jwt::{AUDIENCE, ISSUER, LASTING, Rules, Tokens};

pub(super) static JWT: ProviderKind = ProviderKind {
    name: "jwt",
    about: "the claims of a signed token, which the client brings",
    params: &[
        Param::new(
            "jwt",
            ValueKind::Text,
            "A file with public keys (PEM: RSA, P-256, P-384, Ed25519), a JWK or a JWKS, or a secret of at least 32 bytes in \
             base64url, as websockify's JWTTokenApi has it. It is read again when it has changed. The token's claims `host` and \
             `port` are the route, or `destination`, with `subprotocol` if there is one. A token that isn't good is refused \
             (403): `exp`, `nbf`, `aud` and `iss` are checked, with 30 s for clocks that differ. A key is good for the \
             algorithms of its type only, and a token without a signature for nothing. Encrypted tokens (JWE) aren't read.",
        )
        .required(),
        AUDIENCE,
        ISSUER,
        LASTING,
    ],
    plan,
};

fn plan(args: &Args) -> Planned<AssembleProvider> {
    let rules = Rules::read(args, "jwt").map_err(|mistake| vec![mistake])?;
    Ok(Box::new(move |_| Box::new(Jwt { rules, tokens: Arc::default() })))
}

struct Jwt {
    rules: Rules,
    /// From when the file could first be read.
    tokens: Arc<Mutex<Option<Arc<Tokens>>>>,
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Jwt").field(&self.rules).finish()
    }
}

impl Jwt {
    fn tokens(&self) -> io::Result<Arc<Tokens>> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tokens) = &*tokens {
            return Ok(Arc::clone(tokens));
        }
        let opened = Arc::new(self.rules.clone().open()?);
        Ok(Arc::clone(tokens.insert(opened)))
    }
}

#[async_trait]
impl Provider for Jwt {
    async fn find(&self, _: &Context, query: &Query<'_>) -> Result<Answer, String> {
        let own = Self { rules: self.rules.clone(), tokens: Arc::clone(&self.tokens) };
        let token = query.key.unwrap_or_default().to_owned();
        // Files are read, and signatures take their time.
        let checked = spawn_blocking(move || own.tokens().map(|tokens| tokens.check(&token))).await;
        let checked = checked.unwrap_or_else(|error| Err(io::Error::other(error)));
        let checked = checked
            .map_err(|error| format!("{}: {}", self.rules.file().display(), describe(&error)))?;
        let claims = match checked {
            Ok(claims) => claims,
            Err(bad) => {
                debug!("the token is refused: {}", bad.words);
                return Ok(once(Found::Forbidden));
            }
        };
        let found = answer::of_fields(|name| claims.text(name)).and_then(answer::checked);
        Ok(once(found.ok().flatten().map_or(Found::Unknown, Found::Destination)))
    }

    fn missing(&self, _: &Context) -> Option<String> {
        let file = self.rules.file();
        (!file.is_file()).then(|| format!("there is no file `{}` with keys", file.display()))
    }
}

/// An answer that is not cached: the token may have expired by the next request.
fn once(found: Found) -> Answer {
    Answer::new(found).living(Some(Duration::ZERO))
}
