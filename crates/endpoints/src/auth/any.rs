//! Several providers, one of which has to admit the client.

use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Admitted, Credentials, Gate};
use endpoint::{Info, Refusal, RefusalKind};

use super::{Exchange, Exchanged};

/// Asks one after the other.
pub(super) struct AnyOf(pub(super) Vec<Arc<dyn Gate>>);

#[async_trait]
impl Gate for AnyOf {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        let mut refusals = Vec::new();
        for gate in &self.0 {
            match gate.check(info).await {
                Ok(admitted) => return Ok(admitted),
                Err(refusal) => refusals.push(refusal),
            }
        }
        Err(merge(refusals))
    }
}

/// The sources of a page's tickets, if several providers have one.
pub(super) struct AnyExchange(pub(super) Vec<Arc<dyn Exchange>>);

#[async_trait]
impl Exchange for AnyExchange {
    async fn exchange(&self, shown: &Credentials, info: &Info) -> Result<Exchanged, Refusal> {
        let mut refusals = Vec::new();
        // An authenticator that takes no password has nothing to say about a wrong one.
        let has_password = shown.user.is_some() && self.takes_passwords();
        for exchange in self.0.iter().filter(|it| !has_password || it.takes_passwords()) {
            match exchange.exchange(shown, info).await {
                Ok(exchanged) => return Ok(exchanged),
                Err(refusal) => refusals.push(refusal),
            }
        }
        Err(merge(refusals))
    }

    fn end(&self, secret: &str) {
        self.0.iter().for_each(|exchange| exchange.end(secret));
    }

    fn end_cookie(&self, cookie: &str) {
        self.0.iter().for_each(|exchange| exchange.end_cookie(cookie));
    }

    fn takes_passwords(&self) -> bool {
        self.0.iter().any(|exchange| exchange.takes_passwords())
    }
}

/// Merges several refusals into one: wrong credentials say more than missing ones, and the result names every way to
/// sign in.
fn merge(refusals: Vec<Refusal>) -> Refusal {
    let challenges: Vec<_> = refusals.iter().flat_map(|it| it.challenges.clone()).collect();
    let rank = |refusal: &Refusal| match refusal.kind {
        RefusalKind::Busy | RefusalKind::Throttled => 0,
        RefusalKind::Unauthenticated => 1,
        _ => 2,
    };
    let best = refusals.into_iter().min_by_key(rank);
    let mut refusal = best
        .unwrap_or_else(|| Refusal::new(RefusalKind::Forbidden, "this listener admits no clients"));
    refusal.challenges = challenges;
    refusal
}
