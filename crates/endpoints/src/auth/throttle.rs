//! Failed attempts to sign in, counted by the peer's network and by the user's name.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use endpoint::{Info, Network, Refusal, RefusalKind};
use ring::digest::{SHA256, digest};
use tokio::time::Instant;
use tracing::warn;

/// The clients that have failed recently. Bounded: beyond [`MOST`], the one that failed longest ago is forgotten.
#[derive(Default)]
pub(super) struct Throttle(Mutex<Failures>);

#[derive(Default)]
struct Failures {
    networks: HashMap<Network, Failed>,
    /// By digests: a client chooses how long a name is.
    users: HashMap<Stamp, Failed>,
}

type Stamp = [u8; 32];

#[derive(Clone, Copy)]
struct Failed {
    times: u32,
    last: Instant,
}

impl Throttle {
    /// Refuses a client that has failed too often; `user` is the name that it gives, if it gives
    /// one.
    ///
    /// # Errors
    /// When another attempt is looked at.
    pub(super) fn check(&self, info: &Info, user: Option<&str>) -> Result<(), Refusal> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let network = info.client_network().and_then(|network| failures.networks.get(&network));
        let wait = [network, user.and_then(|user| failures.users.get(&stamp(user)))]
            .into_iter()
            .flatten()
            .map(Failed::wait)
            .max();
        match wait {
            Some(wait) if !wait.is_zero() => {
                let seconds = wait.as_secs() + 1;
                let words =
                    format!("too many failed attempts to sign in; try again in {seconds} s");
                Err(Refusal::new(RefusalKind::Busy, words))
            }
            _ => Ok(()),
        }
    }

    /// Notes a failure, in the log too.
    pub(super) fn failed(&self, info: &Info, user: Option<&str>) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = info.client_network() {
            note(&mut failures.networks, network);
        }
        if let Some(user) = user {
            note(&mut failures.users, stamp(user));
        }
        let user = user.map(shown);
        warn!(user, peer = info.peer(), "signing in has failed");
    }

    /// Forgets the failures of a user who has signed in.
    pub(super) fn succeeded(&self, user: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).users.remove(&stamp(user));
    }
}

fn stamp(user: &str) -> Stamp {
    digest(&SHA256, user.as_bytes()).as_ref().try_into().expect("it has 32 bytes")
}

/// A name for the log, cut.
fn shown(user: &str) -> String {
    match user.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &user[..at]),
        None => user.to_owned(),
    }
}

fn note<K: Eq + Hash + Clone>(failures: &mut HashMap<K, Failed>, key: K) {
    let now = Instant::now();
    let known = failures.entry(key).or_insert(Failed { times: 0, last: now });
    if known.last.elapsed() > FORGOTTEN {
        known.times = 0;
    }
    (known.times, known.last) = (known.times.saturating_add(1), now);
    if failures.len() > MOST
        && let Some(oldest) = failures.iter().min_by_key(|(_, failed)| failed.last)
    {
        let oldest = oldest.0.clone();
        failures.remove(&oldest);
    }
}

impl Failed {
    /// Returns the delay of the next attempt: none for the first [`FREE`], then twice as long each time.
    fn wait(&self) -> Duration {
        if self.times < FREE {
            return Duration::ZERO;
        }
        let wait = Duration::from_secs(1 << (self.times - FREE).min(8));
        wait.min(FORGOTTEN).saturating_sub(self.last.elapsed())
    }
}

/// Failures that have no consequence: a person mistypes.
const FREE: u32 = 5;
const FORGOTTEN: Duration = Duration::from_secs(300);
const MOST: usize = 4096;
/// Characters of a name that are logged.
const SHOWN: usize = 100;

#[cfg(test)]
mod tests {
    use endpoint::info::Proxied;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_fails_often_waits_longer_and_longer() {
        let (throttle, info) = (Throttle::default(), Info::new());
        for _ in 0..FREE {
            assert!(throttle.check(&info, Some("ada")).is_ok());
            throttle.failed(&info, Some("ada"));
        }
        let words = throttle.check(&info, Some("ada")).expect_err("it is too often").message;
        assert!(words.ends_with("try again in 2 s"), "{words}");
        assert!(throttle.check(&info, Some("bob")).is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(throttle.check(&info, Some("ada")).is_ok());
        throttle.failed(&info, Some("ada"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(throttle.check(&info, Some("ada")).is_err());
        throttle.succeeded("ada");
        assert!(throttle.check(&info, Some("ada")).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxys_other_clients_do_not_pay() {
        let behind = |address: &str| {
            let mut proxied = Proxied::by(Some("127.0.0.1".to_owned()));
            proxied.client = Some(address.parse().expect("an address"));
            let at = "127.0.0.1:9".parse().expect("an address");
            Info::new().with(endpoint::info::Tcp { local: at, peer: at }).with(proxied)
        };
        let throttle = Throttle::default();
        for name in 0..FREE {
            throttle.failed(&behind("192.0.2.1"), Some(&name.to_string()));
        }
        assert!(throttle.check(&behind("192.0.2.2"), None).is_err(), "it is in the same network");
        assert!(throttle.check(&behind("198.51.100.1"), None).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn names_that_are_made_up_fill_no_memory() {
        let throttle = Throttle::default();
        for number in 0..MOST + 100 {
            throttle.failed(&Info::new(), Some(&number.to_string()));
        }
        assert_eq!(throttle.0.lock().expect("no panic").users.len(), MOST);
    }

    #[test]
    fn a_name_is_logged_up_to_a_length() {
        assert_eq!(shown("ada"), "ada");
        assert_eq!(shown(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
        assert_eq!(shown(&"é".repeat(10_000)), format!("{}…", "é".repeat(SHOWN)));
    }
}
