//! The manual for a terminal of any width.

use std::fmt::{self, Write};

use plan::Registry;
use plan::kind::{Kind, Param, Role, common};

use super::{HEAD, Row, also, default, option, rows, see_also, shell, unstopped, usages};

/// The matrix of all kinds, at most so many columns wide.
#[must_use]
pub fn matrix(registry: &Registry, columns: usize) -> String {
    let rows: Vec<_> =
        [HEAD].into_iter().chain(registry.kinds().iter().copied().map(Row::of)).collect();
    let widths: [usize; 5] = std::array::from_fn(|at| {
        rows.iter().map(|row| row.cells()[at].chars().count()).max().unwrap_or_default()
    });
    let used: usize = widths.iter().map(|width| width + 2).sum();
    // Beside the matrix if a good part of a sentence fits there, otherwise below it.
    let beside = columns >= used + 30;
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (cell, width) in row.cells().iter().zip(widths) {
            line += &format!("{cell:width$}  ");
        }
        match (beside, index) {
            (true, _) => wrap(&mut out, &line, used, row.about, columns),
            (false, 0) => put(&mut out, line.trim_end()),
            (false, _) => {
                put(&mut out, line.trim_end());
                wrap(&mut out, "    ", 4, row.about, columns);
            }
        }
    }
    out
}

/// All about one kind, at most so many columns wide.
#[must_use]
pub fn about(kind: &Kind, registry: &Registry, columns: usize) -> String {
    let mut out = String::new();
    write(&mut out, kind, registry, columns).expect("a string takes all that is written");
    out
}

fn write(out: &mut String, kind: &Kind, registry: &Registry, columns: usize) -> fmt::Result {
    wrap(out, &format!("{}: ", kind.name), 4, &format!("{}.", unstopped(kind.about)), columns);
    let row = Row::of(kind);
    let takes = if row.takes == "-" { "" } else { &format!(", over {}", row.takes) };
    writeln!(out, "    gives {}{takes}", row.gives)?;
    for usage in usages(kind) {
        writeln!(out, "\n{}:", usage.heading)?;
        wrap(out, "    ", 8, &usage.form, columns);
        params(out, usage.params.into_iter(), columns)?;
    }
    for alias in kind.aliases.iter().filter(|alias| !alias.params.is_empty()) {
        writeln!(out, "\nAs `{}` also:", alias.name)?;
        params(out, alias.params.iter(), columns)?;
    }
    if kind.listen.is_some() {
        writeln!(out, "\nAs every listener:")?;
        params(out, common(Role::Listen).iter(), columns)?;
    }
    if !kind.facts.is_empty() {
        writeln!(out, "\nFacts for templates:")?;
    }
    for fact in kind.facts {
        wrap(out, &format!("    {}: ", fact.name), 8, fact.about, columns);
    }
    let also = also(kind);
    if !also.is_empty() {
        writeln!(out, "\nAlso written:")?;
        for one in also {
            wrap(out, "    ", 8, &one, columns);
        }
    }
    if !kind.examples.is_empty() {
        writeln!(out, "\nExamples:")?;
    }
    for example in kind.examples {
        writeln!(out, "    {} {}", option(example.role), shell(example.descriptor))?;
        wrap(out, "        ", 8, example.about, columns);
    }
    let next = see_also(kind, registry);
    if !next.is_empty() {
        writeln!(out, "\nSee also: {}", next.join(", "))?;
    }
    Ok(())
}

fn params<'a>(
    out: &mut String,
    params: impl Iterator<Item = &'a Param>,
    columns: usize,
) -> fmt::Result {
    for (names, param) in rows(params) {
        let mut head = format!("{}: {}", names.join(", "), param.value.describe());
        match (param.default, &*default(param)) {
            (_, "") => {}
            (None, what) => head += &format!(" ({what})"),
            (Some(_), what) => head += &format!(" (default {what})"),
        }
        wrap(out, "    ", 8, &head, columns);
        wrap(out, "        ", 8, param.doc, columns);
    }
    Ok(())
}

/// Adds `text` behind `first`, broken between words; further lines are indented by `indent`.
fn wrap(out: &mut String, first: &str, indent: usize, text: &str, columns: usize) {
    let mut line = first.to_owned();
    let mut used = line.chars().count();
    let mut fresh = true;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if !fresh && used + 1 + width > columns {
            put(out, line.trim_end());
            line = " ".repeat(indent);
            used = indent;
            fresh = true;
        }
        if !fresh {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += width;
        fresh = false;
    }
    put(out, line.trim_end());
}

fn put(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}
