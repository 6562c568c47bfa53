//! Questions and answers: how long each takes, with one under way on every connection.

use std::time::{Duration, Instant};

use super::end::{Heed, Lane, PATIENCE};
use super::poller::Poller;
use super::wire::Block;
use crate::Failure;

/// The round trips that were made.
#[derive(Debug)]
pub(crate) struct Trips {
    /// The time of each, the shortest first.
    pub(crate) took: Vec<Duration>,
}

impl Trips {
    /// The time that `part` of them (0 to 1) have not exceeded.
    pub(crate) fn quantile(&self, part: f64) -> Duration {
        let last = self.took.len().saturating_sub(1);
        let at = (part * last as f64).round() as usize;
        self.took.get(at).copied().unwrap_or_default()
    }
}

/// On each connection the client sends a message of `size` bytes, the destination sends it back, and so on for
/// `time`. This thread never sleeps, so that its own waking up is in no figure.
pub(crate) fn trips(lanes: &mut [Lane], size: usize, time: Duration) -> Result<Trips, Failure> {
    let mut poller = Poller::new()?;
    for (number, lane) in lanes.iter().enumerate() {
        poller.add(&lane.near.socket, 2 * number)?;
        poller.add(&lane.far.socket, 2 * number + 1)?;
    }
    let Some(first) = lanes.first() else { return Ok(Trips { took: Vec::new() }) };
    let question = Block::one(first.near.framing, size);
    let answer = Block::one(first.far.framing, size);
    let (mut took, mut buffer) = (Vec::new(), [0; 4096]);
    let mut waits = Vec::new();
    for lane in &mut *lanes {
        waits.push(Wait { since: Instant::now(), there: 0, back: 0 });
        lane.near.send_all(&question.bytes)?;
    }
    let (start, mut asking, mut moved) = (Instant::now(), lanes.len(), Instant::now());
    while asking > 0 {
        for number in poller.wait(Duration::ZERO)? {
            moved = Instant::now();
            let (lane, wait) = (&mut lanes[number / 2], &mut waits[number / 2]);
            if number % 2 == 1 {
                wait.there += lane.far.receive(&mut buffer, Heed::Count)?;
                if wait.there >= size as u64 {
                    wait.there = 0;
                    lane.far.send_all(&answer.bytes)?;
                }
                continue;
            }
            wait.back += lane.near.receive(&mut buffer, Heed::Count)?;
            if wait.back >= size as u64 {
                wait.back = 0;
                took.push(moved - wait.since);
                if moved - start < time {
                    wait.since = Instant::now();
                    lane.near.send_all(&question.bytes)?;
                } else {
                    asking -= 1;
                }
            }
        }
        if moved.elapsed() > PATIENCE {
            return Err(format!("{asking} questions have had no answer"));
        }
    }
    took.sort_unstable();
    Ok(Trips { took })
}

struct Wait {
    since: Instant,
    /// Bytes of the question that have arrived.
    there: u64,
    /// Bytes of the answer that have.
    back: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_places_in_the_order() {
        let took = (0..=100).map(Duration::from_millis).collect();
        let trips = Trips { took };
        assert_eq!(trips.quantile(0.5), Duration::from_millis(50));
        assert_eq!(trips.quantile(0.99), Duration::from_millis(99));
        assert_eq!(Trips { took: Vec::new() }.quantile(0.5), Duration::ZERO);
    }
}
