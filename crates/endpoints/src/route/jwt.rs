//! `route:jwt=KEYS`: the key is a signed token, and its claims are the route.

use std::fmt;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::provider::{Answer, Found, Provider, Query};
use endpoint::{Context, Missing, describe};
use plan::kind::{Args, AssembleProvider, Planned, ProviderKind};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tracing::debug;

use super::answer;
use crate::jwt::{AUDIENCE, AUTHORITIES, Bad, Claims, ISSUER, LASTING, Rules, Tokens, keys};

pub(super) static JWT: ProviderKind = ProviderKind {
    name: "jwt",
    about: "the claims of a signed token: `host` and `port`, or `destination`, and `subprotocol` if there is one",
    params: &[keys("jwt"), AUTHORITIES, AUDIENCE, ISSUER, LASTING],
    plan,
};

fn plan(args: &Args) -> Planned<AssembleProvider> {
    let rules = Rules::read(args, "jwt").map_err(|mistake| vec![mistake])?;
    Ok(Box::new(move |_| Box::new(Jwt { rules, tokens: OnceCell::new() })))
}

struct Jwt {
    rules: Rules,
    /// Set once the file of keys could be read.
    tokens: OnceCell<Tokens>,
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jwt").field(&self.rules).finish()
    }
}

impl Jwt {
    async fn open(&self, cx: &Context) -> Result<Tokens, String> {
        let (rules, cx) = (self.rules.clone(), cx.clone());
        let opened = spawn_blocking(move || rules.open(&cx)).await;
        let opened = opened.unwrap_or_else(|error| Err(io::Error::other(error)));
        opened.map_err(|error| describe(&error))
    }

    async fn claims(&self, cx: &Context, token: &str) -> Result<Result<Claims, Bad>, String> {
        self.tokens.get_or_try_init(|| self.open(cx)).await?.check(token).await
    }
}

#[async_trait]
impl Provider for Jwt {
    async fn find(&self, cx: &Context, query: &Query<'_>) -> Result<Answer, String> {
        let checked = self.claims(cx, query.key.unwrap_or_default()).await;
        let checked = checked.map_err(|words| format!("{}: {words}", self.rules.place()))?;
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

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        self.rules.missing("jwt", cx)
    }
}

/// An answer that is not cached: the token may have expired by the next request.
fn once(found: Found) -> Answer {
    Answer::new(found).living(Some(Duration::ZERO))
}
