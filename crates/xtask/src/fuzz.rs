//! `cargo xtask fuzz [TARGET] [SECONDS]`: the fuzz targets of every crate that has some.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::{Failure, root, sh};

/// Runs the verb: all targets one after the other, or one.
pub(crate) fn run(only: Option<&str>, seconds: u32) -> Result<(), Failure> {
    if !sh::succeeds(&mut sh::command("cargo fuzz --version")) {
        return Err(
            "cargo-fuzz is missing; install it with\n  cargo install --locked cargo-fuzz\n\
                    and the compiler that it needs with\n  rustup toolchain install nightly"
                .to_owned(),
        );
    }
    let all = targets();
    let chosen: Vec<_> =
        all.iter().filter(|(_, name)| only.is_none_or(|only| only == name)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = all.iter().map(|(_, name)| name.as_str()).collect();
        return Err(format!("no such fuzz target; there are: {}", names.join(", ")));
    }
    for (folder, name) in chosen {
        println!("== {name}, {seconds} s");
        let mut fuzz = Command::new("cargo");
        // libFuzzer's sanitizers need nightly; rustup takes the first word for that.
        fuzz.args(["+nightly", "fuzz", "run", name, "--"])
            .arg(format!("-max_total_time={seconds}"));
        sh::run(fuzz.current_dir(folder))?;
    }
    Ok(())
}

/// Folders of crates and names of their targets: a target is a file in `fuzz/fuzz_targets`.
fn targets() -> Vec<(PathBuf, String)> {
    let mut targets = Vec::new();
    for folder in fs::read_dir(root().join("crates")).into_iter().flatten().flatten() {
        let files =
            fs::read_dir(folder.path().join("fuzz/fuzz_targets")).into_iter().flatten().flatten();
        let names = files.filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()));
        targets.extend(names.map(|name| (folder.path(), name)));
    }
    targets.sort();
    targets
}
