//! `cargo xtask deny`: deny.toml.

use crate::{Failure, sh};

/// Runs the verb.
pub(crate) fn run() -> Result<(), Failure> {
    if !sh::succeeds(&mut sh::command("cargo deny --version")) {
        return Err("cargo-deny is missing; install it with\n  cargo install --locked cargo-deny"
            .to_owned());
    }
    sh::run(&mut sh::command("cargo deny check"))
}
