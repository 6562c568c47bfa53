//! `cargo xtask bench`: the costs of a byte, a round trip, a session, as ratios to the least that it takes.
//!
//! 1. [`mod@relay`] is the reference, [`subject`] starts it, the forwarder and every other that is installed.
//! 2. [`load`] has both ends of all connections, on a processor that the subjects don't run on.
//! 3. [`workload`] has the tasks for all in rounds, interleaved; [`memory`] and [`scale`] are measured once.
//!    [`mod@run`] does it all, or what [`choice`] leaves of it.
//! 4. [`figures`] keeps every round, [`bars`] puts the forwarder against what it may cost, [`report`] shows it.
//! 5. [`datagrams`] has messages instead of streams, and others that carry them.
//! 6. [`tls`] has those that terminate TLS.
//! 7. [`instructions`] is something else: a guard that counts, and needs no quiet machine.
//!
//! Everything runs from release builds: it builds them, and runs itself again as one.

mod account;
mod bars;
mod choice;
mod congestion;
mod datagrams;
mod figures;
mod instructions;
mod load;
mod machine;
mod memory;
mod relay;
mod report;
mod results;
mod run;
mod scale;
mod subject;
mod tls;
mod workload;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use self::choice::Choice;
use self::machine::Facts;
use self::subject::{programs, terminators};
use crate::{Failure, root, sh};

/// The parts to measure.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Less of everything, in two minutes: prints, and leaves docs/benchmarks alone.
    #[arg(long)]
    quick: bool,
    /// Only programs whose name contains this, and the reference; or only such workloads (`memory`, `messages` and
    /// `scale` are some). Several times: any of them. Prints, and leaves docs/benchmarks alone.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// The number of rounds of every measurement.
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
    /// The machine's TCP congestion control meanwhile, for root; Linux has `cubic` unless another was chosen.
    #[arg(long, value_name = "NAME", conflicts_with = "instructions")]
    congestion: Option<String>,
    /// Datagrams and lines of programs instead, in a minute; writes docs/benchmarks/messages.md.
    #[arg(long, conflicts_with_all = ["quick", "only", "json", "instructions", "congestion"])]
    datagrams: bool,
    /// TLS in front of a TCP destination instead, in three minutes; writes docs/benchmarks/tls.md.
    #[arg(long, conflicts_with_all = ["quick", "only", "json", "instructions", "datagrams"])]
    tls: bool,
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
    let _changed = options.congestion.as_deref().map(congestion::Changed::to).transpose()?;
    let facts = Facts::gather();
    machine::to_load_cpu()?;
    if options.datagrams {
        let ours = ours.display().to_string();
        return datagrams::run(&ours, options.rounds.unwrap_or(5), &facts);
    }
    let (programs, missing) =
        if options.tls { terminators::all(&ours)? } else { programs::all(&ours)? };
    if !missing.is_empty() {
        println!("not found, and left out: {}; {INSTALL}", missing.join(", "));
    }
    if options.tls {
        return tls::run(&programs, &missing, options.rounds.unwrap_or(9), &facts);
    }
    let choice = Choice::new(&options.only, &programs)?;
    let sizes = if options.quick { &run::Sizes::QUICK } else { &run::Sizes::FULL };
    let results = run::all(&programs, missing, &choice, sizes, options.rounds, facts)?;
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
    // The arguments are passed on word for word; they hold for the other program as well.
    sh::run(Command::new(release("xtask")?).args(std::env::args_os().skip(1)))
}

/// Returns the path of a release binary, next to the folder of the running program's profile.
fn release(name: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(|error| format!("our own program: {error}"))?;
    let target = own.parent().and_then(|profile| profile.parent());
    let file = target.map(|target| target.join("release").join(name));
    file.filter(|file| file.is_file())
        .ok_or_else(|| format!("no release build of {name} is where cargo puts it"))
}

fn write(file: &std::path::Path, text: &str) -> Result<(), Failure> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

/// The way to install the peers on a Debian machine.
const INSTALL: &str = "`apt-get install websockify websocketd haproxy nginx libnginx-mod-stream socat stunnel4` installs \
                       all but websocat, which `cargo xtask interop` does";
