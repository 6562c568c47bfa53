//! `cargo xtask test`: everything that has to pass before a change is one.

use crate::sh::{self, Steps};
use crate::{Failure, setup};

/// In the order in which a failure is found soonest.
const STEPS: &[(&str, &str)] = &[
    ("format", "cargo fmt --all --check"),
    ("lints", "cargo clippy --workspace --all-targets -- -D warnings"),
    // A separate step, since the tests of the command line run the binary, not the library.
    ("binary", "cargo build --package endpointforward"),
    ("tests", "cargo test --workspace"),
    ("documentation", "cargo doc --workspace --no-deps"),
];

/// Runs the verb.
pub(crate) fn run(filter: &[String]) -> Result<(), Failure> {
    let mut steps = Steps::default();
    steps.run("what the tests need", setup::run)?;
    if filter.is_empty() {
        for (name, line) in STEPS {
            steps.run(name, || sh::run(sh::command(line).env("RUSTDOCFLAGS", "-D warnings")))?;
        }
    } else {
        steps.run("tests", || sh::run(sh::command("cargo test --workspace --").args(filter)))?;
    }
    steps.print();
    Ok(())
}
