//! Keys of a server (JWKS, RFC 7517 section 5), fetched when they are first needed.
//!
//! 1. [`Fetched::get`] returns the keys; a client waits if there are none, or if they are no longer fresh;
//! 2. [`Fetched::again`] fetches the keys again for a token with an unknown key;
//! 3. one fetch runs at a time. It is a task: a client that leaves doesn't end a fetch that others wait for.
//!
//! The operator configures the URL. A token can't name another one: `jku` and `x5u` (RFC 7515 section 4.1) are not
//! read.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use endpoint::Context;
use futures_util::FutureExt;
use futures_util::future::Shared;
use http_body_util::{BodyExt, Limited};
use hyper::header::{ACCEPT, HeaderValue};
use hyper::{Method, StatusCode};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::keys::{self, Keys};
use crate::http::remote::{Remote, lifetime};
use crate::patience::timeout;

/// The keys of a server.
pub(super) struct Fetched(Arc<Inner>);

/// The lifetime of keys, and the pauses between fetches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The bounds of the lifetime that the server gives.
    pub(super) shortest: Duration,
    pub(super) longest: Duration,
    /// The lifetime if the server sends none.
    pub(super) usual: Duration,
    /// The shortest time between two fetches, while there are keys.
    pub(super) pause: Duration,
    /// The same while there are none.
    pub(super) first: Duration,
    /// For one fetch.
    pub(super) limit: Duration,
}

impl Pace {
    /// The limit is less than that of a lookup of a route, so that its words are those that are logged.
    pub(super) const USUAL: Self = Self {
        shortest: Duration::from_secs(30),
        longest: Duration::from_secs(3600),
        usual: Duration::from_secs(300),
        pause: Duration::from_secs(5),
        first: Duration::from_secs(1),
        limit: Duration::from_secs(4),
    };
}

struct Inner {
    remote: Arc<Remote>,
    cx: Context,
    pace: Pace,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Set once they have been fetched.
    keys: Option<Arc<Keys>>,
    fresh_until: Option<Instant>,
    /// The time at which the last fetch began.
    begun: Option<Instant>,
    /// The reason why the last one failed.
    failed: Option<String>,
    /// The fetch that is under way, and its task.
    fetching: Option<(Fetching, AbortHandle)>,
}

type Fetching = Shared<Pin<Box<dyn Future<Output = ()> + Send>>>;

impl Fetched {
    pub(super) fn new(remote: Arc<Remote>, cx: &Context, pace: Pace) -> Self {
        Self(Arc::new(Inner { remote, cx: cx.clone(), pace, state: Mutex::default() }))
    }

    /// Returns the keys. If the server is down, those that it had before. Cancel safe.
    ///
    /// # Errors
    /// There are none yet, in words.
    pub(super) async fn get(&self) -> Result<Arc<Keys>, String> {
        let fetching = {
            let mut state = self.0.lock();
            let is_fresh = state.fresh_until.is_some_and(|until| Instant::now() < until);
            let fetching = if is_fresh { None } else { self.begin(&mut state) };
            // While the server is down, clients that can do without its answer don't wait for it.
            fetching.filter(|_| state.keys.is_none() || state.failed.is_none())
        };
        if let Some(fetching) = fetching {
            fetching.await;
        }
        let state = self.0.lock();
        let failed = state.failed.as_deref();
        state.keys.clone().ok_or_else(|| failed.unwrap_or("there are no keys yet").to_owned())
    }

    /// Fetches the keys again, because one is missing, unless they were fetched a moment ago. Cancel safe.
    pub(super) async fn again(&self) {
        let fetching = {
            let mut state = self.0.lock();
            self.begin(&mut state)
        };
        if let Some(fetching) = fetching {
            fetching.await;
        }
    }

    /// Returns the keys that there are, fresh or not.
    pub(super) fn known(&self) -> Option<Arc<Keys>> {
        self.0.lock().keys.clone()
    }

    /// Begins to fetch, or joins the fetch that is under way; `None` if the last one was a moment ago.
    fn begin(&self, state: &mut State) -> Option<Fetching> {
        if let Some((fetching, task)) = &state.fetching
            && !task.is_finished()
        {
            return Some(fetching.clone());
        }
        let pace = &self.0.pace;
        let pause = if state.keys.is_some() { pace.pause } else { pace.first };
        if state.begun.is_some_and(|begun| begun.elapsed() < pause) {
            return None;
        }
        state.begun = Some(Instant::now());
        let inner = Arc::clone(&self.0);
        let task = tokio::spawn(async move { inner.fetch().await });
        let handle = task.abort_handle();
        let fetching = task.map(drop).boxed().shared();
        state.fetching = Some((fetching.clone(), handle));
        Some(fetching)
    }
}

impl Inner {
    async fn fetch(&self) {
        let limit = self.pace.limit;
        let fetched = timeout(limit, self.ask()).await;
        let fetched =
            fetched.unwrap_or_else(|| Err(format!("no answer within {} s", limit.as_secs_f32())));
        let mut state = self.lock();
        match fetched {
            Ok((keys, lifetime)) => {
                match state.keys.is_some() && state.failed.is_none() {
                    true => debug!("{}: {} keys", self.remote, keys.len()),
                    false => info!("{}: {} keys", self.remote, keys.len()),
                }
                let lifetime = lifetime.unwrap_or(self.pace.usual);
                let lifetime = lifetime.clamp(self.pace.shortest, self.pace.longest);
                state.fresh_until = Some(Instant::now() + lifetime);
                (state.keys, state.failed) = (Some(Arc::new(keys)), None);
            }
            Err(words) => {
                let until = match state.keys {
                    Some(_) => "the earlier keys stay in use",
                    None => "there are no keys yet",
                };
                warn!("{}: {words}; {until}", self.remote);
                state.failed = Some(words);
            }
        }
    }

    async fn ask(&self) -> Result<(Keys, Option<Duration>), String> {
        let mut link = self.remote.connect(&self.cx).await?;
        let mut request = self.remote.request(Method::GET, Bytes::new());
        let accepts = HeaderValue::from_static("application/jwk-set+json, application/json");
        request.headers_mut().insert(ACCEPT, accepts);
        let response = link.ask(request).await?;
        let status = response.status();
        if status.is_redirection() {
            return Err(format!("the answer is {status}, and redirects are not followed"));
        }
        if status != StatusCode::OK {
            return Err(format!("it answers {status}"));
        }
        let lifetime = lifetime(response.headers());
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body = body.map_err(|error| format!("cannot read the answer: {error}"))?;
        let (keys, wrong) = keys::read_set(&body.to_bytes())?;
        for words in wrong.iter().take(TOLD) {
            warn!("{}: {words}", self.remote);
        }
        Ok((keys, lifetime))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The maximum size of an answer, in bytes. Large providers have 5 to 30 KiB.
const LARGEST: usize = 256 << 10;
/// Keys that a warning names one by one.
const TOLD: usize = 10;

#[cfg(test)]
mod tests;
