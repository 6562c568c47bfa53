//! Runs the command to its end, and writes down what came of it.

use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

/// The result of one run. `Display` is a transcript for a snapshot.
pub(crate) struct Ran {
    line: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: i32,
}

/// The command, without what the developer's shell has set.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_endpointforward"));
    for variable in ["RUST_LOG", "COLUMNS", "NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

/// Runs it with an empty standard input.
pub(crate) fn run(args: &[&str]) -> Ran {
    feed(args, "")
}

/// Runs it with this standard input.
pub(crate) fn feed(args: &[&str], input: &str) -> Ran {
    let mut child = command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // It may not read at all.
    let feeder = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Ran {
        line: args.join(" "),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code().unwrap(),
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, stdout, stderr, status } = self;
        let gap = if line.is_empty() { "" } else { " " };
        writeln!(f, "$ endpointforward{gap}{line}")?;
        if !stdout.is_empty() {
            writeln!(f, "--- stdout\n{}", stdout.trim_end())?;
        }
        if !stderr.is_empty() {
            writeln!(f, "--- stderr\n{}", stderr.trim_end())?;
        }
        writeln!(f, "--- status {status}")
    }
}

/// Several runs in one transcript.
pub(crate) fn transcript(runs: &[&[&str]]) -> String {
    runs.iter().map(|args| run(args).to_string()).collect::<Vec<_>>().join("\n")
}
