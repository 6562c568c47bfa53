//! `cargo xtask interop`: the suites that are too slow for every change, or need more peers.

use crate::{Failure, setup, sh};

/// Runs the verb: the ignored tests, optimised, since they move gigabytes.
pub(crate) fn run(filter: &[String]) -> Result<(), Failure> {
    setup::run()?;
    setup::more()?;
    sh::run(sh::command("cargo test --package tests --release -- --ignored").args(filter))
}
