//! Programs that others have written, through the real command: programs that people put behind a forwarder, in
//! front of it, and at its ends.

mod agreements;
mod associate;
mod haproxy;
mod neon;
mod proxies;
mod redis;
mod ssh;
mod ssh_kind;
mod through;
mod tools;
mod websocat;
mod websocketd;
mod websockets;
mod websockify;

use std::process::Command;

use tests::{Output, binary, run_program};

/// A command of the path, ready to get its arguments.
fn program(name: &str) -> Command {
    let file = binary::program(name);
    Command::new(file.unwrap_or_else(|| panic!("no `{name}`: run `cargo xtask setup`")))
}

/// Runs it with nothing on its standard input, and demands success.
fn succeeds(command: &mut Command) -> Output {
    succeeds_with(command, b"")
}

/// Runs it with `stdin`, and demands success.
fn succeeds_with(command: &mut Command, stdin: &[u8]) -> Output {
    let output = run_program(command, stdin);
    assert!(output.status.success(), "{command:?}\n{}\n{}", output.text(), output.stderr);
    output
}
