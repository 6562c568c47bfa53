//! docs/conformance/README.md: the whole run on a page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::suite;
use super::verdict::{Case, Grade};
use crate::{Failure, root};

/// Returns the number of cases of each group by result, a column a role.
pub(super) fn table(cases: &[Case]) -> String {
    let roles: BTreeSet<_> = cases.iter().map(|case| case.role).collect();
    let mut table = "| group |".to_owned();
    for role in &roles {
        let _ = write!(table, " {role} |");
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(roles.len()));
    let groups: BTreeSet<_> = cases.iter().map(|case| case.number[0]).collect();
    for group in groups.into_iter().map(Some).chain([None]) {
        let name = group.map_or("all".to_owned(), |group| format!("{group} {}", title(group)));
        let _ = write!(table, "\n| {name} |");
        for role in &roles {
            let those = cases
                .iter()
                .filter(|case| case.role == *role && group.is_none_or(|of| of == case.number[0]));
            let _ = write!(table, " {} |", counts(those));
        }
    }
    table.push('\n');
    table
}

/// Writes the page.
pub(super) fn write(cases: &[Case], python: &Path) -> Result<(), Failure> {
    let page = format!(
        "# Conformance to RFC 6455 and RFC 7692\n\n\
         The [Autobahn testsuite](https://github.com/crossbario/autobahn-testsuite) against `ws`, in three roles:\n\n\
         - **server**: it connects to `endpointforward -e ws:{{tcp:…}}:compression=on -d echo`.\n\
         - **client**: we connect to it with `join echo ws:{{tcp:…}}:compression=on` ([examples/join.rs](../../examples/join.rs)).\n\
         - **through**: it connects to `endpointforward -e ws:{{tcp:…}}:compression=on -d ws:{{tcp:…}}:compression=on`, and Autobahn's server behind\n  \
           that echoes: what a hop lets through, and what it stops.\n\n\
         {}\n{}\n\
         ## Cases that are not OK\n\n{}\n\
         ## To repeat it\n\n\
         ```sh\ncargo xtask conformance\n```\n\n\
         It installs the testsuite under target/conformance (Python 2.7 and gcc have to be there), runs all of it, \
         writes this page, and fails\n\
         unless every case is OK or has its reason in `crates/xtask/src/conformance/verdict.rs`. `--quick`, `--only` \
         and `--cases` run parts.\n",
        table(cases),
        made_with(python),
        not_ok(cases),
    );
    let file = root().join("docs/conformance/README.md");
    let folder = file.parent().expect("it lies in a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, page))
        .map_err(|error| format!("{}: {error}", file.display()))
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let mut counts = BTreeMap::<Grade, u32>::new();
    for case in cases {
        *counts.entry(case.grade).or_default() += 1;
    }
    let shown = Grade::ALL
        .iter()
        .filter_map(|grade| counts.get(grade).map(|count| format!("{count} {}", grade.name())));
    let shown = shown.collect::<Vec<_>>().join(", ");
    if shown.is_empty() { "–".to_owned() } else { shown }
}

fn not_ok(cases: &[Case]) -> String {
    let mut found = BTreeMap::<(&[u32], Grade, &str), Vec<&str>>::new();
    for case in cases.iter().filter(|case| case.grade != Grade::Ok) {
        let why = case.known().map_or(case.words.as_str(), |known| known.why);
        found.entry((&case.number, case.grade, why)).or_default().push(case.role.name());
    }
    // A reason stands once, next to all its cases.
    let mut rows = Vec::<(Vec<String>, Grade, String, &str)>::new();
    for ((number, grade, why), roles) in found {
        let id = number.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        let roles = roles.join(", ");
        match rows.iter_mut().find(|row| (row.1, &*row.2, row.3) == (grade, &*roles, why)) {
            Some((ids, ..)) => ids.push(id),
            None => rows.push((vec![id], grade, roles, why)),
        }
    }
    if rows.is_empty() {
        return "None.\n".to_owned();
    }
    let mut table = "| cases | | roles | why |\n|---|---|---|---|\n".to_owned();
    for (ids, grade, roles, why) in rows {
        let _ = writeln!(table, "| {} | {} | {roles} | {why} |", ids.join(", "), grade.name());
    }
    table
}

fn made_with(python: &Path) -> String {
    let python = says(Command::new(python).arg("--version"));
    let peers = fs::read_to_string(root().join("tests/peers/requirements.txt")).unwrap_or_default();
    let autobahn = peers.lines().find_map(|line| line.strip_prefix("autobahn[twisted]=="));
    format!(
        "Run on {} (UTC), endpointforward {}, autobahntestsuite {} on {python}, autobahn {}.\n",
        says(Command::new("date").args(["-u", "+%Y-%m-%d"])),
        env!("CARGO_PKG_VERSION"),
        suite::version(),
        autobahn.unwrap_or("unknown"),
    )
}

fn says(command: &mut Command) -> String {
    // Python 2.7 prints its version on standard error.
    let output = command.output().map(|output| [output.stdout, output.stderr].concat());
    String::from_utf8_lossy(&output.unwrap_or_default()).trim().to_owned()
}

/// As the testsuite calls them.
fn title(group: u32) -> &'static str {
    match group {
        1 => "framing",
        2 => "pings and pongs",
        3 => "reserved bits",
        4 => "opcodes",
        5 => "fragmentation",
        6 => "UTF-8",
        7 => "closing",
        9 => "limits and performance",
        10 => "autofragmentation",
        12 => "compression, payloads",
        13 => "compression, parameters",
        _ => "",
    }
}
