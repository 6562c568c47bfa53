//! A guard against code that becomes slower: the instructions of the codec and of the splice, counted by callgrind.
//!
//! They are the same in every run on every machine, or nearly: a busy one doesn't matter. Examples of the two crates do
//! one thing many times in a function that is called `counted`; the instructions for each time are compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

use super::figures::number;
use crate::{Failure, root, sh};

/// Counts, and compares with docs/benchmarks/instructions.json; with `update`, writes that.
pub(crate) fn run(update: bool) -> Result<(), Failure> {
    if ::tests::binary::program("valgrind").is_none() {
        return Err("valgrind counts the instructions, and isn't installed".to_owned());
    }
    let mut counts = BTreeMap::new();
    for (package, example, cases) in CASES {
        let build =
            format!("cargo build --quiet --release --package {package} --example {example}");
        sh::run(&mut sh::command(&build))?;
        let program = super::release(&format!("examples/{example}"))?;
        for case in *cases {
            counts.insert(format!("{package}: {case}"), count(&program, case)?);
        }
    }
    let file = root().join("docs/benchmarks/instructions.json");
    if update {
        return write(&file, &counts);
    }
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let kept =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    judge(&counts, &kept)
}

/// Instructions for each time that `program` does `case`.
fn count(program: &Path, case: &str) -> Result<f64, Failure> {
    let folder = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
    let file: PathBuf = folder.path().join("callgrind");
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--quiet", "--toggle-collect=*::counted*"]);
    command.arg(format!("--callgrind-out-file={}", file.display())).arg(program).arg(case);
    let shown = sh::shown(&command);
    let output = command.output().map_err(|error| format!("`{shown}` cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let times = said.split_whitespace().next().and_then(|times| times.parse::<f64>().ok());
    let times = times.ok_or_else(|| {
        format!("`{shown}` failed: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr))
    })?;
    let profile =
        fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    match total(&profile) {
        Some(total) if total > 0.0 => Ok(total / times),
        _ => Err(format!("`{shown}` counted nothing: is there a function called `counted`?")),
    }
}

/// The sum in the profile.
fn total(profile: &str) -> Option<f64> {
    let line = profile.lines().find_map(|line| line.strip_prefix("totals:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn judge(counts: &BTreeMap<String, f64>, kept: &Map<String, Value>) -> Result<(), Failure> {
    let mut worse = Vec::new();
    for (case, count) in counts {
        let before = kept.get(case).and_then(Value::as_f64);
        let Some(before) = before.filter(|before| *before > 0.0) else {
            println!("{case:<30} {:>10}  (new)", number(*count));
            worse.push(format!("{case} is new"));
            continue;
        };
        let change = (count / before - 1.0) * 100.0;
        println!("{case:<30} {:>10}  {change:+.1} %", number(*count));
        if change > TOLERANCE {
            worse.push(format!("{case}: {change:+.1} %"));
        }
    }
    if worse.is_empty() {
        return Ok(());
    }
    let how = "if that is right: `cargo xtask bench --instructions --update`";
    Err(format!(
        "more instructions than in docs/benchmarks/instructions.json: {}; {how}",
        worse.join(", ")
    ))
}

fn write(file: &Path, counts: &BTreeMap<String, f64>) -> Result<(), Failure> {
    let rounded =
        |(case, count): (&String, &f64)| (case.clone(), json!((count * 10.0).round() / 10.0));
    let text = Value::Object(counts.iter().map(rounded).collect());
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::write(file, format!("{text:#}\n")).map_err(|error| format!("{}: {error}", file.display()))
}

/// Percent by which a count may grow: compilers and C libraries differ by that much, a regression by more.
const TOLERANCE: f64 = 5.0;

/// Packages, their examples, and what those can do.
const CASES: &[(&str, &str, &[&str])] = &[
    (
        "websocket",
        "codec_instructions",
        &[
            "decode-64",
            "decode-1k",
            "decode-16k",
            "decode-text-1k",
            "events-64",
            "encode-64",
            "encode-masked-16k",
        ],
    ),
    ("forward", "splice_instructions", &["bytes-32k", "bytes-64", "messages-64", "session"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_more_is_worse() {
        let kept = json!({ "a": 100.0, "b": 100.0 });
        let kept = kept.as_object().unwrap();
        let counts = |a, b| BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b)]);
        judge(&counts(104.0, 50.0), kept).unwrap();
        assert!(judge(&counts(106.0, 50.0), kept).unwrap_err().contains("a: +6.0 %"));
        let new = BTreeMap::from([("c".to_owned(), 1.0)]);
        judge(&new, kept).unwrap_err();
    }

    #[test]
    fn the_total_is_found() {
        assert_eq!(total("events: Ir\n1 2\ntotals: 1234\n"), Some(1234.0));
        assert_eq!(total("events: Ir\n"), None);
    }
}
