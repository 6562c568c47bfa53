//! A run: the rounds, then what is measured once.

use std::time::{Duration, Instant};

use super::choice::{Choice, MEMORY, MESSAGES, SCALE};
use super::figures::Figures;
use super::machine::{Facts, version};
use super::memory;
use super::results::{Participant, Results};
use super::scale;
use super::subject::Subject;
use super::subject::programs::{Mode, Program, REFERENCE, WS_TCP};
use super::workload::Workload;
use crate::Failure;

/// Measures what was chosen, in as many rounds as were asked for.
pub(crate) fn all(
    programs: &[Program],
    missing: Vec<&'static str>,
    choice: &Choice,
    sizes: &Sizes,
    rounds: Option<usize>,
    facts: Facts,
) -> Result<Results, Failure> {
    let start = Instant::now();
    let programs: Vec<_> =
        programs.iter().filter(|program| choice.has_program(program.name)).collect();
    let mut results = Results {
        subjects: programs.iter().map(|program| participant(program)).collect::<Result<_, _>>()?,
        facts,
        missing,
        rounds: rounds.unwrap_or(sizes.rounds),
        quick: sizes.quick,
        figures: Figures::default(),
        memory: Vec::new(),
        messages: Vec::new(),
        scale: Vec::new(),
        notes: Vec::new(),
        took: 0,
    };
    compare(&programs, choice, sizes, &mut results)?;
    let sessions = within_limits(sizes, &mut results);
    if choice.has(MEMORY) {
        for program in &programs {
            let count = if program.forks { sizes.forked } else { sessions };
            println!("memory: {}, {count} sessions", program.name);
            let found = memory::measure(program, count);
            results
                .keep("memory", program.name, found, |results, found| results.memory.push(found));
        }
    }
    for program in programs.iter().filter(|program| [REFERENCE, WS_TCP].contains(&program.name)) {
        if choice.has(MESSAGES) && program.name == WS_TCP {
            println!("large messages: {}", program.name);
            let found = memory::messages(program, sizes.message, sizes.fragments);
            results.keep("large messages", program.name, found, |results, found| {
                results.messages.extend(found);
            });
        }
        if choice.has(SCALE) {
            println!("scale: {}", program.name);
            let steps = STEPS.into_iter().filter(|&step| step < sessions).chain([sessions]);
            let found = scale::measure(
                program,
                &steps.collect::<Vec<_>>(),
                sizes.scale_rounds,
                sizes.scale,
            );
            results
                .keep("scale", program.name, found, |results, found| results.scale.extend(found));
        }
    }
    results.took = start.elapsed().as_secs();
    Ok(results)
}

/// Everything that is compared, one after the other, again and again.
fn compare(
    programs: &[&Program],
    choice: &Choice,
    sizes: &Sizes,
    results: &mut Results,
) -> Result<(), Failure> {
    let workloads: Vec<_> =
        Workload::ALL.into_iter().filter(|workload| choice.has(&workload.name())).collect();
    if workloads.is_empty() {
        return Ok(());
    }
    let mut running: Vec<(&Program, Subject)> = Vec::new();
    for program in programs {
        match program.start(Mode::Pinned) {
            Ok(subject) => running.push((program, subject)),
            Err(why) if program.is_needed() => return Err(format!("{}: {why}", program.name)),
            Err(why) => results.notes.push(format!("{}: {why}", program.name)),
        }
    }
    let mut failed = Vec::new();
    for round in 0..results.rounds {
        println!("round {} of {}", round + 1, results.rounds);
        for workload in &workloads {
            for (program, subject) in &mut running {
                let name = (workload.name(), program.name);
                // A program that has a bar is measured more often than those to compare with.
                let takes_part = program.is_needed() || round % OTHERS == 0;
                if !takes_part || !workload.is_for(program, REFERENCE) || failed.contains(&name) {
                    continue;
                }
                match workload.measure(subject, program.forks, sizes.time, round == 0) {
                    Ok(sample) => results.figures.add(&name.0, name.1, round, sample),
                    Err(why) if program.is_needed() => {
                        return Err(format!("{}, {}: {why}", name.1, name.0));
                    }
                    Err(why) => {
                        results.notes.push(format!("{}, {}: {why}", name.1, name.0));
                        results.figures.forget(&name.0, name.1);
                        failed.push(name);
                        // A failed program's remaining connections are not to be trusted: it starts anew.
                        *subject = program.start(Mode::Pinned)?;
                    }
                }
            }
        }
        // Back and forth, so that no program always comes after the same.
        running.reverse();
    }
    Ok(())
}

impl Results {
    /// Keeps the results, or the reason for none.
    fn keep<T>(
        &mut self,
        what: &str,
        name: &str,
        found: Result<T, Failure>,
        keep: impl FnOnce(&mut Self, T),
    ) {
        match found {
            Ok(found) => keep(self, found),
            Err(why) => self.notes.push(format!("{what}, {name}: {why}")),
        }
    }
}

/// As many sessions as the limit of descriptors allows: two each of them are ours.
fn within_limits(sizes: &Sizes, results: &mut Results) -> usize {
    let most =
        usize::try_from(results.facts.descriptors.saturating_sub(200) / 2).unwrap_or(usize::MAX);
    if most < sizes.sessions {
        let wanted = sizes.sessions;
        results
            .notes
            .push(format!("{most} sessions instead of {wanted}: there are no more descriptors"));
    }
    sizes.sessions.min(most)
}

fn participant(program: &Program) -> Result<Participant, Failure> {
    let version = match program.name {
        REFERENCE => "tokio, one thread, 32 KiB each way".to_owned(),
        _ if program.is_ours() => "of this repository".to_owned(),
        name => version(name),
    };
    Ok(Participant { name: program.name, version, command: program.shown()? })
}

/// The amounts of everything.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// Too small to be quoted.
    quick: bool,
    rounds: usize,
    time: Duration,
    sessions: usize,
    /// The same for programs that need a process each.
    forked: usize,
    message: u64,
    fragments: u64,
    /// Bytes for each reading of the cost of a byte.
    scale: u64,
    scale_rounds: usize,
}

impl Sizes {
    pub(crate) const FULL: Self = Self {
        quick: false,
        rounds: 63,
        time: Duration::from_millis(100),
        sessions: 9000,
        forked: 64,
        message: 1 << 30,
        fragments: 1 << 30,
        scale: 400 << 20,
        scale_rounds: 15,
    };
    pub(crate) const QUICK: Self = Self {
        quick: true,
        rounds: 3,
        time: Duration::from_millis(120),
        sessions: 1000,
        forked: 16,
        message: 1 << 28,
        fragments: 1 << 24,
        scale: 64 << 20,
        scale_rounds: 3,
    };
}

/// The other programs take part in one of so many rounds.
pub(crate) const OTHERS: usize = 9;

const STEPS: [usize; 4] = [1, 10, 100, 1000];
