//! Lookups: answers are cached, each key has one lookup at a time, and the number of lookups is limited.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::Context;
use endpoint::provider::{Answer, Asks, Found, Provider, Query};
use tokio::sync::{OnceCell, Semaphore};
use tracing::debug;

use super::answers::{Answers, Digest, digest};
use crate::patience::timeout;

/// A provider, and its answers that are cached.
pub(super) struct Lookup {
    pub(super) provider: Box<dyn Provider>,
    pub(super) limits: Limits,
    turns: Semaphore,
    state: Mutex<State>,
    counters: Counters,
}

/// The limits of lookups.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The configured lifetime of cached answers.
    pub(super) cache: Option<Duration>,
    /// The same of an answer that there is no route.
    pub(super) negative: Duration,
    /// The time limit for one lookup, including its wait for others.
    pub(super) timeout: Duration,
    /// Lookups at once.
    pub(super) most: usize,
}

type Asked = Result<Answer, Arc<str>>;

#[derive(Default)]
struct State {
    answers: Answers,
    /// Lookups under way: no more than there are undecided offers.
    asking: HashMap<Digest, Arc<OnceCell<Asked>>>,
}

/// Counters of lookups, for the log.
#[derive(Default)]
struct Counters {
    asked: AtomicU64,
    cached: AtomicU64,
    shared: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

impl Lookup {
    pub(super) fn new(provider: Box<dyn Provider>, limits: Limits) -> Self {
        let turns = Semaphore::new(limits.most);
        Self { provider, limits, turns, state: Mutex::default(), counters: Counters::default() }
    }

    /// Returns where a client goes. Cancel safe: others that wait for the same lookup begin it anew.
    ///
    /// # Errors
    /// The provider can't be asked, or took too long; in words.
    pub(super) async fn find(&self, cx: &Context, query: &Query<'_>) -> Result<Found, Arc<str>> {
        let found = self.look(cx, query).await;
        match &found {
            Ok(Found::Destination(_)) => {}
            Ok(Found::Unknown | Found::Forbidden) => count(&self.counters.refused),
            Err(_) => count(&self.counters.failed),
        }
        let Counters { asked, cached, shared, refused, failed } = &self.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        debug!(
            asked = read(asked),
            cached = read(cached),
            shared = read(shared),
            refused = read(refused),
            failed = read(failed),
            "looked up"
        );
        found
    }

    async fn look(&self, cx: &Context, query: &Query<'_>) -> Result<Found, Arc<str>> {
        let asks = self.provider.asks();
        let key = match query.key {
            Some(key) if key.len() > LONGEST || key.contains(char::is_control) => {
                debug!("the key has more than {LONGEST} bytes, or control characters");
                return Ok(Found::Unknown);
            }
            Some(key) => key,
            None if asks == Asks::Key => return Ok(Found::Unknown),
            None => return self.ask(cx, query).await.map(|answer| answer.found),
        };
        let digest = digest(key);
        let known = self.lock().answers.known(&digest);
        if let Some(found) = known {
            count(&self.counters.cached);
            return Ok(found);
        }
        // Where other facts count, a client may get another client's answer only if the user sets `cache`.
        if asks == Asks::Facts && self.limits.cache.is_none_or(|cache| cache.is_zero()) {
            let answer = self.ask(cx, query).await?;
            self.keep(digest, &answer);
            return Ok(answer.found);
        }
        let flight = Flight::join(self, digest);
        let mut is_mine = false;
        let asked = flight
            .cell
            .get_or_init(|| {
                is_mine = true;
                async {
                    let asked = self.ask(cx, query).await;
                    if let Ok(answer) = &asked {
                        self.keep(digest, answer);
                    }
                    asked
                }
            })
            .await
            .clone();
        if !is_mine {
            count(&self.counters.shared);
        }
        asked.map(|answer| answer.found)
    }

    /// Asks the provider once, in turn and in time.
    async fn ask(&self, cx: &Context, query: &Query<'_>) -> Asked {
        count(&self.counters.asked);
        let asking = async {
            let _turn = self.turns.acquire().await.map_err(|error| error.to_string())?;
            self.provider.find(cx, query).await
        };
        let within = || format!("no answer within {} s", self.limits.timeout.as_secs_f64());
        let asked = timeout(self.limits.timeout, asking).await.unwrap_or_else(|| Err(within()));
        asked.map_err(Arc::from)
    }

    fn keep(&self, digest: Digest, answer: &Answer) {
        let base = self.limits.cache.unwrap_or_else(|| self.provider.lifetime());
        let is_route = matches!(answer.found, Found::Destination(_));
        // The operator's limit holds for the provider's lifetime, too: 0 has each client asked about.
        let most = self.limits.cache.map_or(LIFETIME, |cache| cache.min(LIFETIME));
        let own = answer.lifetime.map(|own| own.min(most));
        let lifetime = own.unwrap_or(match is_route {
            true => base,
            false => base.min(self.limits.negative),
        });
        if lifetime.is_zero() {
            return;
        }
        self.lock().answers.keep(digest, answer, lifetime);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One's part in a lookup that several clients may wait for.
struct Flight<'a> {
    lookup: &'a Lookup,
    digest: Digest,
    cell: Arc<OnceCell<Asked>>,
}

impl<'a> Flight<'a> {
    fn join(lookup: &'a Lookup, digest: Digest) -> Self {
        let cell = Arc::clone(lookup.lock().asking.entry(digest).or_default());
        Self { lookup, digest, cell }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut state = self.lookup.lock();
        let is_this = state.asking.get(&self.digest).is_some_and(|it| Arc::ptr_eq(it, &self.cell));
        // The map and this one hold it: no other client waits.
        if is_this && (self.cell.initialized() || Arc::strong_count(&self.cell) <= 2) {
            state.asking.remove(&self.digest);
        }
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup").field("provider", &self.provider).finish_non_exhaustive()
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The maximum length of a key, in bytes: longer than any signed token.
const LONGEST: usize = 16 << 10;
/// The longest lifetime of an answer, even if the provider gives a longer one.
const LIFETIME: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use async_trait::async_trait;
    use endpoint::Info;
    use endpoint::provider::{Destination, Expiry};
    use tokio::sync::Notify;
    use tokio::time::Instant;

    use super::super::answers::MOST;
    use super::*;

    /// Answers once it is told to, and counts.
    #[derive(Clone, Debug, Default)]
    struct Slow {
        asked: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
        /// Each lookup under way has a clone.
        now: Arc<()>,
        go: Arc<Notify>,
        expiry: Expiry,
        by_facts: bool,
    }

    #[async_trait]
    impl Provider for Slow {
        async fn find(&self, _: &Context, query: &Query<'_>) -> Result<Answer, String> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let _now = Arc::clone(&self.now);
            // The test and the provider have one each.
            self.most.fetch_max(Arc::strong_count(&self.now) - 2, Ordering::SeqCst);
            let key = query.key.unwrap_or_default();
            if key.starts_with("slow") {
                self.go.notified().await;
            }
            match key {
                "down" => Err("it is down".to_owned()),
                "none" => Ok(Answer::new(Found::Unknown)),
                _ => Ok(Answer::new(Found::Destination(Destination::new(key)))
                    .until(self.expiry.clone())),
            }
        }

        fn asks(&self) -> Asks {
            if self.by_facts { Asks::Facts } else { Asks::Key }
        }

        fn lifetime(&self) -> Duration {
            Duration::from_secs(10)
        }
    }

    fn lookup(provider: &Slow) -> Arc<Lookup> {
        let limits = Limits {
            cache: None,
            negative: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            most: 2,
        };
        Arc::new(Lookup::new(Box::new(provider.clone()), limits))
    }

    async fn find(lookup: &Lookup, key: &str) -> Result<Found, Arc<str>> {
        let info = Info::new();
        lookup.find(&Context::new(), &Query { key: Some(key), info: &info }).await
    }

    fn there(key: &str) -> Result<Found, Arc<str>> {
        Ok(Found::Destination(Destination::new(key)))
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_used_again_for_its_time() {
        let provider = Slow::default();
        let lookup = lookup(&provider);
        for _ in 0..3 {
            assert_eq!(find(&lookup, "a").await, there("a"));
            assert_eq!(find(&lookup, "none").await, Ok(Found::Unknown));
        }
        assert_eq!(provider.asked.load(Ordering::SeqCst), 2);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(find(&lookup, "none").await, Ok(Found::Unknown));
        assert_eq!(find(&lookup, "a").await, there("a"));
        assert_eq!(provider.asked.load(Ordering::SeqCst), 3, "a refusal is for a moment");
        provider.expiry.expire();
        assert_eq!(find(&lookup, "a").await, there("a"));
        assert_eq!(provider.asked.load(Ordering::SeqCst), 4, "the provider ended it");
        assert!(find(&lookup, "down").await.is_err() && find(&lookup, "down").await.is_err());
        assert_eq!(provider.asked.load(Ordering::SeqCst), 6, "a failure is no answer");
    }

    #[tokio::test(start_paused = true)]
    async fn clients_of_a_key_wait_for_one_lookup_and_take_it_over() {
        let provider = Slow::default();
        let lookup = lookup(&provider);
        let spawn = || {
            let lookup = Arc::clone(&lookup);
            tokio::spawn(async move { find(&lookup, "slow").await })
        };
        let first = spawn();
        tokio::task::yield_now().await;
        let others: Vec<_> = (0..50).map(|_| spawn()).collect();
        tokio::task::yield_now().await;
        assert_eq!(provider.asked.load(Ordering::SeqCst), 1);
        first.abort();
        let _ = first.await;
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        provider.go.notify_one();
        for other in others {
            assert_eq!(other.await.unwrap(), there("slow"));
        }
        assert_eq!(provider.asked.load(Ordering::SeqCst), 2, "one of them went on");
        assert!(lookup.lock().asking.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_are_asked_at_once_and_none_for_ever() {
        let provider = Slow::default();
        let lookup = lookup(&provider);
        let all: Vec<_> = (0..10)
            .map(|number| {
                let lookup = Arc::clone(&lookup);
                tokio::spawn(async move { find(&lookup, &format!("slow{number}")).await })
            })
            .collect();
        for one in all {
            let error = one.await.unwrap().unwrap_err();
            assert_eq!(&*error, "no answer within 5 s");
        }
        assert_eq!(provider.most.load(Ordering::SeqCst), 2);
        assert!(lookup.lock().asking.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_are_none_are_not_asked_for() {
        let provider = Slow::default();
        let lookup = lookup(&provider);
        for key in ["a\0b", "a\nb", &"x".repeat(1 << 20)] {
            assert_eq!(find(&lookup, key).await, Ok(Found::Unknown));
        }
        let info = Info::new();
        let query = Query { key: None, info: &info };
        assert_eq!(lookup.find(&Context::new(), &query).await, Ok(Found::Unknown));
        assert_eq!(provider.asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_fill_no_memory_and_drive_out_no_route() {
        let provider = Slow::default();
        let lookup = lookup(&provider);
        find(&lookup, "a").await.unwrap();
        for number in 0..2 * MOST {
            lookup.keep(digest(&number.to_string()), &Answer::new(Found::Unknown));
        }
        assert_eq!(lookup.lock().answers.refusals(), MOST);
        find(&lookup, "a").await.unwrap();
        assert_eq!(provider.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_differ_in_more_than_the_key_share_nothing() {
        let provider = Slow { by_facts: true, ..Slow::default() };
        let lookup = lookup(&provider);
        let spawn = || {
            let lookup = Arc::clone(&lookup);
            tokio::spawn(async move { find(&lookup, "slow").await })
        };
        let two = [spawn(), spawn()];
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        assert_eq!(provider.asked.load(Ordering::SeqCst), 2);
        for one in two {
            provider.go.notify_one();
            tokio::task::yield_now().await;
            one.abort();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_provider_has_an_answer_kept_for_longer_than_the_operator_says() {
        let answer = Answer::new(Found::Destination(Destination::new("a")));
        let answer = answer.living(Some(Duration::from_secs(60)));
        let digest: Digest = [0; 32];
        for (cache, kept) in [(None, 60), (Some(0), 0), (Some(5), 5), (Some(600), 60)] {
            let mut lookup = Lookup::new(
                Box::new(Slow::default()),
                Limits {
                    cache: None,
                    negative: Duration::from_secs(1),
                    timeout: Duration::from_secs(5),
                    most: 2,
                },
            );
            lookup.limits.cache = cache.map(Duration::from_secs);
            lookup.keep(digest, &answer);
            let until = lookup.lock().answers.until(&digest);
            let expected = (kept > 0).then(|| Instant::now() + Duration::from_secs(kept));
            assert_eq!(until, expected, "{cache:?}");
        }
    }
}
