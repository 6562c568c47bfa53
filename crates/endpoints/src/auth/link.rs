//! `auth=token`: a link that works once, and a secret that its client keeps.
//!
//! Both are random, in memory alone, and gone with the listener.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use endpoint::gate::{Admitted, Credentials, Gate, Identity, Kept, Role, Ticket};
use endpoint::{Info, Refusal, RefusalKind};

use super::secret::Secret;

/// A token in a link, and what a client keeps once it has come in with that.
pub(super) struct OneTimeLink(Arc<Secrets>);

struct Secrets {
    /// `None` once it was spent.
    token: Mutex<Option<Secret>>,
    session: Secret,
}

impl OneTimeLink {
    /// Makes one, and the token that its link needs.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(super) fn new() -> Result<(Self, String), getrandom::Error> {
        let token = Secret::new()?;
        let said = token.text().to_owned();
        let secrets = Secrets { token: Mutex::new(Some(token)), session: Secret::new()? };
        Ok((Self(Arc::new(secrets)), said))
    }
}

#[async_trait]
impl Gate for OneTimeLink {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        let nothing = Credentials::default();
        let credentials = info.get::<Credentials>().unwrap_or(&nothing);
        let is_known = credentials.kept.iter().any(|kept| self.0.session.is(kept));
        let admitted = || Admitted::new(info, Identity::anonymous(), Role::ReadWrite);
        match &credentials.once {
            None if is_known => Ok(admitted()),
            None => Err(Refusal::new(RefusalKind::Forbidden, UNKNOWN)),
            // The link was opened again: it has done its work, and is taken out of sight.
            Some(_) if is_known => Ok(admitted().with_ticket(Ticket::new(|| Ok(None)))),
            Some(token) => {
                self.0.find(token)?;
                let (secrets, token) = (Arc::clone(&self.0), token.clone());
                Ok(admitted().with_ticket(Ticket::new(move || secrets.spend(&token).map(Some))))
            }
        }
    }
}

impl Secrets {
    fn find(&self, token: &str) -> Result<(), Refusal> {
        let expected = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        is_right(expected.as_ref(), token)
    }

    fn spend(&self, token: &str) -> Result<Kept, Refusal> {
        let mut expected = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        is_right(expected.as_ref(), token)?;
        *expected = None;
        Ok(Kept::new(self.session.text()))
    }
}

fn is_right(expected: Option<&Secret>, token: &str) -> Result<(), Refusal> {
    let why = match expected {
        Some(expected) if expected.is(token) => return Ok(()),
        Some(_) => UNKNOWN,
        None => USED,
    };
    Err(Refusal::new(RefusalKind::Forbidden, why))
}

const UNKNOWN: &str =
    "open this page with the link that was shown where endpointforward was started";
const USED: &str = "this link was used already; it works once, in one browser. For another, start \
                    endpointforward again";

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(
        link: &OneTimeLink,
        once: Option<&str>,
        kept: &[&str],
    ) -> Result<Admitted, Refusal> {
        let kept = kept.iter().map(|&kept| kept.to_owned());
        let credentials = Credentials::new(once.map(str::to_owned), kept);
        link.check(&Info::new().with(credentials)).await
    }

    fn words(refused: Result<Admitted, Refusal>) -> String {
        refused.expect_err("it is refused").message
    }

    #[tokio::test]
    async fn a_token_is_good_once_and_what_is_kept_from_then_on() {
        let (link, token) = OneTimeLink::new().expect("random numbers");
        assert_eq!(words(ask(&link, None, &[]).await), UNKNOWN);
        assert_eq!(words(ask(&link, Some("wrong"), &[""]).await), UNKNOWN);
        assert_eq!(words(ask(&link, Some(&format!("{token}x")), &[]).await), UNKNOWN);
        let ticket = |admitted: Admitted| admitted.ticket.expect("it is to be spent");
        let first = ticket(ask(&link, Some(&token), &[]).await.expect("it is good"));
        let kept = first.spend().expect("nobody spent it").expect("a secret");
        assert_eq!(words(ask(&link, Some(&token), &[]).await), USED);
        let known = ["old", kept.secret()];
        assert!(ask(&link, None, &known).await.expect("it is known").ticket.is_none());
        let again = ticket(ask(&link, Some(&token), &known).await.expect("it is known"));
        assert!(again.spend().expect("nothing is spent").is_none());
    }

    #[tokio::test]
    async fn a_ticket_that_is_dropped_leaves_the_token_good() {
        let (link, token) = OneTimeLink::new().expect("random numbers");
        drop(ask(&link, Some(&token), &[]).await.expect("it is good"));
        let (one, other) =
            (ask(&link, Some(&token), &[]).await, ask(&link, Some(&token), &[]).await);
        let (one, other) = (one.expect("it is good"), other.expect("it is still good"));
        assert!(one.ticket.expect("a ticket").spend().is_ok());
        let late = other.ticket.expect("a ticket").spend().expect_err("it was spent");
        assert_eq!(late.message, USED);
    }
}
