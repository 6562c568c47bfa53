//! The promises of the repository as a whole: its files, its dependencies, the size of its parts.

use tests::source::{read, sources};

/// The longest that a source file may be. 450 lines are long already; at 800 it has more than one idea.
const MOST_LINES: usize = 800;

/// Dependencies that need no separate line: those that the project was asked to be built on, and `hyper`, which is
/// what the reason above `http` is about.
const SELF_EVIDENT: &[&str] = &["hyper", "thiserror", "tokio", "tracing"];

#[test]
fn promised_files_are_there() {
    let missing: Vec<_> = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "descriptors.md",
        "docs/out-of-scope.md",
        ".ci/run",
    ]
    .into_iter()
    .filter(|file| read(file).trim().is_empty())
    .collect();
    assert!(missing.is_empty(), "missing or empty: {missing:?}");
}

#[test]
fn ci_runs_what_a_developer_runs() {
    assert!(read(".ci/run").trim_end().ends_with("exec cargo xtask test"));
    assert!(read("README.md").contains("cargo xtask test"), "README.md says how to test");
}

#[test]
fn no_source_file_has_more_than_one_idea() {
    let all = ["crates", "examples", "tests"].into_iter().flat_map(sources);
    let long: Vec<_> = all.map(|source| (source.text.lines().count(), source.path)).collect();
    let long: Vec<_> = long.into_iter().filter(|(lines, _)| *lines > MOST_LINES).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn nothing_comes_from_a_git_repository() {
    let git: Vec<_> = read("Cargo.lock")
        .lines()
        .filter(|line| line.contains("git+"))
        .map(str::to_owned)
        .collect();
    assert!(git.is_empty(), "{git:?}");
}

#[test]
fn every_dependency_has_its_reason() {
    let unexplained = unexplained(&read("Cargo.toml"));
    assert!(unexplained.is_empty(), "no comment says why: {unexplained:?}");
}

/// A comment counts for the line below it and for the family that follows (`http`, `http-body-util`); one that
/// begins a paragraph and ends in `only.` counts for the paragraph.
fn unexplained(manifest: &str) -> Vec<String> {
    let table = manifest.split("[workspace.dependencies]\n").nth(1).unwrap_or_default();
    let table = table.split("\n[").next().unwrap_or_default();
    let mut unexplained = Vec::new();
    let (mut commented, mut family, mut group) = (false, String::new(), false);
    for line in table.lines() {
        if line.trim().is_empty() {
            (commented, group) = (false, false);
            family.clear();
        } else if let Some(comment) = line.strip_prefix('#') {
            commented = true;
            group = comment.trim_end().ends_with("only.");
        } else if let Some((name, value)) = line.split_once(" = ") {
            let of_family = name.split('-').next().unwrap_or(name);
            let explained =
                commented || group || of_family == family || SELF_EVIDENT.contains(&name);
            if !explained && !value.contains("path = ") {
                unexplained.push(name.to_owned());
            }
            if explained {
                of_family.clone_into(&mut family);
            } else {
                family.clear();
            }
            commented = false;
        }
    }
    unexplained
}

#[test]
fn a_dependency_without_reason_is_found() {
    let manifest = "[workspace.dependencies]\n\n# Why.\nhttp = \"1\"\nhttp-body-util = \"1\"\nserde = \"1\"\n\
                    ours = { path = \"x\" }\n\n# Tests only.\ninsta = \"1\"\ntempfile = \"1\"\n\n[profile.dev]\n";
    assert_eq!(unexplained(manifest), ["serde"]);
}

#[test]
fn every_member_keeps_the_lints_of_the_workspace() {
    let root = tests::root();
    let crates = std::fs::read_dir(root.join("crates")).unwrap().flatten();
    let examples = std::fs::read_dir(root.join("examples")).into_iter().flatten().flatten();
    let folders = crates.chain(examples).map(|entry| entry.path()).chain([root.join("tests")]);
    for manifest in folders.map(|folder| folder.join("Cargo.toml")) {
        let Ok(text) = std::fs::read_to_string(&manifest) else { continue };
        assert!(text.contains("[lints]\nworkspace = true"), "{}", manifest.display());
    }
}
