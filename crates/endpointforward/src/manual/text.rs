//! The manual for a terminal of any width.

use std::fmt::{self, Write};

use plan::Registry;
use plan::kind::{Example, Kind, Param, Role, ValueKind, common};

use super::{
    Entry, HEAD, Row, also, entries, framings, option, providers, see_also, shell, topics,
    unstopped, usages,
};

/// Returns the table of all kinds, in at most `columns` columns.
#[must_use]
pub fn matrix(registry: &Registry, columns: usize) -> String {
    let rows: Vec<_> =
        [HEAD].into_iter().chain(registry.kinds().iter().copied().map(Row::of)).collect();
    let widths: [usize; 5] = std::array::from_fn(|at| {
        rows.iter().map(|row| row.cells()[at].chars().count()).max().unwrap_or_default()
    });
    let used: usize = widths.iter().map(|width| width + 2).sum();
    // To the right of the matrix if a good part of a sentence fits there, otherwise below it.
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

/// Returns the manual of one kind, in at most `columns` columns.
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
    let (everyday, more) = kind.examples.split_at(kind.examples.len().min(EVERYDAY));
    examples(out, "Examples", everyday, columns)?;
    let mut is_short = true;
    for usage in usages(kind) {
        writeln!(out, "\n{}:", usage.heading)?;
        wrap(out, "    ", 8, &usage.form, columns);
        let topics = topics(usage.params);
        let several = topics.len() > 1;
        for (topic, params) in topics {
            if several {
                writeln!(out, "  {}:", topic.heading())?;
            }
            for param in params {
                is_short &= short(out, param, columns);
            }
        }
    }
    for provider in providers(kind, registry) {
        let about = format!("{}.", unstopped(provider.about));
        wrap(out, &format!("\nProvider {}: ", provider.name), 4, &about, columns);
        for param in provider.params {
            is_short &= short(out, param, columns);
        }
    }
    for alias in kind.aliases.iter().filter(|alias| !alias.params.is_empty()) {
        writeln!(out, "\nAs `{}` also:", alias.name)?;
        params(out, alias.params.iter(), columns)?;
    }
    for framing in framings(kind, registry) {
        let about = format!("{}.", unstopped(framing.about));
        wrap(out, &format!("\nFraming {}: ", framing.name), 4, &about, columns);
        params(out, framing.params.iter(), columns)?;
    }
    if kind.listen.is_some() {
        writeln!(out, "\nAll listeners:")?;
        for param in common(Role::Listen) {
            is_short &= short(out, param, columns);
        }
    }
    if !is_short {
        let name = kind.name;
        wrap(
            out,
            "\n",
            0,
            &format!(
                "`help {name} PARAMETER` prints the whole text of a parameter that ends in `…`."
            ),
            columns,
        );
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
    examples(out, "More examples", more, columns)?;
    let next = see_also(kind, registry);
    if !next.is_empty() {
        writeln!(out, "\nSee also: {}", next.join(", "))?;
    }
    Ok(())
}

/// Returns the manual of a parameter of a kind, for each side, provider and framing that has it; `None` if none does.
#[must_use]
pub fn parameter(kind: &Kind, name: &str, registry: &Registry, columns: usize) -> Option<String> {
    let mut out = String::new();
    for usage in usages(kind) {
        let is_it = |param: &&&Param| {
            param.is_called(name) || param.name.trim_end_matches('.') == name.trim_end_matches('.')
        };
        if let Some(param) = usage.params.iter().find(is_it) {
            let gap = if out.is_empty() { "" } else { "\n" };
            out += &format!("{gap}{}, {}:\n", usage.heading, param.topic.heading().to_lowercase());
            params(&mut out, std::iter::once(*param), columns).ok()?;
        }
    }
    let common = common(Role::Listen).iter().find(|param| param.is_called(name));
    if let Some(param) = common.filter(|_| out.is_empty() && kind.listen.is_some()) {
        out += "All listeners:\n";
        params(&mut out, std::iter::once(param), columns).ok()?;
    }
    let providers = providers(kind, registry).into_iter();
    let providers = providers.map(|it| (format!("Provider {}", it.name), it.params));
    let framings = framings(kind, registry).into_iter();
    let framings = framings.map(|it| (format!("Framing {}", it.name), it.params));
    for (heading, all) in providers.chain(framings) {
        if let Some(param) = all.iter().find(|param| param.is_called(name)) {
            let gap = if out.is_empty() { "" } else { "\n" };
            out += &format!("{gap}{heading}:\n");
            params(&mut out, std::iter::once(param), columns).ok()?;
        }
    }
    (!out.is_empty()).then_some(out)
}

fn examples(out: &mut String, heading: &str, all: &[Example], columns: usize) -> fmt::Result {
    if !all.is_empty() {
        writeln!(out, "\n{heading}:")?;
    }
    for example in all {
        writeln!(out, "    {} {}", option(example.role), shell(example.descriptor))?;
        wrap(out, "        ", 8, example.about, columns);
    }
    Ok(())
}

/// Adds a parameter in [`LINES`] lines at most; whether that was all.
fn short(out: &mut String, param: &Param, columns: usize) -> bool {
    let mut text = String::new();
    wrap(&mut text, "    ", 8, &head(&Entry::of(param, |name| name)), columns);
    wrap(&mut text, "        ", 8, param.doc, columns);
    let inside = matches!(param.value, ValueKind::Switch(_) | ValueKind::Variants(_));
    let lines: Vec<_> = text.lines().collect();
    if lines.len() <= LINES && !inside {
        *out += &text;
        return true;
    }
    let shown = &lines[..lines.len().min(LINES)];
    let (last, before) = shown.split_last().expect("a parameter has a name");
    for line in before {
        put(out, line);
    }
    // Cut between words, so that the mark has room.
    let mut last = (*last).to_owned();
    while last.chars().count() + 2 > columns {
        match last.rfind(' ') {
            Some(at) if !last[..at].trim().is_empty() => last.truncate(at),
            _ => break,
        }
    }
    put(out, &format!("{last} …"));
    false
}

/// Returns a parameter's names, its value and its default.
fn head(entry: &Entry) -> String {
    let Entry { names, value, default, .. } = entry;
    let names = names.join(", ");
    let head = if value.is_empty() { names } else { format!("{names}: {value}") };
    match &**default {
        "" => head,
        "required" => format!("{head} (required)"),
        default => format!("{head} (default {default})"),
    }
}

fn params<'a>(
    out: &mut String,
    params: impl Iterator<Item = &'a Param>,
    columns: usize,
) -> fmt::Result {
    for entry in entries(params) {
        wrap(out, "    ", 8, &head(&entry), columns);
        wrap(out, "        ", 8, entry.doc, columns);
    }
    Ok(())
}

/// Adds `text` behind `first`, broken between words; further lines are indented by `indent`.
pub(crate) fn wrap(out: &mut String, first: &str, indent: usize, text: &str, columns: usize) {
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

/// Examples at the top of a kind's help: the others come further below.
const EVERYDAY: usize = 3;

/// Lines of a parameter in its kind's help.
const LINES: usize = 3;
