//! `cargo xtask docs [--check]`: updates descriptors.md from the binary's output.

use std::fs;

use crate::{Failure, markers, root};

/// Runs the verb. The generated parts come from the binary's hidden `reference`, so that they are made from the
/// same declarations as `help KIND`.
pub(crate) fn run(check: bool) -> Result<(), Failure> {
    let file = root().join("descriptors.md");
    let old = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let output = tests::run(&["reference"], b"");
    if !output.status.success() {
        return Err(format!(
            "`endpointforward reference` failed: {}\n{}",
            output.status, output.stderr
        ));
    }
    let fresh = markers::replace(&old, &output.text())
        .map_err(|failure| format!("descriptors.md: {failure}"))?;
    if fresh == old {
        println!("descriptors.md is up to date");
        return Ok(());
    }
    if check {
        return Err(
            "descriptors.md is stale; bring it up to date with\n  cargo xtask docs".to_owned()
        );
    }
    fs::write(&file, fresh).map_err(|error| format!("{}: {error}", file.display()))?;
    println!("descriptors.md has been brought up to date");
    Ok(())
}
