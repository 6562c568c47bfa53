//! `notify=true`: keyspace notifications expire cached answers.
//!
//! 1. [`Changes::watch`] returns an [`Expiry`] for a key before its lookup, so that later changes are noticed;
//! 2. [`Changes::listen`] has a separate connection, subscribed to the keys' events, and expires the changed keys;
//! 3. when that connection is lost, everything is expired, and no handle is returned until it is open again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::provider::Expiry;
use endpoint::{Backoff, Context};
use ring::digest::{SHA256, digest};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::link::{Link, Server, accepted, refused};
use super::resp::Reply;

/// The returned handles. Keys are identified by their digests, as in the cache.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    is_heard: bool,
    /// Set once the first subscription has succeeded or failed.
    is_tried: bool,
    watched: HashMap<[u8; 32], Expiry>,
}

impl Changes {
    /// Returns the handle that tells that a key has changed; `None` if there are no notifications.
    pub(super) fn watch(&self, name: &[u8]) -> Option<Expiry> {
        let mut state = self.lock();
        if !state.is_heard {
            return None;
        }
        if state.watched.len() >= MOST {
            state.watched.retain(|_, expiry| expiry.is_shared());
        }
        if state.watched.len() >= MOST {
            return None;
        }
        Some(state.watched.entry(stamp(name)).or_default().clone())
    }

    /// Returns `true` until the first subscription has been tried: it isn't known before that if changes arrive.
    pub(super) fn is_beginning(&self) -> bool {
        !self.lock().is_tried
    }

    /// Listens for changes, for good.
    pub(super) async fn listen(&self, cx: &Context, server: &Server, prefix: &str) {
        let mut backoff = Backoff::new(SHORTEST, LONGEST);
        let mut said: Option<String> = None;
        loop {
            let subscribed = timeout(PATIENCE, subscribe(cx, server, prefix)).await;
            let lost = match subscribed.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
                Ok(link) => {
                    {
                        let mut state = self.lock();
                        (state.is_heard, state.is_tried) = (true, true);
                    }
                    if said.take().is_some() {
                        info!("route: redis notifies of changes again");
                    }
                    backoff.reset();
                    self.hear(link, server.database).await
                }
                Err(words) => words,
            };
            self.forget();
            // Each cause once, for as long as it lasts.
            if said.as_ref() != Some(&lost) {
                warn!(
                    "route: redis doesn't notify of changes, so routes are cached for a shorter time: {lost}"
                );
                said = Some(lost);
            }
            sleep(backoff.pause()).await;
        }
    }

    /// Expires what events are about, until the connection is lost; returns why.
    async fn hear(&self, mut link: Link, database: u64) -> String {
        let start = format!("__keyspace@{database}__:");
        loop {
            let reply = match timeout(PATIENCE, link.reply()).await {
                Ok(reply) => reply,
                // There may be no changes, or the server may be gone.
                Err(_) => match timeout(PATIENCE, link.ask(&[b"PING"])).await {
                    Ok(reply) => reply,
                    Err(_) => return "it doesn't answer".to_owned(),
                },
            };
            let parts = match reply {
                Ok(Reply::List(parts)) => parts,
                Ok(_) => continue,
                Err(words) => return words,
            };
            if let [Reply::Bulk(sort), _, Reply::Bulk(channel), ..] = &*parts
                && sort == b"pmessage"
                && let Some(name) = channel.strip_prefix(start.as_bytes())
                && let Some(expiry) = self.lock().watched.remove(&stamp(name))
            {
                expiry.expire();
            }
        }
    }

    /// Nothing that was handed out holds any more.
    fn forget(&self) {
        let mut state = self.lock();
        (state.is_heard, state.is_tried) = (false, true);
        for (_, expiry) in state.watched.drain() {
            expiry.expire();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn subscribe(cx: &Context, server: &Server, prefix: &str) -> Result<Link, String> {
    let mut link = server.connect(cx).await?;
    // A user without the right to ask has to know for itself.
    if let Reply::List(parts) = link.ask(&[b"CONFIG", b"GET", b"notify-keyspace-events"]).await?
        && let [_, Reply::Bulk(flags)] = &*parts
        && !is_told(flags)
    {
        return Err(
            "its `notify-keyspace-events` must be `KA`, or contain at least `Kg$hx`".to_owned()
        );
    }
    let pattern = format!("__keyspace@{}__:{}*", server.database, escaped(prefix));
    match link.ask(&[b"PSUBSCRIBE", pattern.as_bytes()]).await? {
        Reply::Error(words) => Err(refused(&words)),
        reply => accepted(reply).map(|()| link),
    }
}

/// Returns `true` if the server notifies of keys, strings and hashes, including removal and expiry.
fn is_told(flags: &[u8]) -> bool {
    let all = flags.contains(&b'A');
    flags.contains(&b'K') && b"g$hx".iter().all(|flag| all || flags.contains(flag))
}

/// A prefix as a part of a glob that matches itself.
fn escaped(prefix: &str) -> String {
    let mut glob = String::new();
    for c in prefix.chars() {
        if "*?[]^\\-".contains(c) {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}

fn stamp(name: &[u8]) -> [u8; 32] {
    digest(&SHA256, name).as_ref().try_into().expect("it has 32 bytes")
}

/// The maximum number of watched keys: those in the cache, with routes and refusals.
const MOST: usize = 10_000;
/// Silence after which the connection is tried, and how long a try may take.
const PATIENCE: Duration = Duration::from_secs(10);
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// A listener, which ends when it is dropped.
#[derive(Debug)]
pub(super) struct Listening(tokio::task::AbortHandle);

impl Listening {
    /// Listens in a task.
    pub(super) fn begin(
        changes: Arc<Changes>,
        cx: Context,
        server: Arc<Server>,
        prefix: String,
    ) -> Self {
        let task = async move { changes.listen(&cx, &server, &prefix).await };
        Self(tokio::spawn(task).abort_handle())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_watched_is_bounded_and_forgotten_together() {
        let changes = Changes::default();
        assert!(changes.watch(b"a").is_none(), "nobody listens");
        changes.lock().is_heard = true;
        let held: Vec<_> =
            (0..MOST).map(|number| changes.watch(&number.to_be_bytes()).expect("room")).collect();
        assert!(changes.watch(b"a").is_none(), "it is full");
        changes.forget();
        assert!(held.iter().all(Expiry::is_over));
        changes.lock().is_heard = true;
        for number in 0..3 * MOST {
            assert!(changes.watch(&number.to_be_bytes()).is_some(), "what nobody holds goes");
        }
    }

    #[test]
    fn flags_and_prefixes() {
        for (flags, is) in [
            ("KA", true),
            ("KEA", true),
            ("Kg$hx", true),
            ("EA", false),
            ("Kg$h", false),
            ("", false),
        ] {
            assert_eq!(is_told(flags.as_bytes()), is, "{flags}");
        }
        assert_eq!(escaped("a*[b]:"), "a\\*\\[b\\]:");
    }
}
