//! Checks that a byte costs the same, however many sessions share the work.

use super::figures::Spread;
use super::load::stream::{Amount, Way, stream};
use super::load::wire::{Block, WRITE};
use super::subject::programs::{Mode, Program};
use crate::Failure;

/// Processor time a byte on `sessions`, as a ratio to that on one.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) subject: String,
    pub(crate) sessions: usize,
    pub(crate) ratio: Spread,
}

/// Opens more and more sessions; with every number, `bytes` go over all of them and over one of them in turn.
pub(crate) fn measure(
    program: &Program,
    steps: &[usize],
    rounds: usize,
    bytes: u64,
) -> Result<Vec<Point>, Failure> {
    let mut subject = program.start(Mode::Pinned)?;
    let block = Block::messages(subject.near.framing(), MESSAGE);
    let mut points = Vec::new();
    for &sessions in steps {
        let mut cost = |count: usize, each: u64| {
            let (moved, cpu) = subject.spent(|subject| {
                let lanes = subject.open_until(count)?;
                stream(lanes, Way::There, &block, Amount::Each(each), false)
            })?;
            Ok::<_, Failure>(cpu.as_secs_f64() / moved.payload as f64)
        };
        // The kernel lets a connection send more once it has seen it send.
        cost(sessions, 4 * WRITE as u64)?;
        let mut ratios = Vec::new();
        for _ in 0..rounds {
            let one = cost(1, bytes)?;
            ratios.push(cost(sessions, (bytes / sessions as u64).max(WRITE as u64))? / one);
        }
        let ratio = Spread::of(&ratios).ok_or("no rounds")?;
        points.push(Point { subject: program.name.to_owned(), sessions, ratio });
    }
    Ok(points)
}

/// A message of middling size; every write has four.
const MESSAGE: usize = 16 * 1024;
