//! The cache of a provider's answers.
//!
//! Keys may be secrets, and clients choose their length, so only digests are kept.

use std::collections::HashMap;
use std::time::Duration;

use endpoint::provider::{Answer, Expiry, Found};
use ring::digest::SHA256;
use tokio::time::Instant;

/// The digest of a key.
pub(super) type Digest = [u8; 32];

/// Returns the digest of a key.
pub(super) fn digest(key: &str) -> Digest {
    let digest = ring::digest::digest(&SHA256, key.as_bytes());
    digest.as_ref().try_into().expect("it has 32 bytes")
}

/// The answers that may be given again.
#[derive(Default)]
pub(super) struct Answers {
    /// Destinations.
    routes: HashMap<Digest, Known>,
    /// Refusals have a separate cache, so that guesses of keys evict no route.
    refusals: HashMap<Digest, Known>,
}

struct Known {
    answer: Answer,
    until: Instant,
}

impl Answers {
    /// Returns the answer for a key, if its time isn't over.
    pub(super) fn known(&mut self, digest: &Digest) -> Option<Found> {
        let now = Instant::now();
        let Self { routes, refusals } = self;
        [routes, refusals].into_iter().find_map(|map| {
            let known = map.get(digest)?;
            if known.is_good(now) {
                return Some(known.answer.found.clone());
            }
            map.remove(digest);
            None
        })
    }

    /// Keeps an answer for this long. If there are too many of its sort, the one that would end first gives way.
    pub(super) fn keep(&mut self, digest: Digest, answer: &Answer, lifetime: Duration) {
        let now = Instant::now();
        let is_route = matches!(answer.found, Found::Destination(_));
        let map = if is_route { &mut self.routes } else { &mut self.refusals };
        if map.len() >= MOST {
            map.retain(|_, known| known.is_good(now));
        }
        if map.len() >= MOST
            && let Some(first) =
                map.iter().min_by_key(|(_, known)| known.until).map(|(digest, _)| *digest)
        {
            map.remove(&first);
        }
        let until = now + lifetime.min(FOR_EVER);
        map.insert(digest, Known { answer: answer.clone(), until });
    }

    #[cfg(test)]
    pub(super) fn refusals(&self) -> usize {
        self.refusals.len()
    }

    #[cfg(test)]
    pub(super) fn until(&self, digest: &Digest) -> Option<Instant> {
        self.routes.get(digest).map(|known| known.until)
    }
}

impl Known {
    fn is_good(&self, now: Instant) -> bool {
        now < self.until && !self.answer.expiry.as_ref().is_some_and(Expiry::is_over)
    }
}

/// Answers of a sort that are kept: some hundred bytes each.
pub(super) const MOST: usize = 4096;
/// The longest time that is added to a clock.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);
