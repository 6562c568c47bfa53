//! `auth=token`: a link that works once, and the secret that its browser keeps.
//!
//! 1. The link has a token in its fragment, which browsers don't send. The page exchanges it once for a secret.
//! 2. The page keeps the secret in storage of its origin. It sends the secret for each session, and gets a
//!    ticket.
//! 3. The ticket opens one session, for a short time. Unlike other credentials, a browser can send it with a WebSocket.
//!
//! A program sends the token, or the secret that it was exchanged for, as a bearer token. A cookie has a separate
//! secret, for files only: browsers send cookies to every port of a host, so one that opened sessions would give
//! them to any server there.
//!
//! All are random, kept in memory only, and end with the listener.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use endpoint::gate::{Admitted, Credentials, Gate, Identity, Role, Ticket};
use endpoint::{Context, Error, ErrorKind, Info, Local, Refusal, RefusalKind};
use plan::kind::{Args, Planned, Variant};

use super::secret::Secret;
use super::tickets::Tickets;
use super::{Exchange, Exchanged, Provided, Provider};

/// A token in a link, and what a client keeps once it has exchanged that.
#[derive(Clone)]
pub(super) struct OneTimeLink(Arc<Secrets>);

struct Secrets {
    /// `None` once it was spent.
    token: Mutex<Option<Secret>>,
    session: Secret,
    files: Secret,
    tickets: Tickets<()>,
}

impl OneTimeLink {
    /// Makes one, and the token that its link needs.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(super) fn new() -> Result<(Self, String), getrandom::Error> {
        let token = Secret::new()?;
        let said = token.text().to_owned();
        let secrets = Secrets {
            token: Mutex::new(Some(token)),
            session: Secret::new()?,
            files: Secret::new()?,
            tickets: Tickets::default(),
        };
        Ok((Self(Arc::new(secrets)), said))
    }
}

#[async_trait]
impl Gate for OneTimeLink {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        let nothing = Credentials::default();
        let credentials = info.get::<Credentials>().unwrap_or(&nothing);
        let secrets = &self.0;
        let admitted = || Admitted::new(info, Identity::anonymous(), Role::ReadWrite);
        if credentials
            .ticket
            .as_deref()
            .is_some_and(|ticket| secrets.tickets.take(ticket).is_some())
            || credentials.cookies.iter().any(|cookie| secrets.files.is(cookie))
        {
            return Ok(admitted());
        }
        match &credentials.bearer {
            None if credentials.ticket.is_some() => Err(refused(LATE)),
            None => Err(refused(UNKNOWN)),
            Some(secret) if secrets.session.is(secret) => Ok(admitted()),
            Some(token) => {
                is_right(secrets.token().as_ref(), token)?;
                let (secrets, token) = (Arc::clone(secrets), token.clone());
                Ok(admitted().with_ticket(Ticket::new(move || secrets.spend(&token))))
            }
        }
    }
}

#[async_trait]
impl Exchange for OneTimeLink {
    async fn exchange(&self, shown: &Credentials, _: &Info) -> Result<Exchanged, Refusal> {
        self.exchange_bearer(shown.bearer.as_deref().unwrap_or_default())
    }

    /// All clients have the same secret: it ends with the listener.
    fn end(&self, _: &str) {}

    fn end_cookie(&self, _: &str) {}
}

pub(super) const VARIANT: Variant = Variant::new(
    "token",
    "The browser that first opens the link printed at the start. The link works once; the browser then keeps a \
     secret, in storage that no other port of the host can read, which is valid until the listener ends. Programs \
     send the part after `#token=` in the header `Authorization: Bearer TOKEN`, which works once too; the reply to a \
     POST with it contains a secret that is valid until the listener ends.",
    &[],
);

pub(super) fn plan(_: &Args) -> Planned<Arc<dyn Provider>> {
    Ok(Arc::new(Link))
}

#[derive(Debug)]
struct Link;

impl Provider for Link {
    fn open(&self, _: &Context, listener: &Local) -> endpoint::Result<Provided> {
        let (link, token) = OneTimeLink::new().map_err(|error| {
            let words = format!("the system has no random numbers: {error}");
            Error::new(ErrorKind::Other, "bind", &*listener.descriptor, words)
        })?;
        let exchange: Arc<dyn Exchange> = Arc::new(link.clone());
        Ok(Provided { gate: Arc::new(link), exchange: Some(exchange), invitation: Some(token) })
    }
}

impl OneTimeLink {
    fn exchange_bearer(&self, bearer: &str) -> Result<Exchanged, Refusal> {
        let secrets = &self.0;
        let secret = if secrets.session.is(bearer) {
            None
        } else {
            secrets.spend(bearer)?;
            Some(secrets.session.text().to_owned())
        };
        let ticket = secrets.tickets.give((), |()| true)?;
        Ok(Exchanged { secret, ticket, files: secrets.files.text().to_owned() })
    }
}

impl Secrets {
    fn token(&self) -> MutexGuard<'_, Option<Secret>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spend(&self, token: &str) -> Result<(), Refusal> {
        let mut expected = self.token();
        is_right(expected.as_ref(), token)?;
        *expected = None;
        Ok(())
    }
}

fn is_right(expected: Option<&Secret>, token: &str) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected.is(token) => Ok(()),
        Some(_) => Err(refused(UNKNOWN)),
        None => Err(refused(USED)),
    }
}

fn refused(why: &str) -> Refusal {
    Refusal::new(RefusalKind::Forbidden, why)
}

const UNKNOWN: &str = "open this page with the link that endpointforward printed at its start";
const USED: &str = "this link was used already; it works once, in one browser. For another, start \
                    endpointforward again";
const LATE: &str = "this ticket was used already, or is too old; ask for another one";

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(
        link: &OneTimeLink,
        shown: impl FnOnce(&mut Credentials),
    ) -> Result<Admitted, Refusal> {
        let mut credentials = Credentials::default();
        shown(&mut credentials);
        link.check(&Info::new().with(credentials)).await
    }

    async fn bearer(link: &OneTimeLink, secret: &str) -> Result<Admitted, Refusal> {
        ask(link, |shown| shown.bearer = Some(secret.to_owned())).await
    }

    async fn ticket(link: &OneTimeLink, ticket: &str) -> Result<Admitted, Refusal> {
        ask(link, |shown| shown.ticket = Some(ticket.to_owned())).await
    }

    fn words<T>(refused: Result<T, Refusal>) -> String {
        refused.err().expect("it is refused").message
    }

    #[tokio::test]
    async fn a_token_is_exchanged_once_and_its_secret_is_good_from_then_on() {
        let (link, token) = OneTimeLink::new().expect("random numbers");
        assert_eq!(words(ask(&link, |_| {}).await), UNKNOWN);
        for wrong in ["", "wrong", &format!("{token}x")] {
            assert_eq!(words(bearer(&link, wrong).await), UNKNOWN);
            assert_eq!(words(link.exchange_bearer(wrong)), UNKNOWN);
        }
        let first = link.exchange_bearer(&token).expect("it is good");
        let secret = first.secret.expect("it is new");
        assert_eq!(words(link.exchange_bearer(&token)), USED);
        assert_eq!(words(bearer(&link, &token).await), USED);
        let again = link.exchange_bearer(&secret).expect("it is known");
        assert!(again.secret.is_none() && again.ticket != first.ticket);
        assert!(bearer(&link, &secret).await.expect("it is known").ticket.is_none());
    }

    #[tokio::test]
    async fn a_ticket_opens_one_session_and_nothing_else() {
        let (link, token) = OneTimeLink::new().expect("random numbers");
        let given = link.exchange_bearer(&token).expect("it is good");
        let secret = given.secret.expect("it is new");
        assert!(
            link.exchange_bearer(&given.ticket).is_err()
                && bearer(&link, &given.ticket).await.is_err()
        );
        assert!(ticket(&link, &given.ticket).await.is_ok());
        assert_eq!(words(ticket(&link, &given.ticket).await), LATE);
        for not_one in [&secret, &token, &given.files] {
            assert!(ticket(&link, not_one).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_cookie_is_no_bearer_token_and_gets_no_ticket() {
        let (link, token) = OneTimeLink::new().expect("random numbers");
        let given = link.exchange_bearer(&token).expect("it is good");
        let cookies = |cookie: &str| {
            let cookies = vec!["old".to_owned(), cookie.to_owned()];
            ask(&link, |shown| shown.cookies = cookies)
        };
        assert!(cookies(&given.files).await.is_ok());
        assert!(cookies(&given.secret.expect("it is new")).await.is_err());
        assert!(
            link.exchange_bearer(&given.files).is_err()
                && bearer(&link, &given.files).await.is_err()
        );
    }

    #[tokio::test]
    async fn a_ticket_that_is_dropped_leaves_the_token_good() {
        let (link, token) = OneTimeLink::new().expect("random numbers");
        drop(bearer(&link, &token).await.expect("it is good"));
        let (one, other) = (bearer(&link, &token).await, bearer(&link, &token).await);
        let (one, other) = (one.expect("it is good"), other.expect("it is still good"));
        assert!(one.ticket.expect("a ticket").spend().is_ok());
        let late = other.ticket.expect("a ticket").spend().expect_err("it was spent");
        assert_eq!(late.message, USED);
    }
}
