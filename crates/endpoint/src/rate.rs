//! The rate at which the clients of one network may begin sessions.
//!
//! Each network has a token bucket, stored as the time at which it is full again (the virtual scheduling of GCRA,
//! ITU-T I.371). A network with a full bucket needs no entry, so the table contains only networks with recent
//! sessions. The crate `governor` does the same, but its table grows until all of it is swept.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::Network;

/// A rate with a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The time in which one more is allowed.
    interval: Duration,
    burst: u32,
}

impl Rate {
    /// Parses `10/s`, `30/m` or `100/h`; the burst is the same number.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (count, unit) = text.split_once('/')?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        let is_plain = count.bytes().all(|byte| byte.is_ascii_digit());
        let count = count.parse().ok().filter(|count| is_plain && (1..=MOST).contains(count))?;
        Some(Self { interval: Duration::from_secs(unit) / count, burst: count })
    }

    /// Sets the burst, at least one.
    #[must_use]
    pub fn with_burst(self, burst: u32) -> Self {
        Self { burst: burst.clamp(1, MOST), ..self }
    }
}

/// The networks that began sessions lately. Bounded: beyond [`NETWORKS`], the one that has the least left to wait is
/// forgotten, and has a full bucket again.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: Rate,
    /// The time at which each network's bucket is full again.
    full: HashMap<Network, Instant>,
    /// The same, in their order.
    order: BTreeSet<(Instant, Network)>,
}

impl Pace {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, full: HashMap::new(), order: BTreeSet::new() }
    }

    /// Counts one more of `network`. One that is over the rate isn't counted; returns the time after which another is
    /// allowed.
    pub(crate) fn take(&mut self, network: Network) -> Result<(), Duration> {
        let now = Instant::now();
        while let Some(&(full, other)) = self.order.first()
            && full <= now
        {
            self.forget(full, other);
        }
        let known = self.full.get(&network).copied();
        let full = known.unwrap_or(now) + self.rate.interval;
        let most = now + self.rate.interval * self.rate.burst;
        if full > most {
            return Err(full - most);
        }
        match known {
            Some(known) => self.forget(known, network),
            None if self.full.len() >= NETWORKS => {
                if let Some(&(full, other)) = self.order.first() {
                    self.forget(full, other);
                }
            }
            None => {}
        }
        self.full.insert(network, full);
        self.order.insert((full, network));
        Ok(())
    }

    fn forget(&mut self, full: Instant, network: Network) {
        self.order.remove(&(full, network));
        self.full.remove(&network);
    }
}

/// The maximum of a rate and of a burst.
const MOST: u32 = 1_000_000;
/// 16,384 networks, in 2 MB at most.
const NETWORKS: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn pace(text: &str) -> Pace {
        Pace::new(Rate::read(text).expect("a rate"))
    }

    fn network(n: u64) -> Network {
        Network::V6(n.to_be_bytes())
    }

    #[test]
    fn rates_are_counts_of_a_unit() {
        for text in ["10/s", "1/m", "1000000/h"] {
            assert!(Rate::read(text).is_some(), "{text}");
        }
        for text in ["", "10", "/s", "0/s", "-1/s", "+1/s", "1.5/s", "10/d", "10/ s", "1000001/s"] {
            assert_eq!(Rate::read(text), None, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_fills_again() {
        let mut pace = pace("10/s");
        for _ in 0..10 {
            assert_eq!(pace.take(network(1)), Ok(()));
        }
        let tenth = Duration::from_millis(100);
        assert_eq!(pace.take(network(1)), Err(tenth));
        assert_eq!(pace.take(network(2)), Ok(()), "another network is not affected");
        advance(tenth * 2).await;
        assert_eq!(pace.take(network(1)), Ok(()));
        assert_eq!(pace.take(network(1)), Ok(()));
        assert_eq!(pace.take(network(1)), Err(tenth), "those over the rate did not count");
        advance(tenth * 100).await;
        let taken = (0..100).filter(|_| pace.take(network(1)).is_ok()).count();
        assert_eq!(taken, 10, "no more than the burst, however long it was quiet");
    }

    #[tokio::test(start_paused = true)]
    async fn the_burst_is_apart_from_the_rate() {
        let rate = Rate::read("60/m").expect("a rate").with_burst(2);
        let mut pace = Pace::new(rate);
        let taken = |pace: &mut Pace| (0..10).filter(|_| pace.take(network(1)).is_ok()).count();
        assert_eq!(taken(&mut pace), 2);
        advance(Duration::from_secs(1)).await;
        assert_eq!(taken(&mut pace), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn networks_without_end_fill_no_memory() {
        let mut pace = pace("1/h");
        for n in 0..NETWORKS as u64 + 100 {
            assert_eq!(pace.take(network(n)), Ok(()));
            advance(Duration::from_millis(1)).await;
        }
        assert_eq!((pace.full.len(), pace.order.len()), (NETWORKS, NETWORKS));
        assert_eq!(pace.take(network(0)), Ok(()), "the first was forgotten");
        assert!(pace.take(network(NETWORKS as u64)).is_err());
        advance(Duration::from_secs(7200)).await;
        assert_eq!(pace.take(network(1)), Ok(()));
        assert_eq!((pace.full.len(), pace.order.len()), (1, 1), "nothing stays");
    }
}
