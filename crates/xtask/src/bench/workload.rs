//! The workloads of the subjects in rounds, and the figures of each.

use std::thread;
use std::time::{Duration, Instant};

use ::tests::ws::Opcode;

use super::figures::{Metric, Sample};
use super::load::end::{End, Lane};
use super::load::stream::{Amount, Way, stream};
use super::load::trips::trips;
use super::load::wire::{Block, Framing, WRITE, masked};
use super::subject::Subject;
use super::subject::programs::{Program, Route};
use crate::Failure;

/// One thing to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Workload {
    /// As much as goes through, from the client, in messages of that size.
    There(usize),
    /// As much as goes through, from the destination.
    Back,
    /// Small messages, each of them answered, on so many connections at once.
    Trips(usize),
    /// Connections, let in and forwarded.
    Sessions,
}

impl Workload {
    pub(crate) const ALL: [Self; 8] = [
        Self::There(64 * 1024),
        Self::There(16 * 1024),
        Self::There(1024),
        Self::There(SMALL),
        Self::Back,
        Self::Trips(1),
        Self::Trips(100),
        Self::Sessions,
    ];

    /// Returns its name in the tables.
    pub(crate) fn name(self) -> String {
        match self {
            Self::There(size @ 1024..) => format!("there, {} KiB", size / 1024),
            Self::There(size) => format!("there, {size} B"),
            Self::Back => "back".to_owned(),
            Self::Trips(1) => "round trip, 1 session".to_owned(),
            Self::Trips(count) => format!("round trip, {count} sessions"),
            Self::Sessions => "session".to_owned(),
        }
    }

    /// Returns the metric whose ratio is the most meaningful.
    pub(crate) fn headline(self) -> Metric {
        match self {
            Self::There(_) | Self::Back => Metric::CpuPerGb,
            Self::Trips(_) | Self::Sessions => Metric::CpuEach,
        }
    }

    /// Returns `true` if it is meaningful for `program`. The size of messages is for those that see messages, and for
    /// the reference, for the ratios.
    pub(crate) fn is_for(self, program: &Program, reference: &str) -> bool {
        match self {
            Self::There(size) => {
                size == WRITE || program.route == Route::WsTcp || program.name == reference
            }
            Self::Back => true,
            Self::Trips(_) | Self::Sessions => {
                matches!(program.route, Route::WsTcp | Route::TcpTcp)
            }
        }
    }

    /// Does it once, for about `time`; `check` compares all content on the way.
    pub(crate) fn measure(
        self,
        subject: &mut Subject,
        forks: bool,
        time: Duration,
        check: bool,
    ) -> Result<Sample, Failure> {
        match self {
            Self::There(size) => moves(subject, Way::There, size, time, check),
            Self::Back => moves(subject, Way::Back, WRITE, time, check),
            Self::Trips(count) => asks(subject, count, time),
            Self::Sessions => opens(subject, forks, time),
        }
    }
}

fn moves(
    subject: &mut Subject,
    way: Way,
    size: usize,
    time: Duration,
    check: bool,
) -> Result<Sample, Failure> {
    let framing = match way {
        Way::There => subject.near.framing(),
        Way::Back => Framing::Plain,
    };
    let block = Block::messages(framing, size);
    stream(subject.open_until(1)?, way, &block, Amount::Lasting(time / 4), check)?;
    let (moved, cpu) = subject.spent(|subject| {
        stream(subject.open_until(1)?, way, &block, Amount::Lasting(time), false)
    })?;
    let bytes = moved.payload as f64;
    Ok(vec![
        (Metric::CpuPerGb, cpu.as_secs_f64() / bytes * 1e9),
        (Metric::CpuEach, cpu.as_secs_f64() / bytes * size as f64 * 1e6),
        (Metric::Rate, bytes / moved.wall.as_secs_f64() / 1e6),
    ])
}

fn asks(subject: &mut Subject, count: usize, time: Duration) -> Result<Sample, Failure> {
    trips(subject.open_until(count)?, SMALL, time / 4)?;
    let start = Instant::now();
    let (trips, cpu) = subject.spent(|subject| trips(subject.open_until(count)?, SMALL, time))?;
    let (made, micros) = (trips.took.len() as f64, |time: Duration| time.as_secs_f64() * 1e6);
    Ok(vec![
        (Metric::CpuEach, micros(cpu) / made),
        (Metric::Median, micros(trips.quantile(0.5))),
        (Metric::Tail, micros(trips.quantile(0.99))),
        (Metric::PerSecond, made / start.elapsed().as_secs_f64()),
    ])
}

/// Lets clients in, [`AT_ONCE`] at a time, and keeps them all until the processor time was read.
fn opens(subject: &mut Subject, forks: bool, time: Duration) -> Result<Sample, Failure> {
    let most = if forks { 64 } else { 2048 };
    end(open_for(subject, time / 4, AT_ONCE)?)?;
    let start = Instant::now();
    let (lanes, cpu) = subject.spent(|subject| open_for(subject, time, most))?;
    let (took, count) = (start.elapsed(), lanes.len() as f64);
    let ((), end) = subject.spent(|_| {
        end(lanes)?;
        // The subject sends the end before it has put everything away.
        thread::sleep(Duration::from_millis(20));
        Ok(())
    })?;
    Ok(vec![
        (Metric::CpuEach, cpu.as_secs_f64() * 1e6 / count),
        (Metric::CpuEnd, end.as_secs_f64() * 1e6 / count),
        (Metric::PerSecond, count / took.as_secs_f64()),
    ])
}

fn open_for(subject: &Subject, time: Duration, most: usize) -> Result<Vec<Lane>, Failure> {
    let (start, mut lanes) = (Instant::now(), Vec::new());
    while lanes.is_empty() || (start.elapsed() < time && lanes.len() < most) {
        let asking = (0..AT_ONCE).map(|_| subject.near.ask()).collect::<Result<Vec<_>, _>>()?;
        let far = (0..AT_ONCE).map(|_| subject.far.accept()).collect::<Result<Vec<_>, _>>()?;
        // A session without data works with any far end.
        for (asking, far) in asking.into_iter().zip(far) {
            lanes.push(Lane { near: asking.admitted()?, far });
        }
    }
    Ok(lanes)
}

/// Ends sessions as a client does that has had enough, and waits until both sides have seen it.
fn end(lanes: Vec<Lane>) -> Result<(), Failure> {
    let (mut near, far): (Vec<_>, Vec<_>) =
        lanes.into_iter().map(|lane| (lane.near, lane.far)).unzip();
    for client in &mut near {
        match client.framing {
            Framing::Masked => {
                client.send_all(&masked(Opcode::Close, true, &1000_u16.to_be_bytes()))?;
            }
            Framing::Plain => client.half_close()?,
        }
    }
    for destination in far {
        destination.wait_end()?;
    }
    near.iter().try_for_each(End::wait_end)
}

/// A keystroke, a sensor's reading.
const SMALL: usize = 64;

/// Clients that are let in at once.
const AT_ONCE: usize = 16;
