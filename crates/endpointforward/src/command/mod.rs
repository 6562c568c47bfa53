//! The command: the only part of the project that prints, reads the environment, installs a log
//! and decides how the process ends.
//!
//! [`cli`] defines the command line, [`usage`] reports errors in it; the other modules run the commands.

mod added;
mod addresses;
mod cli;
mod completions;
mod demo;
pub(crate) mod exit;
mod explain;
mod files;
mod foreign;
mod habit;
mod help;
mod log;
mod notify;
mod output;
mod passwd;
mod run;
mod usage;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use forward::{Gate, Observer};
use plan::Registry;

use self::added::Added;
use self::cli::Cli;
use self::exit::Exit;
use crate::Endpoints;

/// Runs the whole command with these kinds: [`Command::run`] without a gate or other observers than the log.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     // Registry::add brings in an additional kind; see `examples/kind.rs`.
///     endpointforward::command(endpointforward::registry())
/// }
/// ```
#[must_use]
pub fn command(registry: Registry) -> ExitCode {
    Command::new(registry).run()
}

/// The whole command, for the `main` of a program that adds kinds, framings, providers of routes, a gate or observers.
///
/// ```no_run
/// use endpointforward::gate::{Admitted, Gate, Identity, Role};
/// use endpointforward::{Command, Info, Refusal, RefusalKind, async_trait, registry};
///
/// struct Office;
///
/// #[async_trait]
/// impl Gate for Office {
///     async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
///         match info.lookup("tcp", "peer.host").as_deref() {
///             Some("192.0.2.7") => Ok(Admitted::new(info, Identity::anonymous(), Role::ReadWrite)),
///             _ => Err(Refusal::new(RefusalKind::Forbidden, "not from the office")),
///         }
///     }
/// }
///
/// fn main() -> std::process::ExitCode {
///     Command::new(registry()).gate(Office).run()
/// }
/// ```
#[derive(Debug)]
pub struct Command {
    registry: Registry,
    added: Added,
}

impl Command {
    /// Creates a command with these kinds, framings and providers.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self { registry, added: Added::default() }
    }

    /// Sets the gate of every forwarder; see [`Forwarder::gate`](crate::Forwarder::gate).
    #[must_use]
    pub fn gate(mut self, gate: impl Gate + 'static) -> Self {
        self.added.gate = Some(Arc::new(gate));
        self
    }

    /// Adds an observer of sessions; see [`Forwarder::observer`](crate::Forwarder::observer).
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.added.observers.push(Arc::new(observer));
        self
    }

    /// Runs it: options from the process's arguments, the log, `explain`, `help`, `kinds` and completions. Returns the
    /// exit status, one of sysexits(3).
    ///
    /// It installs the log, takes signals and starts the runtime: call it once, outside of a runtime.
    ///
    /// # Panics
    /// It is called within a runtime.
    #[must_use]
    pub fn run(self) -> ExitCode {
        output::spare_connection();
        let exit = match Cli::try_parse() {
            Ok(cli) => go(cli, self.registry, &self.added),
            Err(error) => usage::mistake(&error, &self.registry),
        };
        exit.into()
    }
}

fn go(cli: Cli, registry: Registry, added: &Added) -> Exit {
    let endpoints = |registry| Endpoints::new().registry(registry);
    match cli.command {
        Some(cli::Command::Explain(explain)) => explain::run(endpoints(registry), &explain),
        Some(cli::Command::Passwd(options)) => passwd::run(&options),
        Some(cli::Command::Kinds) => help::kinds(&registry),
        Some(cli::Command::Help { topic, parameter }) => {
            help::help(&registry, topic.as_deref(), parameter.as_deref())
        }
        Some(cli::Command::Completions { shell }) => completions::script(shell),
        Some(cli::Command::Version) => {
            output::print(format_args!("endpointforward {}\n", env!("CARGO_PKG_VERSION")))
        }
        Some(cli::Command::Reference) => help::reference(&registry),
        Some(cli::Command::Complete { words }) => completions::answer(&registry, &words),
        None if cli.forward.is_empty() => {
            demo::run(endpoints(registry), &cli.forward, &cli.logging, added)
        }
        None => match usage::check(&cli.forward) {
            Ok(()) => run::run(endpoints(registry), &cli.forward, &cli.logging, added),
            Err(exit) => exit,
        },
    }
}
