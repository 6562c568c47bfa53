//! A gate for bearer tokens (RFC 6750) of any source: programs send one with each request, and a browser
//! exchanges one for a session.

use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Admitted, Challenge, Credentials, Gate, Scheme};
use endpoint::{Info, Refusal, RefusalKind, Result};

use super::sessions::{Member, Sessions};
use super::throttle::Throttle;
use super::{Exchange, Exchanged, Provided};

/// A source of tokens.
#[async_trait]
pub(super) trait Known: Send + Sync + 'static {
    /// The refusal of a client that shows no token.
    const NEEDED: &str;

    /// Loads the facts that [`Known::is_current`] uses.
    async fn refresh(&self) {}

    /// Returns whether what this member signed in with is still good.
    fn is_current(&self, member: &Member) -> bool;

    /// Returns the identity that a token belongs to.
    ///
    /// # Errors
    /// It is not good.
    async fn member(&self, token: &str) -> Result<Member, Bad>;
}

/// The reason why a token is not good.
pub(super) enum Bad {
    /// It may be a guess, which counts for throttling.
    Guess(String),
    /// It is a token, and isn't taken.
    Wrong(String),
    /// It can't be checked at present.
    Unknown(String),
}

/// Makes a gate of a source of tokens.
pub(super) fn provide(known: impl Known) -> Provided {
    let (sessions, throttle) = (Sessions::default(), Throttle::default());
    let tokens = Arc::new(Tokens { known, sessions, throttle });
    Provided { gate: tokens.clone(), exchange: Some(tokens), invitation: None }
}

struct Tokens<K> {
    known: K,
    sessions: Sessions,
    throttle: Throttle,
}

impl<K: Known> Tokens<K> {
    async fn find(&self, info: &Info, token: &str) -> Result<Member, Refusal> {
        self.throttle.check(info, None)?;
        self.known.member(token).await.map_err(|bad| match bad {
            Bad::Guess(words) => {
                self.throttle.failed(info, None);
                ask(&words)
            }
            Bad::Wrong(words) => ask(&words),
            Bad::Unknown(words) => Refusal::new(RefusalKind::Busy, words),
        })
    }
}

#[async_trait]
impl<K: Known> Gate for Tokens<K> {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        let nothing = Credentials::default();
        let shown = info.get::<Credentials>().unwrap_or(&nothing);
        self.known.refresh().await;
        let member = match self.sessions.shown(shown, |member| self.known.is_current(member)) {
            Some(member) => member,
            None => match &shown.bearer {
                Some(token) => self.find(info, token).await?,
                None => return Err(ask(K::NEEDED)),
            },
        };
        Ok(Admitted::new(info, member.identity, member.role))
    }
}

#[async_trait]
impl<K: Known> Exchange for Tokens<K> {
    async fn exchange(&self, shown: &Credentials, info: &Info) -> Result<Exchanged, Refusal> {
        let Some(shown) = &shown.bearer else { return Err(ask(K::NEEDED)) };
        self.known.refresh().await;
        if let Some(given) = self.sessions.again(shown, |member| self.known.is_current(member)) {
            return given;
        }
        self.sessions.begin(self.find(info, shown).await?)
    }

    fn end(&self, secret: &str) {
        self.sessions.end(secret);
    }

    fn end_cookie(&self, cookie: &str) {
        self.sessions.end_cookie(cookie);
    }
}

fn ask(words: &str) -> Refusal {
    let scheme = Scheme::Bearer;
    Refusal::challenge(words, [Challenge { scheme, realm: "endpointforward".to_owned() }])
}
