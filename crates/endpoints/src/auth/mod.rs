//! Authentication (`auth=`), for any layer whose clients can send credentials.
//!
//! A layer reads [`Credentials`] from its protocol, asks the [`Authenticator`], and renders the result: an
//! identity, a ticket to spend, or a refusal with challenges. A provider is a [`Gate`]: a file here, and a line in
//! [`PROVIDERS`] and in [`plan_one`].

mod any;
mod bearer;
mod cert;
mod facts;
mod hash;
mod htpasswd;
mod jwt;
mod link;
mod secret;
mod sessions;
mod throttle;
mod tickets;
mod tokens;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Credentials, Gate, Role};
use endpoint::{Context, Info, Local, Missing, Refusal, Result};
use plan::kind::{Args, FactName, Param, Planned, Topic, ValueKind, Variant};

use self::any::{AnyExchange, AnyOf};
pub use self::hash::hash_password;

/// The parameter of listeners whose clients can send credentials.
pub(crate) const AUTH: Param =
    Param::new("auth", ValueKind::Variants(PROVIDERS), DOC).topic(Topic::Access);

/// The same, of those whose protocol has a place for a name and a password at most.
pub(crate) const AUTH_BY_PASSWORD: Param =
    Param::new("auth", ValueKind::Variants(BY_PASSWORD), DOC).topic(Topic::Access);

/// The facts about an admitted client.
pub(crate) const ROLE: FactName = FactName::new(
    "auth.role",
    "The role of an admitted client: `rw`, or `ro` if it may only watch.",
);
pub(crate) const USER: FactName = FactName::new("auth.user", "The name of an authenticated user.");

const BY_PASSWORD: &[Variant] = &[
    Variant::new("none", "Everyone who can reach the listener.", &[]),
    htpasswd::VARIANT,
    cert::VARIANT,
    facts::PEER,
    facts::UNIX,
];

const DOC: &str = "The authentication of clients, for all that the listener serves. If several are given, one of them has to \
    admit the client. Required for a program behind a public address, where `none` admits everyone. Input of a client \
    with the role `ro` (watch only) is discarded.";

const PROVIDERS: &[Variant] = &[
    Variant::new("none", "Everyone who can reach the listener.", &[]),
    link::VARIANT,
    htpasswd::VARIANT,
    bearer::VARIANT,
    jwt::VARIANT,
    facts::HEADER,
    cert::VARIANT,
    facts::PEER,
    facts::UNIX,
];

/// Plans one of [`PROVIDERS`]; `None` for `none`.
fn plan_one(args: &Args) -> Option<Planned<Arc<dyn Provider>>> {
    Some(match &*args.called {
        "token" => link::plan(args),
        "htpasswd" => htpasswd::plan(args),
        "bearer" => bearer::plan(args),
        "jwt" => jwt::plan(args),
        "header" => facts::header(args),
        "cert" => cert::plan(args),
        "peer" => facts::peer(args),
        "unix" => facts::unix(args),
        _ => return None,
    })
}

/// A provider, planned.
pub(crate) trait Provider: fmt::Debug + Send + Sync {
    /// Opens it for a listener.
    ///
    /// # Errors
    /// A file can't be read, or the system has no random numbers.
    fn open(&self, cx: &Context, listener: &Local) -> Result<Provided>;

    /// Returns the files that don't exist.
    fn missing(&self, _: &Context) -> Vec<Missing> {
        Vec::new()
    }
}

/// A provider, open.
pub(crate) struct Provided {
    gate: Arc<dyn Gate>,
    exchange: Option<Arc<dyn Exchange>>,
    invitation: Option<String>,
}

/// The planned providers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Auth(Vec<Arc<dyn Provider>>);

impl Auth {
    /// Reads the parameter `auth`.
    ///
    /// # Errors
    /// The mistakes in it.
    pub(crate) fn read(args: &Args) -> Planned<Self> {
        let (mut providers, mut found, mut is_open) = (Vec::new(), Vec::new(), false);
        for planned in args.variants("auth").map(plan_one) {
            match planned {
                Some(Ok(provider)) => providers.push(provider),
                Some(Err(mistakes)) => found.extend(mistakes),
                None => is_open = true,
            }
        }
        if is_open && !providers.is_empty() {
            let message = "`none` admits every client, so other entries have no effect";
            found.push(args.mistake("auth", "bad-auth", message));
        }
        if found.is_empty() { Ok(Self(providers)) } else { Err(found) }
    }

    /// Makes the check of a listener; `None` if it admits all clients.
    ///
    /// # Errors
    /// Those of the providers.
    pub(crate) fn open(&self, cx: &Context, listener: &Local) -> Result<Option<Authenticator>> {
        let provided: Result<Vec<_>> =
            self.0.iter().map(|provider| provider.open(cx, listener)).collect();
        let mut provided = provided?;
        if provided.len() < 2 {
            let only = provided.pop();
            return Ok(only.map(|Provided { gate, exchange, invitation }| Authenticator {
                gate,
                exchange,
                invitation,
            }));
        }
        let invitation = provided.iter_mut().find_map(|it| it.invitation.take());
        let exchanges: Vec<_> = provided.iter_mut().filter_map(|it| it.exchange.take()).collect();
        let exchange: Option<Arc<dyn Exchange>> =
            if exchanges.is_empty() { None } else { Some(Arc::new(AnyExchange(exchanges))) };
        let gates = provided.into_iter().map(|it| it.gate).collect();
        Ok(Some(Authenticator { gate: Arc::new(AnyOf(gates)), exchange, invitation }))
    }

    /// Returns the files of the providers that don't exist, as seen from the endpoint with `auth`.
    pub(crate) fn missing(&self, cx: &Context) -> Vec<Missing> {
        let each = self.0.iter().enumerate();
        each.flat_map(|(at, provider)| Missing::within("auth", at, provider.missing(cx))).collect()
    }
}

/// Authenticates the clients of a listener.
pub(crate) struct Authenticator {
    pub(crate) gate: Arc<dyn Gate>,
    /// The source of a page's tickets, if clients send credentials.
    pub(crate) exchange: Option<Arc<dyn Exchange>>,
    /// A secret for the user to pass on, if the provider makes one.
    pub(crate) invitation: Option<String>,
}

/// Gives a page what a browser needs for its sessions: it can't send credentials along with a WebSocket.
#[async_trait]
pub(crate) trait Exchange: Send + Sync {
    /// Exchanges credentials for a ticket. A token that works once is spent; a replacement of credentials that are
    /// not to be kept goes along.
    ///
    /// # Errors
    /// The credentials aren't good; the refusal has the reason.
    async fn exchange(&self, shown: &Credentials, info: &Info) -> Result<Exchanged, Refusal>;

    /// Signs out who has this secret.
    fn end(&self, secret: &str);

    /// Signs out the browser that shows this cookie.
    fn end_cookie(&self, cookie: &str);

    /// Returns whether a name and a password are taken.
    fn takes_passwords(&self) -> bool {
        false
    }
}

/// The reply to a page's credentials.
pub(crate) struct Exchanged {
    /// The secret to send from now on, if it is a new one.
    pub(crate) secret: Option<String>,
    /// The ticket for one session.
    pub(crate) ticket: String,
    /// The secret of the cookie for files.
    pub(crate) files: String,
}

/// Parses the role on a line of a file.
fn role(flag: Option<&str>) -> Result<Role, String> {
    match flag {
        None | Some("" | "rw") => Ok(Role::ReadWrite),
        Some("ro") => Ok(Role::ReadOnly),
        Some(flag) => Err(format!("`{flag}` is not a role; the roles are `rw` and `ro`")),
    }
}

/// For the fuzz targets.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzzing(text: &str) {
    let _ = (htpasswd::users(text), bearer::listed(text));
}
