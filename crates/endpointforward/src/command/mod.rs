//! The command: the only part of the project that prints, reads the environment, installs a log
//! and decides how the process ends.
//!
//! [`cli`] defines the command line, [`usage`] reports errors in it; the other modules run the commands.

mod addresses;
mod cli;
mod completions;
mod demo;
mod exit;
mod explain;
mod files;
mod foreign;
mod help;
mod log;
mod notify;
mod output;
mod passwd;
mod run;
mod shorten;
mod usage;

use std::process::ExitCode;

use clap::Parser;
use plan::Registry;

use self::cli::{Cli, Command};
use self::exit::Exit;
use crate::Endpoints;

/// Runs the whole command with these kinds: options from the process's arguments, the log, `explain`, `help`, `kinds`
/// and completions. Returns the exit status, one of sysexits(3).
///
/// For the `main` of a program that adds kinds. It installs the log, takes signals and starts the runtime: call it once,
/// outside of a runtime.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     // Registry::add brings in a kind of one's own; see `examples/kind.rs`.
///     endpointforward::command(endpointforward::registry())
/// }
/// ```
#[must_use]
pub fn command(registry: Registry) -> ExitCode {
    output::spare_connection();
    let exit = match Cli::try_parse() {
        Ok(cli) => go(cli, registry),
        Err(error) => usage::mistake(&error),
    };
    exit.into()
}

fn go(cli: Cli, registry: Registry) -> Exit {
    let endpoints = |registry| Endpoints::new().registry(registry);
    match cli.command {
        Some(Command::Explain(explain)) => explain::run(endpoints(registry), &explain),
        Some(Command::Passwd(options)) => passwd::run(&options),
        Some(Command::Kinds) => help::kinds(&registry),
        Some(Command::Help { topic, parameter }) => {
            help::help(&registry, topic.as_deref(), parameter.as_deref())
        }
        Some(Command::Completions { shell }) => completions::script(shell),
        Some(Command::Version) => {
            output::print(format_args!("endpointforward {}\n", env!("CARGO_PKG_VERSION")))
        }
        Some(Command::Reference) => help::reference(&registry),
        Some(Command::Complete { words }) => completions::answer(&registry, &words),
        None if cli.forward.is_empty() => {
            demo::run(endpoints(registry), &cli.forward, &cli.logging)
        }
        None => match usage::check(&cli.forward) {
            Ok(()) => run::run(endpoints(registry), &cli.forward, &cli.logging),
            Err(exit) => exit,
        },
    }
}
