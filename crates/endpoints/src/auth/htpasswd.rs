//! `auth={htpasswd:FILE}`: names and passwords from a file in the format of Apache and nginx.
//!
//! Programs send them as Basic credentials (RFC 7617), or in a field of another protocol, such as SOCKS.
//! Browsers sign in on the page ([`Sessions`]). A changed line of the file signs out the browsers that used the old
//! one.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Admitted, Challenge, Credentials, Gate, Identity, Role, Scheme};
use endpoint::{Context, Error, Info, Local, Missing, Refusal, RefusalKind, Result};
use plan::kind::{Args, Param, Planned, ValueKind, Variant};
use ring::digest::{SHA256, digest};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::hash::Hash;
use super::sessions::{Member, Sessions};
use super::throttle::Throttle;
use super::{Exchange, Exchanged, Provided, Provider, role};
use crate::watched::{Parsed, Watched};

pub(super) const VARIANT: Variant = Variant::new(
    "htpasswd",
    "Users listed in a file, one `NAME:HASH` on each line, followed by `:ro` for a user who may only watch. Hashes \
     are bcrypt or argon2; apr1 and {SHA} are accepted with a warning, because they are weak. A changed file is read \
     again, and users whose lines have changed are signed out. `endpointforward passwd FILE NAME` writes a line.",
    &[Param::new("file", ValueKind::Text, "The file.").positional().required()],
);

pub(super) fn plan(args: &Args) -> Planned<Arc<dyn Provider>> {
    Ok(Arc::new(Htpasswd { file: args.text("file").unwrap_or_default().into() }))
}

#[derive(Debug)]
struct Htpasswd {
    file: PathBuf,
}

impl Provider for Htpasswd {
    fn open(&self, _: &Context, listener: &Local) -> Result<Provided> {
        let users = Watched::lines(&self.file, users).map_err(|cause| {
            let error = Error::from_io(
                "read",
                format!("{} for {}", self.file.display(), listener.descriptor),
                cause,
            );
            error.with_hint("create it with `endpointforward passwd FILE NAME`")
        })?;
        let users = Users {
            users,
            sessions: Sessions::default(),
            throttle: Throttle::default(),
            turns: AT_ONCE.map(Semaphore::new),
        };
        let users = Arc::new(users);
        Ok(Provided { gate: users.clone(), exchange: Some(users), invitation: None })
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        let message = || format!("there is no file `{}` of users", self.file.display());
        if self.file.is_file() { Vec::new() } else { vec![Missing::of("file", message())] }
    }
}

pub(super) struct User {
    hash: Hash,
    role: Role,
    /// A digest of the line: a changed line is another credential.
    stamp: [u8; 32],
}

/// The users of one listener.
struct Users {
    users: Watched<HashMap<String, User>>,
    sessions: Sessions,
    throttle: Throttle,
    /// Verifying a password is meant to be slow; it takes threads, and only so many. By
    /// [`Standing`](super::throttle::Standing).
    turns: [Semaphore; 3],
}

impl Users {
    /// Returns `true` if the file still has the line that a member signed in with.
    fn is_current(&self, member: &Member) -> bool {
        let name = member.identity.name().unwrap_or_default();
        self.users.get().get(name).is_some_and(|user| user.stamp == member.stamp)
    }

    async fn verify(&self, info: &Info, name: &str, password: &str) -> Result<Member, Refusal> {
        let attempt = self.throttle.check(info, Some(name))?;
        if !attempt.delay.is_zero() {
            sleep(attempt.delay).await;
        }
        let users = self.users.get();
        let known = users.get(name);
        // A name that isn't there takes as long as one that is.
        let hash = known.or_else(|| users.values().next()).map(|user| user.hash.clone());
        let given = password.to_owned();
        let turn = self.turns[attempt.standing as usize].acquire().await;
        // Those that came at the same time have been checked before any of them had failed.
        self.throttle.check(info, Some(name))?;
        let is_right = match hash {
            Some(hash) => spawn_blocking(move || hash.is_of(&given)).await.unwrap_or(false),
            None => false,
        };
        drop(turn);
        match known.filter(|_| is_right) {
            Some(user) => {
                self.throttle.succeeded(info, name);
                let (identity, role, stamp) = (Identity::user(name), user.role, user.stamp);
                Ok(Member { identity, role, stamp, expires: None })
            }
            None => {
                self.throttle.failed(info, Some(name));
                Err(ask(WRONG))
            }
        }
    }
}

#[async_trait]
impl Gate for Users {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        let nothing = Credentials::default();
        let shown = info.get::<Credentials>().unwrap_or(&nothing);
        let member = match self.sessions.shown(shown, |member| self.is_current(member)) {
            Some(member) => member,
            None => match (&shown.user, &shown.password) {
                (Some(name), Some(password)) => self.verify(info, name, password).await?,
                _ if shown.ticket.is_some() || shown.bearer.is_some() => return Err(ask(LATE)),
                _ => return Err(ask(NEEDED)),
            },
        };
        Ok(Admitted::new(info, member.identity, member.role))
    }
}

#[async_trait]
impl Exchange for Users {
    async fn exchange(&self, shown: &Credentials, info: &Info) -> Result<Exchanged, Refusal> {
        if let Some(secret) = &shown.bearer {
            let again = self.sessions.again(secret, |member| self.is_current(member));
            return again.unwrap_or_else(|| Err(ask(LATE)));
        }
        match (&shown.user, &shown.password) {
            (Some(name), Some(password)) => {
                self.sessions.begin(self.verify(info, name, password).await?)
            }
            _ => Err(ask(NEEDED)),
        }
    }

    fn end(&self, secret: &str) {
        self.sessions.end(secret);
    }

    fn end_cookie(&self, cookie: &str) {
        self.sessions.end_cookie(cookie);
    }

    fn takes_passwords(&self) -> bool {
        true
    }
}

fn ask(words: &str) -> Refusal {
    let basic = Challenge { scheme: Scheme::Basic, realm: "endpointforward".to_owned() };
    Refusal { kind: RefusalKind::Unauthenticated, ..Refusal::challenge(words, [basic]) }
}

/// Reads a file of users.
pub(super) fn users(text: &str) -> Parsed<HashMap<String, User>> {
    let (mut users, mut wrong) = (HashMap::new(), Vec::new());
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_end()))
    {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let read = || {
            let (name, rest) = line.split_once(':').ok_or("the form is `NAME:HASH`")?;
            let (hash, flag) =
                rest.split_once(':').map_or((rest, None), |(hash, flag)| (hash, Some(flag)));
            let user = User {
                hash: Hash::read(hash)?,
                role: role(flag)?,
                stamp: digest(&SHA256, line.as_bytes())
                    .as_ref()
                    .try_into()
                    .expect("it has 32 bytes"),
            };
            Ok::<_, String>((name.to_owned(), user))
        };
        match read() {
            Ok((name, user)) => {
                if let Some(weak) = user.hash.weakness() {
                    wrong.push((number, format!("the hash of `{name}` is {weak}, which is weak")));
                }
                // As in Apache, the first line of a name counts.
                users.entry(name).or_insert(user);
            }
            Err(words) => wrong.push((number, words)),
        }
    }
    (users, wrong)
}

const NEEDED: &str = "a name and a password are required";
const WRONG: &str = "the name or the password is wrong";
const LATE: &str = "this browser is signed out; sign in again";
/// Passwords that are verified at the same time: of known users, of new ones, of networks that have failed.
const AT_ONCE: [usize; 3] = [2, 2, 1];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_lost_alone() {
        let good = bcrypt::hash("x", 4).expect("it can be made");
        let text = format!(
            "# users\nada:{good}\nbob:{good}:ro\nnobody\neve:secret\nmax:{good}:root\nada:{{SHA}}x\n\n"
        );
        let (users, wrong) = users(&text);
        assert_eq!(users["ada"].role, Role::ReadWrite);
        assert_eq!(users["bob"].role, Role::ReadOnly);
        assert_eq!(users.len(), 2);
        let lines: Vec<_> = wrong.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [4, 5, 6, 7], "{wrong:?}");
    }
}
