//! `route:redis={tcp:6379}`: routes in a Redis server, so that processes on many machines share them.
//!
//! 1. [`resp`] is the protocol, [`link`] a connection; a few are kept for the next lookups;
//! 2. a key is a string in the format of websockify's `TokenRedis`, or a hash;
//! 3. [`changes`] is notified of changed keys, if `notify=true` is set.

mod changes;
mod link;
mod resp;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::provider::{Answer, Found, Provider, Query};
use endpoint::{Context, Missing};
use plan::kind::{Args, AssembleProvider, Param, Planned, ProviderKind, ValueKind};
use tracing::debug;

use self::changes::{Changes, Listening};
use self::link::{Link, Server, refused};
use self::resp::Reply;
use super::answer;
use crate::login;

pub(super) static REDIS: ProviderKind = ProviderKind {
    name: "redis",
    about: "a Redis server, which many processes may share",
    params: &[
        Param::new(
            "redis",
            ValueKind::Connector,
            "The endpoint of the server: `{tcp:127.0.0.1:6379}`, `{unix:/run/redis.sock}`, `{tls:{tcp:redis.example:6380}}`. A \
             key's value is a descriptor, `HOST:PORT`, or JSON with `host` as websockify's TokenRedis has it or with \
             `destination` and `subprotocol`; or it is a hash with these fields. An answer is cached for 10 s, unless `cache` \
             says otherwise.",
        )
        .required(),
        Param::new("database", ValueKind::Int(0, 1 << 20), "The number of the database.").default("0"),
        Param::new(
            "prefix",
            ValueKind::Text,
            "The prefix of the keys in the server, such as `routes:`. websockify appends a colon to its namespace.",
        )
        .default(""),
        Param::new("user", ValueKind::Text, "The user to log in as, if the server has users (ACL)."),
        Param::new(
            "password-file",
            ValueKind::Text,
            "The file whose first line is the password. It is read whenever a connection is opened.",
        ),
        Param::new(
            "notify",
            ValueKind::Bool,
            "Subscribe to changes of keys, so that a changed route is used at once. Answers are then cached for 10 \
             minutes. The server's `notify-keyspace-events` must be `KA`, or contain at least `Kg$hx`. The server \
             doesn't notify of FLUSHDB.",
        )
        .default("false"),
    ],
    plan,
};

fn plan(args: &Args) -> Planned<AssembleProvider> {
    let given = |name: &str| args.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let (user, password) = (given("user"), given("password-file"));
    if user.is_some() && password.is_none() {
        let message = "`user` needs `password-file`";
        return Err(vec![args.mistake("user", descriptor::Code::MissingParameter, message)]);
    }
    let prefix = given("prefix").unwrap_or_default();
    let database = args.int("database").unwrap_or_default();
    let changes = args.flag("notify").then(Arc::<Changes>::default);
    Ok(Box::new(move |beneath| {
        let connector = beneath.connector("redis");
        let password = password.map(Into::into);
        let server = Arc::new(Server { connector, database, user, password });
        Box::new(Redis {
            server,
            prefix,
            changes,
            idle: Mutex::default(),
            listening: OnceLock::new(),
        })
    }))
}

#[derive(Debug)]
struct Redis {
    server: Arc<Server>,
    prefix: String,
    /// Connections that were used before.
    idle: Mutex<Vec<Link>>,
    changes: Option<Arc<Changes>>,
    /// Set at the first lookup.
    listening: OnceLock<Listening>,
}

#[async_trait]
impl Provider for Redis {
    async fn find(&self, cx: &Context, query: &Query<'_>) -> Result<Answer, String> {
        let name = format!("{}{}", self.prefix, query.key.unwrap_or_default());
        let expiry = self.changes.as_ref().and_then(|changes| {
            self.listening.get_or_init(|| {
                let (server, prefix) = (Arc::clone(&self.server), self.prefix.clone());
                Listening::begin(Arc::clone(changes), cx.clone(), server, prefix)
            });
            // The key is watched before it is asked for, so that a change meanwhile is noticed.
            changes.watch(name.as_bytes())
        });
        let found = self.look(cx, name.as_bytes()).await?;
        let answer = Answer::new(found);
        Ok(match (expiry, &self.changes) {
            (Some(expiry), _) => answer.until(expiry),
            // A change since then may have been missed, and the next lookup will notice changes.
            (None, Some(changes)) if changes.is_beginning() => answer.living(Some(Duration::ZERO)),
            // Without notifications, a change is not seen.
            (None, Some(_)) => answer.living(Some(UNTOLD)),
            (None, None) => answer,
        })
    }

    fn lifetime(&self) -> Duration {
        if self.changes.is_some() { TOLD } else { UNTOLD }
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        let absent = self.server.password.as_deref().and_then(login::absent);
        let mut all: Vec<_> = absent.into_iter().collect();
        all.extend(Missing::within("redis", 0, self.server.connector.missing(cx)));
        all
    }
}

impl Redis {
    async fn look(&self, cx: &Context, name: &[u8]) -> Result<Found, String> {
        let used = self.idle().pop();
        if let Some(mut link) = used {
            match find(&mut link, name).await {
                Ok(found) => return self.done(link, found),
                // The server has closed it since, most likely.
                Err(error) => debug!("a kept connection to redis was closed: {error}"),
            }
            // The others are as old.
            self.idle().clear();
        }
        let mut link = self.server.connect(cx).await?;
        let found = find(&mut link, name).await?;
        self.done(link, found)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, link: Link, found: Result<Found, String>) -> Result<Found, String> {
        let mut idle = self.idle();
        // An unread reply would be taken for the answer to the next request.
        if idle.len() < IDLE && link.is_at_rest() {
            idle.push(link);
        }
        found
    }
}

/// Asks for a key. A refusal of the server, and a value that is no route, are the inner error: the connection is
/// good.
async fn find(link: &mut Link, name: &[u8]) -> Result<Result<Found, String>, String> {
    Ok(match link.ask(&[b"GET", name]).await? {
        Reply::Bulk(value) => {
            answer::read(&value).map(|found| found.map_or(Found::Unknown, Found::Destination))
        }
        Reply::Nothing => Ok(Found::Unknown),
        Reply::Error(words) if words.starts_with("WRONGTYPE") => {
            match link.ask(&[b"HGETALL", name]).await? {
                Reply::List(parts) => of_hash(&parts),
                Reply::Error(words) => Err(refused(&words)),
                _ => return Err("its answer is not a hash".to_owned()),
            }
        }
        Reply::Error(words) => Err(refused(&words)),
        _ => return Err("its answer is not a value".to_owned()),
    })
}

fn of_hash(parts: &[Reply]) -> Result<Found, String> {
    if parts.is_empty() {
        return Ok(Found::Unknown);
    }
    let field = |name: &str| {
        parts.chunks_exact(2).find_map(|pair| match pair {
            [Reply::Bulk(field), Reply::Bulk(value)] if field == name.as_bytes() => {
                String::from_utf8(value.clone()).ok()
            }
            _ => None,
        })
    };
    let found = answer::checked(answer::of_fields(field)?)?;
    Ok(found.map_or(Found::Unknown, Found::Destination))
}

/// Connections that are kept.
const IDLE: usize = 16;
/// The lifetime of an answer without notifications.
const UNTOLD: Duration = Duration::from_secs(10);
/// The same, where changes are told: one that was lost isn't lost for good.
const TOLD: Duration = Duration::from_secs(600);
