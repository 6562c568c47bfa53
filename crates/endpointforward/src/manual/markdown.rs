//! The manual as markdown.

use std::fmt::{self, Write};

use plan::Registry;
use plan::kind::{FramingKind, Kind, Param, ProviderKind, Role, common};

use super::{
    Entry, HEAD, Row, also, entries, framings, option, providers, see_also, shell, topics,
    unstopped, usages,
};

/// Returns the table of all kinds, then a section for each.
#[must_use]
pub fn markdown(registry: &Registry) -> String {
    let mut out = String::new();
    write(&mut out, registry).expect("a string takes all that is written");
    out
}

/// Returns a table of the facts that templates can use.
#[must_use]
pub fn facts(registry: &Registry) -> String {
    let mut out = String::from("| fact | kinds | meaning |\n|---|---|---|\n");
    let mut known: Vec<_> = registry.facts().collect();
    known.sort_by_key(|(_, fact)| fact.name);
    // `tcp`, `tcp4` and `tcp6` have the same ones.
    for same in known.chunk_by(|(_, one), (_, other)| one == other) {
        let kinds: Vec<_> =
            same.iter().map(|(kind, _)| format!("[`{0}`](#{0})", kind.name)).collect();
        let (_, fact) = same[0];
        out += &format!("| `{}` | {} | {} |\n", fact.name, kinds.join(", "), cell(fact.about));
    }
    out
}

fn write(out: &mut String, registry: &Registry) -> fmt::Result {
    let [name, listen, connect, takes, gives] = HEAD.cells();
    writeln!(out, "| {name} | {listen} | {connect} | {takes} | {gives} | {} |", HEAD.about)?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for kind in registry.kinds() {
        let row = Row::of(kind);
        let [name, listen, connect, takes, gives] = row.cells();
        let about = cell(row.about);
        writeln!(
            out,
            "| [`{name}`](#{name}) | {listen} | {connect} | {takes} | {gives} | {about} |"
        )?;
    }
    writeln!(
        out,
        "\n*takes*: what a layer needs from the endpoint beneath it. *gives*: what its connections carry."
    )?;
    for kind in registry.kinds() {
        section(out, kind, registry)?;
    }
    writeln!(out, "\n### Every listener\n\nParameters of listeners of all kinds:\n")?;
    table(out, common(Role::Listen).iter())
}

fn section(out: &mut String, kind: &Kind, registry: &Registry) -> fmt::Result {
    writeln!(out, "\n### {}\n\n{}.", kind.name, unstopped(kind.about))?;
    for usage in usages(kind) {
        writeln!(out, "\n**{}:** `{}`", usage.heading, usage.form)?;
        let topics = topics(usage.params);
        let several = topics.len() > 1;
        for (topic, params) in topics {
            writeln!(out)?;
            if several {
                writeln!(out, "*{}*\n", topic.heading())?;
            }
            table(out, params.into_iter())?;
        }
    }
    for alias in kind.aliases.iter().filter(|alias| !alias.params.is_empty()) {
        writeln!(out, "\n**As `{}` also:**\n", alias.name)?;
        table(out, alias.params.iter())?;
    }
    write_framings(out, &framings(kind, registry))?;
    write_providers(out, &providers(kind, registry))?;
    let also = also(kind);
    if !also.is_empty() {
        writeln!(out, "\nAlso written {}.", also.join(", "))?;
    }
    if !kind.examples.is_empty() {
        writeln!(out, "\n```text")?;
        for (index, example) in kind.examples.iter().enumerate() {
            let gap = if index > 0 { "\n" } else { "" };
            let descriptor = shell(example.descriptor);
            writeln!(out, "{gap}# {}", example.about)?;
            writeln!(out, "{} {descriptor}", option(example.role))?;
        }
        writeln!(out, "```")?;
    }
    let next = see_also(kind, registry);
    if !next.is_empty() {
        let links: Vec<_> = next.iter().map(|name| format!("[`{name}`](#{name})")).collect();
        writeln!(out, "\nSee also {}.", links.join(", "))?;
    }
    Ok(())
}

/// Writes a table of framings, then the parameters of each.
fn write_framings(out: &mut String, framings: &[&FramingKind]) -> fmt::Result {
    if framings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n**Framings:**\n\n| framing | a message | its parameters |\n|---|---|---|")?;
    for framing in framings {
        let params: Vec<_> = framing.params.iter().map(|it| format!("`{}`", it.name)).collect();
        writeln!(
            out,
            "| `{}` | {} | {} |",
            framing.name,
            cell(framing.about),
            if params.is_empty() { "-".to_owned() } else { params.join(", ") }
        )?;
    }
    for framing in framings.iter().filter(|framing| !framing.params.is_empty()) {
        writeln!(out, "\n**`{}`:**\n", framing.name)?;
        table(out, framing.params.iter())?;
    }
    Ok(())
}

/// Writes providers of routes, each with its parameters.
fn write_providers(out: &mut String, providers: &[&ProviderKind]) -> fmt::Result {
    for provider in providers {
        writeln!(out, "\n**Provider `{}`**: {}.\n", provider.name, cell(provider.about))?;
        if !provider.params.is_empty() {
            table(out, provider.params.iter())?;
        }
    }
    Ok(())
}

fn table<'a>(out: &mut String, params: impl Iterator<Item = &'a Param>) -> fmt::Result {
    writeln!(out, "| parameter | value | default | meaning |\n|---|---|---|---|")?;
    for Entry { names, value, default, doc } in entries(params) {
        let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
        let (names, value, doc) = (names.join(", "), cell(&value), cell(doc));
        writeln!(out, "| {names} | {value} | {default} | {doc} |")?;
    }
    Ok(())
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
