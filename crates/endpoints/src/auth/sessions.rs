//! The secrets of browsers that have signed in, and the tickets for their sessions.
//!
//! A browser can't send a password or a bearer token along with a WebSocket, and a cookie goes to every port of a host.
//! So the page sends its credentials once, keeps a secret in storage of its origin, and gets a ticket for each
//! session; a cookie has a separate secret, for files only. All are random, kept in memory only, and end with the
//! listener.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::Refusal;
use endpoint::gate::{Credentials, Identity, Role};
use tokio::time::Instant;

use super::Exchanged;
use super::secret::Secret;
use super::tickets::{Tickets, fresh};

/// The browsers that have signed in. Bounded: beyond [`MOST`], the oldest is signed out; beyond [`SHARE`] of one user,
/// the oldest of that user, so that no user can sign out the others.
#[derive(Default)]
pub(super) struct Sessions {
    /// Oldest first.
    signed_in: Mutex<VecDeque<SignedIn>>,
    tickets: Tickets<Given>,
    /// Browsers that have ever signed in.
    count: AtomicU64,
}

/// The owner of a ticket.
struct Given {
    member: Member,
    /// The sign-in that it is good with.
    number: u64,
}

struct SignedIn {
    number: u64,
    secret: Secret,
    files: Secret,
    since: Instant,
    member: Member,
}

/// A client whose credentials were valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) identity: Identity,
    pub(super) role: Role,
    /// Changes with the credentials: a sign-in with the old ones becomes invalid then.
    pub(super) stamp: [u8; 32],
    /// The time at which the credentials expire, in seconds since 1970.
    pub(super) expires: Option<u64>,
}

impl Sessions {
    /// Signs a member in.
    pub(super) fn begin(&self, member: Member) -> Result<Exchanged, Refusal> {
        let (secret, files) = (fresh()?, fresh()?);
        let shown = (secret.text().to_owned(), files.text().to_owned());
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let ticket = self.ticket(member.clone(), number)?;
        let mut signed_in = self.lock();
        let is_same = |it: &SignedIn| it.member.identity == member.identity;
        if signed_in.iter().filter(|it| is_same(it)).count() >= SHARE
            && let Some(oldest) = signed_in.iter().position(is_same)
        {
            signed_in.remove(oldest);
        }
        let since = Instant::now();
        signed_in.push_back(SignedIn { number, secret, files, since, member });
        if signed_in.len() > MOST {
            signed_in.pop_front();
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
        let (Given { member, number }, files) = found;
        let ticket = self.ticket(member, number);
        Some(ticket.map(|ticket| Exchanged { secret: None, ticket, files }))
    }

    fn ticket(&self, member: Member, number: u64) -> Result<String, Refusal> {
        let owner = member.clone();
        self.tickets.give(Given { member, number }, |given| given.member == owner)
    }

    /// Returns the member with this ticket, secret or cookie. A ticket is removed.
    pub(super) fn shown(
        &self,
        credentials: &Credentials,
        is_good: impl Fn(&Member) -> bool,
    ) -> Option<Member> {
        if let Some(ticket) = &credentials.ticket {
            let Given { member, number } = self.tickets.take(ticket)?;
            // Signing out ends the tickets that weren't used.
            return self.find(|it| it.number == number, is_good).map(|_| member);
        }
        let is_it = |it: &SignedIn| {
            credentials.bearer.as_deref().is_some_and(|bearer| it.secret.is(bearer))
                || credentials.cookies.iter().any(|cookie| it.files.is(cookie))
        };
        self.find(is_it, is_good).map(|(given, _)| given.member)
    }

    /// Signs out the browser with this secret.
    pub(super) fn end(&self, secret: &str) {
        self.lock().retain(|it| !it.secret.is(secret));
    }

    /// Signs out the browser with this cookie.
    pub(super) fn end_cookie(&self, cookie: &str) {
        self.lock().retain(|it| !it.files.is(cookie));
    }

    fn find(
        &self,
        is_it: impl Fn(&SignedIn) -> bool,
        is_good: impl Fn(&Member) -> bool,
    ) -> Option<(Given, String)> {
        let mut signed_in = self.lock();
        signed_in.retain(|it| it.since.elapsed() < LONGEST);
        let at = signed_in.iter().position(is_it)?;
        let it = &signed_in[at];
        if is_good(&it.member) {
            let given = Given { member: it.member.clone(), number: it.number };
            return Some((given, it.files.text().to_owned()));
        }
        signed_in.remove(at);
        None
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<SignedIn>> {
        self.signed_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Browsers that are signed in at the same time.
const MOST: usize = 10_000;
/// Those of one user.
const SHARE: usize = 1000;
/// The time for which a browser stays signed in.
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
        // A ticket that wasn't used is signed out with its secret, and one of another browser isn't.
        let given = sessions.begin(ada(1)).expect("random numbers");
        let other = sessions.begin(ada(1)).expect("random numbers");
        sessions.end(&given.secret.expect("it is new"));
        let ticket = |ticket: &str| shown(|it| it.ticket = Some(ticket.to_owned()));
        assert_eq!(sessions.shown(&ticket(&given.ticket), |_| true), None);
        assert_eq!(sessions.shown(&ticket(&other.ticket), |_| true), Some(ada(1)));
        // And by the cookie alone, where there is no script that has the secret.
        let given = sessions.begin(ada(1)).expect("random numbers");
        sessions.end_cookie(&given.files);
        assert!(sessions.again(&given.secret.expect("it is new"), |_| true).is_none());
    }

    #[test]
    fn a_user_signs_out_no_other_one() {
        let sessions = Sessions::default();
        let given = sessions.begin(ada(1)).expect("random numbers");
        let eve = Member { identity: Identity::user("eve"), ..ada(2) };
        let first = sessions.begin(eve.clone()).expect("random numbers").secret.expect("it is new");
        for _ in 0..SHARE {
            sessions.begin(eve.clone()).expect("random numbers");
        }
        assert_eq!(sessions.lock().len(), 1 + SHARE);
        assert!(sessions.again(&first, |_| true).is_none());
        let ticket = shown(|it| it.ticket = Some(given.ticket.clone()));
        assert_eq!(sessions.shown(&ticket, |_| true), Some(ada(1)));
        assert!(sessions.again(&given.secret.expect("it is new"), |_| true).is_some());
    }
}
