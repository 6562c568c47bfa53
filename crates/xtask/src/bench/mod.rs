//! `cargo xtask bench`: what a byte, a round trip, a session cost, as ratios to the least that it takes.
//!
//! 1. [`relay`] is the reference, [`subject`] starts it, the forwarder and every other that is installed.
//! 2. [`load`] has both ends of all connections, on a processor that the subjects don't run on.
//! 3. [`workload`] is what all are put through in rounds, interleaved; [`memory`] and [`scale`] are measured once.
//! 4. [`figures`] keeps every round, [`bars`] puts the forwarder against what it may cost, [`report`] shows it.
//! 5. [`instructions`] is something else: a guard that counts, and needs no quiet machine.
//!
//! Everything runs from release builds: it builds them, and runs itself again as one.

mod account;
mod bars;
mod figures;
mod instructions;
mod load;
mod machine;
mod memory;
mod relay;
mod report;
mod results;
mod scale;
mod subject;
mod workload;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;

use self::figures::Figures;
use self::machine::Facts;
use self::results::{Participant, Results};
use self::subject::Subject;
use self::subject::programs::{self, Mode, Program, REFERENCE, WS_TCP};
use self::workload::Workload;
use crate::{Failure, root, sh};

/// What to measure.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Less of everything, in two minutes: prints, and leaves docs/benchmarks alone.
    #[arg(long)]
    quick: bool,
    /// Only programs and workloads whose name contains this, and the reference; prints, and leaves docs/benchmarks
    /// alone. Several times: any of them.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How often everything is measured.
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Writes every figure there, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Counts the instructions of the codec and the splice instead, and fails if they have become more.
    #[arg(long, conflicts_with_all = ["quick", "only", "rounds", "json", "binary"])]
    instructions: bool,
    /// With `--instructions`: takes what is counted now as what is right.
    #[arg(long, requires = "instructions")]
    update: bool,
    /// Another build of the forwarder, to compare with; it isn't built then.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if options.instructions {
        return instructions::run(options.update);
    }
    if cfg!(debug_assertions) {
        return again();
    }
    let ours = match &options.binary {
        Some(file) => {
            file.canonicalize().map_err(|error| format!("{}: {error}", file.display()))?
        }
        None => release("endpointforward")?,
    };
    machine::descriptors();
    let facts = Facts::gather();
    machine::to_load_cpu()?;
    let results = measure(options, &ours, facts)?;
    print!("{}", report::markdown::page(&results));
    if let Some(file) = &options.json {
        write(file, &report::json(&results))?;
    }
    if options.quick || !options.only.is_empty() {
        return Ok(());
    }
    let folder = root().join("docs/benchmarks");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    write(&folder.join("README.md"), &report::markdown::page(&results))?;
    write(&folder.join("ratios.svg"), &report::svg::ratios(&results))?;
    write(&folder.join("sessions.svg"), &report::svg::sessions(&results))?;
    println!("written to {}", folder.display());
    Ok(())
}

/// The reference, for ourselves to start.
pub(crate) fn relay(far: u16) -> Failure {
    relay::run(far)
}

/// Builds what is measured and what measures, and goes on in the latter.
fn again() -> Result<(), Failure> {
    sh::run(&mut sh::command("cargo build --release --package endpointforward --package xtask"))?;
    // What we were given, word for word; it holds for the other as well.
    sh::run(Command::new(release("xtask")?).args(std::env::args_os().skip(1)))
}

/// Where cargo puts it: beside our own profile's folder.
fn release(name: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(|error| format!("our own program: {error}"))?;
    let target = own.parent().and_then(|profile| profile.parent());
    let file = target.map(|target| target.join("release").join(name));
    file.filter(|file| file.is_file())
        .ok_or_else(|| format!("no release build of {name} is where cargo puts it"))
}

fn measure(options: &Options, ours: &std::path::Path, facts: Facts) -> Result<Results, Failure> {
    let start = Instant::now();
    let (programs, missing) = programs::all(ours)?;
    let sizes = if options.quick { Sizes::QUICK } else { Sizes::FULL };
    let chosen = |name: &str| {
        options.only.is_empty() || options.only.iter().any(|only| name.contains(only.as_str()))
    };
    let mut results = Results {
        subjects: programs.iter().map(participant).collect::<Result<_, _>>()?,
        facts,
        missing,
        rounds: options.rounds.unwrap_or(sizes.rounds),
        quick: options.quick,
        figures: Figures::default(),
        memory: Vec::new(),
        messages: Vec::new(),
        scale: Vec::new(),
        notes: Vec::new(),
        took: 0,
    };
    rounds(&programs, &sizes, &chosen, &mut results)?;
    let sessions = within_limits(&sizes, &mut results);
    for program in programs.iter().filter(|program| chosen(program.name) && chosen("memory")) {
        let count = if program.forks { sizes.forked } else { sessions };
        println!("memory: {} with {count} sessions", program.name);
        match memory::measure(program, count) {
            Ok(found) => results.memory.push(found),
            Err(why) => results.notes.push(format!("memory of {}: {why}", program.name)),
        }
    }
    for program in programs.iter().filter(|program| [REFERENCE, WS_TCP].contains(&program.name)) {
        if program.name == WS_TCP && chosen("messages") {
            println!("large messages");
            match memory::messages(program, sizes.message, sizes.fragments) {
                Ok(found) => results.messages.extend(found),
                Err(why) => results.notes.push(format!("large messages: {why}")),
            }
        }
        if chosen("scale") {
            println!("scale: {}", program.name);
            let steps: Vec<_> =
                STEPS.into_iter().filter(|&step| step < sessions).chain([sessions]).collect();
            match scale::measure(program, &steps, sizes.scale_rounds, sizes.scale) {
                Ok(found) => results.scale.extend(found),
                Err(why) => results.notes.push(format!("scale of {}: {why}", program.name)),
            }
        }
    }
    results.took = start.elapsed().as_secs();
    Ok(results)
}

/// Everything that is compared, one after the other, again and again.
fn rounds(
    programs: &[Program],
    sizes: &Sizes,
    chosen: &impl Fn(&str) -> bool,
    results: &mut Results,
) -> Result<(), Failure> {
    let mut running: Vec<(&Program, Subject)> = Vec::new();
    let workloads: Vec<_> =
        Workload::ALL.into_iter().filter(|workload| chosen(&workload.name())).collect();
    let workloads = if workloads.is_empty() { Workload::ALL.to_vec() } else { workloads };
    let by_name = programs.iter().any(|program| chosen(program.name));
    for program in programs {
        if program.name == REFERENCE || !by_name || chosen(program.name) {
            running.push((program, program.start(Mode::Pinned)?));
        }
    }
    let mut failed: Vec<(Workload, &str)> = Vec::new();
    for round in 0..results.rounds {
        println!("round {} of {}", round + 1, results.rounds);
        for workload in &workloads {
            // Back and forth, so that nobody always comes after the same.
            let mut order: Vec<_> = (0..running.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for at in order {
                let (program, subject) = &mut running[at];
                if !workload.is_for(program, REFERENCE)
                    || failed.contains(&(*workload, program.name))
                {
                    continue;
                }
                match workload.measure(subject, program.forks, sizes.time, round == 0) {
                    Ok(sample) => results.figures.add(&workload.name(), program.name, sample),
                    Err(why) => {
                        if program.name == REFERENCE || program.is_ours() {
                            return Err(format!("{}, {}: {why}", program.name, workload.name()));
                        }
                        results.notes.push(format!("{}, {}: {why}", program.name, workload.name()));
                        results.figures.forget(&workload.name(), program.name);
                        failed.push((*workload, program.name));
                        // What it makes of the connections that it has left is not to be trusted.
                        *subject = program.start(Mode::Pinned)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// As many sessions as the limit of descriptors allows: two each of them are ours.
fn within_limits(sizes: &Sizes, results: &mut Results) -> usize {
    let most =
        usize::try_from(results.facts.descriptors.saturating_sub(200) / 2).unwrap_or(usize::MAX);
    if most < sizes.sessions {
        results
            .notes
            .push(format!("{most} sessions instead of {}: no more descriptors", sizes.sessions));
    }
    sizes.sessions.min(most)
}

fn participant(program: &Program) -> Result<Participant, Failure> {
    let version = match program.name {
        REFERENCE => "tokio, one thread, 32 KiB each way".to_owned(),
        _ if program.is_ours() => "of this repository".to_owned(),
        name => machine::version(name),
    };
    Ok(Participant { name: program.name, version, command: program.shown()? })
}

fn write(file: &std::path::Path, text: &str) -> Result<(), Failure> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

/// How much of everything.
#[derive(Debug)]
struct Sizes {
    rounds: usize,
    time: Duration,
    sessions: usize,
    /// The same for programs that need a process each.
    forked: usize,
    message: u64,
    fragments: u64,
    scale: Duration,
    scale_rounds: usize,
}

impl Sizes {
    const FULL: Self = Self {
        rounds: 9,
        time: Duration::from_millis(500),
        sessions: 9000,
        forked: 64,
        message: 1 << 30,
        fragments: 1 << 30,
        scale: Duration::from_millis(700),
        scale_rounds: 5,
    };
    const QUICK: Self = Self {
        rounds: 3,
        time: Duration::from_millis(120),
        sessions: 1000,
        forked: 16,
        message: 1 << 28,
        fragments: 1 << 24,
        scale: Duration::from_millis(200),
        scale_rounds: 3,
    };
}

const STEPS: [usize; 4] = [1, 10, 100, 1000];
