//! Runs programs, and steps whose durations are printed.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// A command in the root of the repository; words are separated by spaces.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().expect("a command has a name"));
    command.args(words).current_dir(crate::root());
    command
}

/// Runs it with its output where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = shown(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed: {status}")),
        Err(error) => Err(format!("`{shown}` cannot be run: {error}")),
    }
}

/// Returns `true` if it runs and succeeds, whatever it prints.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Steps that have run, to be listed with their durations.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// Announces and runs one step. A failure ends everything: later steps would only hide it.
    pub(crate) fn run(
        &mut self,
        name: &str,
        act: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        println!("== {name}");
        let start = Instant::now();
        let result = act();
        self.done.push((name.to_owned(), start.elapsed()));
        result.map_err(|failure| {
            self.print();
            format!("step `{name}`: {failure}")
        })
    }

    /// The list.
    pub(crate) fn print(&self) {
        println!("==");
        for (name, took) in &self.done {
            println!("{:>8.1} s  {name}", took.as_secs_f64());
        }
    }
}
