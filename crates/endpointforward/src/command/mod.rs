//! The command: the only part of the project that prints, reads the environment, installs a log
//! and decides how the process ends.
//!
//! [`cli`] defines what may be typed, [`usage`] says what is wrong with it; the other modules do it.

mod addresses;
mod cli;
mod completions;
mod demo;
mod exit;
mod explain;
mod files;
mod help;
mod log;
mod notify;
mod output;
mod run;
mod usage;

use std::process::ExitCode;

use clap::Parser;

use self::cli::{Cli, Command};
use self::exit::Exit;

/// From arguments to exit status.
pub(crate) fn main() -> ExitCode {
    output::spare_connection();
    let exit = match Cli::try_parse() {
        Ok(cli) => go(cli),
        Err(error) => usage::mistake(&error),
    };
    exit.into()
}

fn go(cli: Cli) -> Exit {
    match cli.command {
        Some(Command::Explain(explain)) => explain::run(&explain),
        Some(Command::Kinds) => help::kinds(),
        Some(Command::Help { topic, parameter }) => {
            help::help(topic.as_deref(), parameter.as_deref())
        }
        Some(Command::Completions { shell }) => completions::print(shell),
        Some(Command::Version) => {
            output::print(format_args!("endpointforward {}\n", env!("CARGO_PKG_VERSION")))
        }
        Some(Command::Reference) => help::reference(),
        None if cli.forward.is_empty() => demo::run(&cli.forward, &cli.logging),
        None => match usage::check(&cli.forward) {
            Ok(()) => run::run(&cli.forward, &cli.logging),
            Err(exit) => exit,
        },
    }
}
