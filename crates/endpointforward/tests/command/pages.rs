//! The command lines in the pages of the repository: each of them must plan.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::run::run;

#[test]
fn every_command_line_on_a_page_passes_the_check() {
    let mut checked = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        for typed in typed(&text) {
            let words = words(&typed);
            let mut args: Vec<_> = words.iter().map(String::as_str).collect();
            complete(&mut args);
            args.push("--check");
            let ran = run(&args);
            assert_eq!(ran.status, 0, "{name} has: {typed}\n{ran}");
            checked += 1;
        }
    }
    assert!(checked > 90, "the pages have command lines: {checked}");
}

#[test]
fn command_lines_are_found_where_people_read_them() {
    let page = "Type `-d pty:bash`, or `-e … -d …`, or `--check`, or `endpointforward help tcp`.\n\
                | `x -e 1` | `endpointforward -e 9000 -d echo` |\n\
                | `--web DIR` | `:page=./DIR`, `--once` |\n\n\
                ```sh\nendpointforward -e 'ws:9000' -d 'process:cat' &\n\
                echo 1 | endpointforward -e stdio -d echo\nsleep 1\n```\n\n\
                ```text\nerror: no endpointforward\nendpointforward --endpoint ws:1 --dest-endpoint echo\n```\n";
    assert_eq!(
        typed(page),
        [
            "-e 'ws:9000' -d 'process:cat' ",
            "-e stdio -d echo",
            "--endpoint ws:1 --dest-endpoint echo",
            "-d pty:bash",
            "-e 9000 -d echo",
            "-e ws:9000:page=./DIR",
            "--once",
        ]
    );
    assert_eq!(words(" -e 'ws:{9000}' -d \"a\\:b\" "), ["-e", "ws:{9000}", "-d", "a\\:b"]);
}

/// Returns the text behind our name: in a line of a block, or in code in the text. There `-e DESC` and `-d DESC`
/// stand alone too, `:name=value` is a parameter of a listening `ws`, and `--name value` in the last column of a
/// table an option of ours.
fn typed(page: &str) -> Vec<String> {
    let mut typed = Vec::new();
    let mut prose = String::new();
    for (count, part) in page.split("```").enumerate() {
        if count % 2 == 0 {
            prose.push_str(part);
        } else {
            typed.extend(part.lines().filter_map(options));
        }
    }
    for code in code(&prose) {
        if code.starts_with("-e ") || code.starts_with("-d ") {
            typed.push(code.to_owned());
        } else if code.starts_with(':') && code.contains('=') {
            typed.push(format!("-e ws:9000{code}"));
        } else {
            typed.extend(options(code));
        }
    }
    let rows = prose.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let last = rows.filter_map(|row| row.rsplit(" | ").next());
    typed.extend(last.flat_map(code).filter(|code| code.starts_with("--")).map(str::to_owned));
    typed
}

/// Returns the texts in backquotes that aren't shortened.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|code| !code.contains('…'))
}

/// The options of a command line of ours.
fn options(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("endpointforward -")?;
    Some(format!("-{}", rest.trim_end_matches('&')))
}

/// Splits a line into words as a shell does.
fn words(typed: &str) -> Vec<String> {
    let script = format!("printf '%s\\n' {typed}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{typed}\n{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Gives a side to a command line that shows the other one alone.
fn complete(args: &mut Vec<&str>) {
    let has = |args: &[&str], names: &[&str]| args.iter().any(|arg| names.contains(arg));
    if !has(args, &["-e", "--endpoint"]) {
        args.extend(["-e", "stdio"]);
    }
    if !has(args, &["-d", "--dest-endpoint", "--dest_endpoint"]) {
        args.extend(["-d", "echo"]);
    }
}

/// README.md and what is in docs.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|file| file.extension().is_some_and(|ending| ending == "md"));
    pages.chain([root.join("README.md")]).collect()
}
