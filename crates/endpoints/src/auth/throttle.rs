//! Failed attempts to sign in, and what they cost further attempts.
//!
//! 1. A network that fails for one name has to wait before it may try that name again, and one that fails for many
//!    names before it may try any. The time doubles with each failure.
//! 2. A name that fails from many networks is never refused, because anyone who knows it could keep its user out. It costs
//!    every attempt a fixed time, except from networks where its user has signed in before.
//!
//! OpenSSH's `PerSourcePenalties`, Dovecot's penalties and fail2ban count by address alone, so guesses from many
//! addresses cost nothing there; a lock of the account, as PAM's `pam_faillock` has it, keeps the user out.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::{Info, Network, Refusal, RefusalKind};
use ring::digest::{SHA256, digest};
use tokio::time::Instant;
use tracing::warn;

/// The clients that have failed recently. Bounded: of each sort beyond [`MOST`], the one that failed longest ago is
/// forgotten.
#[derive(Default)]
pub(super) struct Throttle(Mutex<Failures>);

#[derive(Default)]
struct Failures {
    networks: HashMap<Network, Failed>,
    /// A name from one network, or from clients whose network isn't known.
    pairs: HashMap<Pair, Failed>,
    users: HashMap<Stamp, Failed>,
    /// The times at which users have signed in from a network.
    known: HashMap<Pair, Instant>,
}

type Pair = (Option<Network>, Stamp);
/// A digest of a name: a client chooses how long a name is.
type Stamp = [u8; 32];

#[derive(Clone, Copy)]
struct Failed {
    times: u32,
    last: Instant,
}

/// An attempt that isn't refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) standing: Standing,
    /// The time to wait first.
    pub(super) delay: Duration,
}

/// Those who wait for each other: guesses delay nobody of another standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The user has signed in from this network before.
    Known,
    /// The network hasn't failed.
    New,
    /// The network has failed with some name.
    Failed,
}

impl Throttle {
    /// Refuses a client that has failed too often; `user` is the name that it gives, if it gives
    /// one.
    ///
    /// # Errors
    /// When another attempt is looked at.
    pub(super) fn check(&self, info: &Info, user: Option<&str>) -> Result<Attempt, Refusal> {
        let network = info.client_network();
        let pair = user.map(|user| (network, stamp(user)));
        let failures = self.lock();
        let of_network = network.and_then(|network| failures.networks.get(&network));
        let of_pair = pair.and_then(|pair| failures.pairs.get(&pair));
        let waits = [of_network.map(|it| it.wait(FREE_NAMES)), of_pair.map(|it| it.wait(FREE))];
        if let Some(wait) = waits.into_iter().flatten().max().filter(|wait| !wait.is_zero()) {
            let refusal = Refusal::new(RefusalKind::Throttled, "").with_retry_after(wait);
            let seconds = refusal.retry_seconds().unwrap_or_default();
            let message = format!("too many failed attempts to sign in; try again in {seconds} s");
            return Err(Refusal { message, ..refusal });
        }
        let is_recent = |failed: &&Failed| failed.last.elapsed() < FORGOTTEN;
        let known = pair.and_then(|pair| failures.known.get(&pair));
        let standing = if known.is_some_and(|since| since.elapsed() < KNOWN) {
            Standing::Known
        } else if of_network.or(of_pair).filter(is_recent).is_some() {
            Standing::Failed
        } else {
            Standing::New
        };
        let guessed = pair.and_then(|(_, user)| failures.users.get(&user)).filter(is_recent);
        let is_guessed = guessed.is_some_and(|user| user.times >= FREE_ANYWHERE);
        let is_delayed = is_guessed && standing != Standing::Known;
        Ok(Attempt { standing, delay: if is_delayed { DELAY } else { Duration::ZERO } })
    }

    /// Notes a failure, in the log too.
    pub(super) fn failed(&self, info: &Info, user: Option<&str>) {
        let network = info.client_network();
        let mut failures = self.lock();
        if let Some(network) = network {
            note(&mut failures.networks, network);
        }
        if let Some(user) = user.map(stamp) {
            note(&mut failures.pairs, (network, user));
            note(&mut failures.users, user);
        }
        drop(failures);
        let user = user.map(shown);
        warn!(user, peer = info.peer(), "signing in has failed");
    }

    /// Forgets the failures of a user in a network where the user has signed in. Those from elsewhere stay.
    pub(super) fn succeeded(&self, info: &Info, user: &str) {
        let pair = (info.client_network(), stamp(user));
        let mut failures = self.lock();
        failures.pairs.remove(&pair);
        failures.known.insert(pair, Instant::now());
        bound(&mut failures.known, |since| *since);
    }

    fn lock(&self) -> MutexGuard<'_, Failures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    bound(failures, |failed| failed.last);
}

/// Drops the oldest of too many.
fn bound<K: Eq + Hash + Clone, V>(map: &mut HashMap<K, V>, at: impl Fn(&V) -> Instant) {
    if map.len() > MOST
        && let Some(oldest) = map.iter().min_by_key(|(_, value)| at(value))
    {
        let oldest = oldest.0.clone();
        map.remove(&oldest);
    }
}

impl Failed {
    /// Returns the delay of the next attempt: none for the first `free`, then twice as long each time.
    fn wait(&self, free: u32) -> Duration {
        if self.times < free {
            return Duration::ZERO;
        }
        let wait = Duration::from_secs(1 << (self.times - free).min(8));
        wait.min(FORGOTTEN).saturating_sub(self.last.elapsed())
    }
}

/// Failures of one name that have no consequence: a person mistypes.
const FREE: u32 = 5;
/// The same of all names of a network: an office has one address.
const FREE_NAMES: u32 = 20;
/// The same of one name, from all networks together.
const FREE_ANYWHERE: u32 = 20;
/// The delay of an attempt with a name that others guess at. Attempts that wait hold a place of their network each, so
/// no client gains by making many at once.
const DELAY: Duration = Duration::from_secs(2);
const FORGOTTEN: Duration = Duration::from_secs(300);
/// The time for which a user is known in a network.
const KNOWN: Duration = Duration::from_secs(7 * 24 * 3600);
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
        assert!(words.ends_with("try again in 1 s"), "{words}");
        assert!(throttle.check(&info, Some("bob")).is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(throttle.check(&info, Some("ada")).is_ok());
        throttle.failed(&info, Some("ada"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(throttle.check(&info, Some("ada")).is_err());
        throttle.succeeded(&info, "ada");
        assert!(throttle.check(&info, Some("ada")).is_ok());
    }

    fn behind(address: &str) -> Info {
        let mut proxied = Proxied::by(Some("127.0.0.1".to_owned()));
        proxied.client = Some(address.parse().expect("an address"));
        let at = "127.0.0.1:9".parse().expect("an address");
        Info::new().with(endpoint::info::Tcp { local: at, peer: at }).with(proxied)
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxys_other_clients_do_not_pay() {
        let throttle = Throttle::default();
        for name in 0..FREE_NAMES {
            throttle.failed(&behind("192.0.2.1"), Some(&name.to_string()));
        }
        assert!(throttle.check(&behind("192.0.2.2"), None).is_err(), "it is in the same network");
        assert!(throttle.check(&behind("198.51.100.1"), None).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_neighbour_with_a_wrong_password_does_not_keep_others_out() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            throttle.failed(&behind("192.0.2.1"), Some("ada"));
        }
        assert!(throttle.check(&behind("192.0.2.1"), Some("ada")).is_err());
        let bob = throttle.check(&behind("192.0.2.2"), Some("bob")).expect("it is another name");
        assert_eq!(bob.standing, Standing::Failed);
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_from_everywhere_refuse_no_user_and_delay_none_at_a_known_place() {
        let (throttle, home) = (Throttle::default(), behind("203.0.113.1"));
        throttle.succeeded(&home, "ada");
        for network in 0..200_u8 {
            for _ in 0..FREE {
                throttle.failed(&behind(&format!("10.0.{network}.1")), Some("ada"));
            }
        }
        let known = Attempt { standing: Standing::Known, delay: Duration::ZERO };
        assert_eq!(throttle.check(&home, Some("ada")), Ok(known));
        let new = Attempt { standing: Standing::New, delay: DELAY };
        let elsewhere = behind("198.51.100.1");
        assert_eq!(throttle.check(&elsewhere, Some("ada")), Ok(new));
        let other = Attempt { standing: Standing::New, delay: Duration::ZERO };
        assert_eq!(throttle.check(&elsewhere, Some("bob")), Ok(other));
        // Its success at home ends nothing for the others.
        throttle.succeeded(&home, "ada");
        assert_eq!(throttle.check(&elsewhere, Some("ada")), Ok(new));
        assert!(throttle.check(&behind("10.0.0.9"), Some("ada")).is_err());
        tokio::time::advance(FORGOTTEN).await;
        assert_eq!(throttle.check(&elsewhere, Some("ada")), Ok(other));
    }

    #[tokio::test(start_paused = true)]
    async fn names_that_are_made_up_fill_no_memory() {
        let throttle = Throttle::default();
        for number in 0..MOST + 100 {
            throttle.failed(&Info::new(), Some(&number.to_string()));
            throttle.succeeded(&Info::new(), &number.to_string());
        }
        for number in 0..MOST + 100 {
            throttle.failed(&Info::new(), Some(&number.to_string()));
        }
        let failures = throttle.lock();
        let lengths = [failures.users.len(), failures.pairs.len(), failures.known.len()];
        assert_eq!(lengths, [MOST; 3]);
    }

    #[test]
    fn a_name_is_logged_up_to_a_length() {
        assert_eq!(shown("ada"), "ada");
        assert_eq!(shown(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
        assert_eq!(shown(&"é".repeat(10_000)), format!("{}…", "é".repeat(SHOWN)));
    }
}
