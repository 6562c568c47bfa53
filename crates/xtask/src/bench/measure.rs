//! The measurements, each on a program that was started for it.

use std::thread;
use std::time::{Duration, Instant};

use super::end::End;
use super::subject::{Program, Route, Subject};

/// How much of everything.
#[derive(Debug)]
pub(crate) struct Sizes {
    bulk: u64,
    small: u64,
    rounds: u32,
    connections: u32,
    stalled: u64,
}

impl Sizes {
    pub(crate) const FULL: Self = Self {
        bulk: 4 << 30,
        small: 256 << 20,
        rounds: 2000,
        connections: 1000,
        stalled: 300 << 20,
    };
    pub(crate) const QUICK: Self =
        Self { bulk: 256 << 20, small: 16 << 20, rounds: 200, connections: 200, stalled: 64 << 20 };
}

/// One figure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
    /// Whether it says something as a ratio to another program's.
    pub(crate) compared: bool,
}

/// The figures of a program on a route.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) route: &'static str,
    pub(crate) program: &'static str,
    pub(crate) figures: Vec<Figure>,
}

/// A message when throughput is what counts.
const LARGE: usize = 64 * 1024;
/// A keystroke, a sensor's reading.
const SMALL: usize = 64;
/// How many ask and answer at once.
const ASKING: usize = 100;
/// Threads that do so; more would measure the scheduler.
const ASKING_THREADS: usize = 4;
/// More than any single buffer on the way.
const BURST: u64 = 256 * 1024;

/// Everything about one program on one route.
pub(crate) fn all(program: &Program, route: Route, sizes: &Sizes) -> Row {
    let start = || Subject::start(program, route);
    let mut figures = vec![
        figure("bulk there", "CPU s/GB", stream(&start(), sizes.bulk, LARGE, Way::There)),
        figure("bulk back", "CPU s/GB", stream(&start(), sizes.bulk, LARGE, Way::Back)),
        figure("64 B there", "CPU s/GB", stream(&start(), sizes.small, SMALL, Way::There)),
        figure("64 B back", "CPU s/GB", stream(&start(), sizes.small, SMALL, Way::Back)),
    ];
    figures.extend(round_trips(&start(), sizes.rounds));
    figures.extend(memory(&start(), sizes.connections));
    figures.push(alone("stalled there", "KiB", stalled(&start(), sizes.stalled, Way::There)));
    figures.push(alone("stalled back", "KiB", stalled(&start(), sizes.stalled, Way::Back)));
    Row { route: route.name(), program: program.name(), figures }
}

#[derive(Clone, Copy)]
enum Way {
    There,
    Back,
}

impl Way {
    /// Sender and receiver.
    fn of(self, (near, far): (End, End)) -> (End, End) {
        match self {
            Self::There => (near, far),
            Self::Back => (far, near),
        }
    }
}

/// Processor seconds for a GB in messages of one size.
fn stream(subject: &Subject, total: u64, message: usize, way: Way) -> f64 {
    let (mut sender, mut receiver) = way.of(subject.open());
    let before = subject.cpu();
    thread::scope(|scope| {
        scope.spawn(|| sender.send(total, message));
        receiver.receive(total);
    });
    // Read while both ends are open: a child that serves one connection is still there.
    let spent = subject.cpu().saturating_sub(before);
    spent.as_secs_f64() / (total as f64 / 1e9)
}

/// 100 connections that each ask and wait. Threads work on 25 in lock-step: ask on all, then hear all.
fn round_trips(subject: &Subject, rounds: u32) -> [Figure; 2] {
    let mut pairs: Vec<_> = (0..ASKING).map(|_| subject.open()).collect();
    let before = subject.cpu();
    let start = Instant::now();
    thread::scope(|scope| {
        for group in pairs.chunks_mut(ASKING / ASKING_THREADS) {
            let (mut near, mut far): (Vec<_>, Vec<_>) =
                group.iter_mut().map(|(near, far)| (near, far)).unzip();
            scope.spawn(move || {
                for _ in 0..rounds {
                    near.iter_mut().for_each(|end| end.send(SMALL as u64, SMALL));
                    near.iter_mut().for_each(|end| end.receive(SMALL as u64));
                }
            });
            scope.spawn(move || {
                for _ in 0..rounds {
                    for end in &mut far {
                        end.receive(SMALL as u64);
                        end.send(SMALL as u64, SMALL);
                    }
                }
            });
        }
    });
    let took = start.elapsed();
    let spent = subject.cpu().saturating_sub(before);
    let count = f64::from(rounds) * ASKING as f64;
    [
        alone("round trips", "1/s", count / took.as_secs_f64()),
        figure("a round trip", "CPU µs", spent.as_secs_f64() * 1e6 / count),
    ]
}

/// At the start, for an idle connection, and for one that has had a burst each way.
fn memory(subject: &Subject, connections: u32) -> [Figure; 3] {
    let fresh = settled(subject);
    let mut pairs: Vec<_> = (0..connections).map(|_| subject.open()).collect();
    let idle = settled(subject);
    for (near, far) in &mut pairs {
        thread::scope(|scope| {
            scope.spawn(|| {
                near.send(BURST, LARGE);
                near.receive(BURST);
            });
            far.receive(BURST);
            far.send(BURST, LARGE);
        });
    }
    let burst = settled(subject);
    let each = |kib: u64| kib.saturating_sub(fresh) as f64 / f64::from(connections);
    [
        figure("memory at start", "KiB", fresh as f64),
        figure("an idle connection", "KiB", each(idle)),
        figure("after a burst", "KiB", each(burst)),
    ]
}

/// How much memory grows while the receiver doesn't read and the sender sends what it can.
fn stalled(subject: &Subject, most: u64, way: Way) -> f64 {
    let (mut sender, receiver) = way.of(subject.open());
    let before = settled(subject);
    let sent = sender.push(most);
    let grown = settled(subject).saturating_sub(before);
    if sent >= most {
        println!("  {sent} bytes went to a reader that doesn't read, and more would have");
    }
    drop(receiver);
    grown as f64
}

/// Memory once it no longer changes: allocators and executors act a little after the fact.
fn settled(subject: &Subject) -> u64 {
    let mut last = subject.rss_kib();
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(100));
        let now = subject.rss_kib();
        if now == last {
            break;
        }
        last = now;
    }
    last
}

fn figure(name: &'static str, unit: &'static str, value: f64) -> Figure {
    Figure { name, unit, value, compared: true }
}

fn alone(name: &'static str, unit: &'static str, value: f64) -> Figure {
    Figure { name, unit, value, compared: false }
}
