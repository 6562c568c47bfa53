//! The command.

use std::process::ExitCode;

fn main() -> ExitCode {
    endpointforward::command(endpointforward::registry())
}
