//! Whether a byte costs the same, however many sessions share the work.

use std::time::Duration;

use super::figures::Spread;
use super::load::stream::{Amount, Way, stream};
use super::load::wire::Block;
use super::subject::programs::{Mode, Program};
use crate::Failure;

/// Processor time a byte on `sessions`, as a ratio to that on one.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) subject: String,
    pub(crate) sessions: usize,
    pub(crate) ratio: Spread,
}

/// Opens more and more sessions; with every number, the load goes over all of them and over one of them in turn.
pub(crate) fn measure(
    program: &Program,
    steps: &[usize],
    rounds: usize,
    time: Duration,
) -> Result<Vec<Point>, Failure> {
    let mut subject = program.start(Mode::Pinned)?;
    let block = Block::messages(subject.near.framing(), MESSAGE);
    let mut points = Vec::new();
    for &sessions in steps {
        let mut cost = |count: usize, time: Duration| {
            let (moved, cpu) = subject.spent(|subject| {
                stream(subject.open_until(count)?, Way::There, &block, Amount::Lasting(time), false)
            })?;
            Ok::<_, Failure>(cpu.as_secs_f64() / moved.payload as f64)
        };
        // Every one has had its first byte.
        cost(sessions, time)?;
        let mut ratios = Vec::new();
        for _ in 0..rounds {
            let one = cost(1, time)?;
            ratios.push(cost(sessions, time)? / one);
        }
        let ratio = Spread::of(&ratios).ok_or("no rounds")?;
        points.push(Point { subject: program.name.to_owned(), sessions, ratio });
    }
    Ok(points)
}

/// A message of middling size; every write has four.
const MESSAGE: usize = 16 * 1024;
