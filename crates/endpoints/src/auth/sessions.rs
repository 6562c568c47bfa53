//! What browsers keep once they have signed in, and the tickets that open their sessions.
//!
//! A browser can't send a password or a bearer token along with a WebSocket, and a cookie goes to every port of a host.
//! So the page shows its credentials once, keeps a secret in storage that belongs to its origin, and gets a ticket for each
//! session; a cookie has a secret of its own, which opens files alone. All are random, in memory alone, and gone with the
//! listener.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::gate::{Credentials, Identity, Role};
use endpoint::{Refusal, RefusalKind};
use tokio::time::Instant;

use super::Exchanged;
use super::secret::Secret;

/// Who has signed in. Bounded: the oldest is signed out for one more than [`MOST`].
#[derive(Default)]
pub(super) struct Sessions(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Oldest first.
    signed_in: VecDeque<SignedIn>,
    /// Oldest first.
    tickets: VecDeque<(Secret, Instant, Member)>,
}

struct SignedIn {
    secret: Secret,
    files: Secret,
    since: Instant,
    member: Member,
}

/// Somebody whose credentials were right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) identity: Identity,
    pub(super) role: Role,
    /// Changes with the credentials: what was signed in with the old ones is worth nothing then.
    pub(super) stamp: [u8; 32],
    /// When the credentials end, in seconds since 1970.
    pub(super) expires: Option<u64>,
}

impl Sessions {
    /// Signs a member in.
    pub(super) fn begin(&self, member: Member) -> Result<Exchanged, Refusal> {
        let (secret, files) = (fresh()?, fresh()?);
        let shown = (secret.text().to_owned(), files.text().to_owned());
        let ticket = self.ticket(member.clone())?;
        let mut inner = self.lock();
        inner.signed_in.push_back(SignedIn { secret, files, since: Instant::now(), member });
        if inner.signed_in.len() > MOST {
            inner.signed_in.pop_front();
        }
        Ok(Exchanged { secret: Some(shown.0), ticket, files: shown.1 })
    }

    /// Gives a ticket for a secret that is known.
    pub(super) fn again(
        &self,
        secret: &str,
        is_good: impl Fn(&Member) -> bool,
    ) -> Option<Result<Exchanged, Refusal>> {
        let found = self.find(|it| it.secret.is(secret), is_good)?;
        let (member, files) = found;
        Some(self.ticket(member).map(|ticket| Exchanged { secret: None, ticket, files }))
    }

    /// Who shows a ticket, a secret or a cookie of ours. A ticket is taken.
    pub(super) fn shown(
        &self,
        credentials: &Credentials,
        is_good: impl Fn(&Member) -> bool,
    ) -> Option<Member> {
        if let Some(ticket) = &credentials.ticket {
            return self.take(ticket).filter(|member| is_good(member));
        }
        let is_it = |it: &SignedIn| {
            credentials.bearer.as_deref().is_some_and(|bearer| it.secret.is(bearer))
                || credentials.cookies.iter().any(|cookie| it.files.is(cookie))
        };
        self.find(is_it, is_good).map(|(member, _)| member)
    }

    /// Signs out whoever has this secret.
    pub(super) fn end(&self, secret: &str) {
        self.lock().signed_in.retain(|it| !it.secret.is(secret));
    }

    fn find(
        &self,
        is_it: impl Fn(&SignedIn) -> bool,
        is_good: impl Fn(&Member) -> bool,
    ) -> Option<(Member, String)> {
        let mut inner = self.lock();
        inner.signed_in.retain(|it| it.since.elapsed() < LONGEST);
        let at = inner.signed_in.iter().position(is_it)?;
        if is_good(&inner.signed_in[at].member) {
            let it = &inner.signed_in[at];
            return Some((it.member.clone(), it.files.text().to_owned()));
        }
        inner.signed_in.remove(at);
        None
    }

    fn ticket(&self, member: Member) -> Result<String, Refusal> {
        let ticket = fresh()?;
        let shown = ticket.text().to_owned();
        let mut inner = self.lock();
        inner.tickets.push_back((ticket, Instant::now(), member));
        if inner.tickets.len() > TICKETS {
            inner.tickets.pop_front();
        }
        Ok(shown)
    }

    fn take(&self, ticket: &str) -> Option<Member> {
        let mut inner = self.lock();
        inner.tickets.retain(|(_, since, _)| since.elapsed() < SOON);
        let at = inner.tickets.iter().position(|(known, ..)| known.is(ticket))?;
        inner.tickets.remove(at).map(|(_, _, member)| member)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh() -> Result<Secret, Refusal> {
    Secret::new().map_err(|error| {
        Refusal::new(RefusalKind::Busy, format!("the system has no random numbers: {error}"))
    })
}

/// Browsers that are signed in at the same time.
const MOST: usize = 10_000;
/// Tickets at the same time.
const TICKETS: usize = 1024;
/// How long a ticket is good.
const SOON: Duration = Duration::from_secs(30);
/// How long a browser stays signed in.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn ada(stamp: u8) -> Member {
        Member {
            identity: Identity::user("ada"),
            role: Role::ReadOnly,
            stamp: [stamp; 32],
            expires: None,
        }
    }

    fn shown(f: impl FnOnce(&mut Credentials)) -> Credentials {
        let mut credentials = Credentials::default();
        f(&mut credentials);
        credentials
    }

    #[test]
    fn a_session_lasts_as_long_as_its_credentials() {
        let sessions = Sessions::default();
        let given = sessions.begin(ada(1)).expect("random numbers");
        let secret = given.secret.expect("it is new");
        let with_secret = shown(|it| it.bearer = Some(secret.clone()));
        assert_eq!(sessions.shown(&with_secret, |_| true), Some(ada(1)));
        assert!(sessions.again(&secret, |_| true).is_some());
        assert_eq!(sessions.shown(&with_secret, |member| member.stamp == [2; 32]), None);
        assert_eq!(sessions.shown(&with_secret, |_| true), None, "it was signed out by that");
    }

    #[test]
    fn a_ticket_is_taken_once_and_a_cookie_is_no_secret() {
        let sessions = Sessions::default();
        let given = sessions.begin(ada(1)).expect("random numbers");
        let ticket = shown(|it| it.ticket = Some(given.ticket.clone()));
        assert_eq!(sessions.shown(&ticket, |_| true), Some(ada(1)));
        assert_eq!(sessions.shown(&ticket, |_| true), None);
        let cookie = shown(|it| it.cookies = vec!["old".to_owned(), given.files.clone()]);
        assert_eq!(sessions.shown(&cookie, |_| true), Some(ada(1)));
        assert!(sessions.again(&given.files, |_| true).is_none());
        sessions.end(&given.secret.expect("it is new"));
        assert_eq!(sessions.shown(&cookie, |_| true), None);
    }
}
