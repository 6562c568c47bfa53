//! What makes shells complete our command lines, from the definitions in [`super::cli`].

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::cli::Cli;
use super::exit::Exit;
use super::output;

/// Prints it for one shell.
pub(crate) fn print(shell: Shell) -> Exit {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "endpointforward", &mut script);
    output::print(String::from_utf8_lossy(&script))
}
