//! Tasks of a developer: `cargo xtask VERB`, one file a verb.
//!
//! `test` is what CI runs; it calls `setup` first, so a fresh machine needs nothing else. The other verbs are
//! slower or need more tools, and none of them is part of `test`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a developer reads what it prints")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it is no part of the product: it exits, measures with the real clock and waits in separate threads"
)]

mod bench;
mod conformance;
mod deny;
mod docs;
mod fuzz;
mod interop;
mod markers;
mod packages;
mod setup;
mod sh;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The reason why a verb failed, in one sentence. The programs that ran have printed more.
type Failure = String;

/// Tasks of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Everything that has to pass: format, lints, build, tests, documentation.
    Test {
        /// Run only tests whose name contains one of these, and none of the other steps.
        #[arg(last = true)]
        filter: Vec<String>,
    },
    /// Installs what the tests need: Debian packages and the Python peers.
    Setup,
    /// Brings the generated parts of descriptors.md up to date.
    Docs {
        /// Change nothing; fail when something is stale.
        #[arg(long)]
        check: bool,
    },
    /// The slow suites against more peers.
    Interop {
        /// Run only tests whose name contains one of these: `websockify`, `novnc`, `neon`, `websocat`.
        filter: Vec<String>,
    },
    /// The Autobahn testsuite against our WebSocket, as server, as client and through both.
    Conformance(conformance::Options),
    /// Processor time, round trips and memory of the release binary, over loopback, as ratios to a reference.
    Bench(bench::Options),
    /// The reference of the benchmarks.
    #[command(hide = true)]
    BenchRelay {
        /// The port to connect to.
        far: u16,
    },
    /// Runs the fuzz targets of crates/*/fuzz.
    Fuzz {
        /// Only this one.
        target: Option<String>,
        /// Seconds for each target.
        #[arg(default_value_t = 60)]
        seconds: u32,
    },
    /// Licences, advisories and sources of the dependencies.
    Deny,
}

fn main() -> ExitCode {
    let done = match Options::parse().verb {
        Verb::Test { filter } => test::run(&filter),
        Verb::Setup => setup::run(),
        Verb::Docs { check } => docs::run(check),
        Verb::Interop { filter } => interop::run(&filter),
        Verb::Conformance(options) => conformance::run(&options),
        Verb::Bench(options) => bench::run(&options),
        Verb::BenchRelay { far } => Err(bench::relay(far)),
        Verb::Fuzz { target, seconds } => fuzz::run(target.as_deref(), seconds),
        Verb::Deny => deny::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    tests::root()
}
