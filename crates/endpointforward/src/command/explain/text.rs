//! An explanation for people: a tree of kinds with every parameter.

use std::fmt::Write;

use crate::{Endpoints, manual};
use descriptor::{Diagnostic, Report, is_unprintable};
use plan::Tree;
use plan::kind::Role;

use super::super::output::{columns, report_columns};
use super::{Explained, Planned};

/// Returns the errors and warnings, above the typed text.
pub(super) fn report(text: &str, explained: &Explained, both: bool) -> Option<String> {
    let Some((role, found)) = &explained.wrong else {
        let mut warnings: Vec<Diagnostic> = Vec::new();
        for warning in explained.sides.iter().flat_map(|side| &side.warnings) {
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        let any = !warnings.is_empty();
        return any.then(|| shown(text, &warnings));
    };
    let head = match (both && explained.parsed.is_some(), role) {
        (false, _) => "",
        (true, Role::Listen) => "as an endpoint to listen on:\n",
        (true, Role::Connect) => "as an endpoint to connect to:\n",
    };
    Some(format!("{head}{}", shown(text, found)))
}

fn shown(text: &str, found: &[Diagnostic]) -> String {
    Report::new(text, found).columns(report_columns()).to_string()
}

/// The trees of the sides that it can be.
pub(super) fn trees(explained: &Explained, endpoints: &Endpoints) -> String {
    let mut out = String::new();
    for (index, Planned { role, tree, .. }) in explained.sides.iter().enumerate() {
        let verb = match role {
            Role::Listen => "listens on",
            Role::Connect => "connects to",
        };
        let gap = if index > 0 { "\n" } else { "" };
        put(&mut out, &format!("{gap}{verb} {}", tree.descriptor));
        write(&mut out, tree, endpoints, 1);
    }
    out
}

fn write(out: &mut String, tree: &Tree, endpoints: &Endpoints, depth: usize) {
    let indent = "  ".repeat(depth);
    let called = match &*tree.called {
        called if called == tree.kind => String::new(),
        called => format!(" (as `{called}`)"),
    };
    let gives = tree.gives.describe();
    let over = if depth > 1 { "over " } else { "" };
    put(out, &format!("{indent}{over}{}{called}, gives {gives}", tree.kind));
    let unset = unset(tree, endpoints);
    let names = tree.settings.iter().map(|(name, ..)| name.chars().count());
    let width = names.chain(unset.iter().map(|name| name.len())).max().unwrap_or_default();
    for (name, value, given) in &tree.settings {
        let value = if value.is_empty() { "\"\"" } else { value };
        let mark = if *given { "" } else { "  (default)" };
        put(out, &format!("{indent}  {name:width$}  {}{mark}", printable(value)));
    }
    for name in unset {
        put(out, &format!("{indent}  {name:width$}  -"));
    }
    let facts: Vec<_> = tree.facts().map(|fact| fact.name).collect();
    if tree.role == Role::Listen && !facts.is_empty() {
        let first = format!("{indent}  facts: ");
        manual::wrap(out, &first, first.len(), &facts.join(", "), columns());
    }
    for beneath in &tree.beneath {
        write(out, beneath, endpoints, depth + 1);
    }
}

/// Parameters that are neither given nor have a default.
fn unset(tree: &Tree, endpoints: &Endpoints) -> Vec<&'static str> {
    let Some((kind, _)) = endpoints.kinds().find(tree.kind) else { return Vec::new() };
    let params = kind.params(tree.role).into_iter();
    params
        .filter(|param| !param.prefix && !param.rest && !param.value.is_endpoint())
        .filter(|param| tree.settings.iter().all(|(name, ..)| name != param.name))
        .map(|param| param.name)
        .collect()
}

fn printable(value: &str) -> String {
    value.chars().fold(String::new(), |mut shown, c| {
        if is_unprintable(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        shown
    })
}

fn put(out: &mut String, line: &str) {
    writeln!(out, "{line}").expect("a string takes all that is written");
}
