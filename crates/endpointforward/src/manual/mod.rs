//! The manual of kinds, made from their definitions: as text for a terminal, as markdown for
//! descriptors.md.
//!
//! It walks a [`Registry`], so a command with additional kinds has its manual too.

mod markdown;
mod text;

use plan::Registry;
use plan::kind::{
    FramingKind, Kind, Param, ProviderKind, Role, Shape, Takes, Topic, ValueKind, common,
};

pub use self::markdown::{facts, markdown};
pub(crate) use self::text::wrap;
pub use self::text::{about, matrix, parameter};

/// Returns the exit statuses of the command, and when it ends with each, as `--help` has them.
pub fn exit_statuses() -> impl Iterator<Item = (u8, &'static str)> {
    crate::command::exit::statuses()
}

/// Returns a descriptor as typed into a shell, quoted if necessary.
///
/// ```
/// use endpointforward::manual::shell;
/// assert_eq!(shell("ws:{tcp:9000}"), "ws:{tcp:9000}");
/// assert_eq!(shell("process:echo:it's"), r"'process:echo:it'\''s'");
/// ```
#[must_use]
pub fn shell(descriptor: &str) -> String {
    // Braces without a comma inside are text to sh, bash, zsh and fish.
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/=@%+{}".contains(c);
    if !descriptor.is_empty() && descriptor.chars().all(plain) {
        return descriptor.to_owned();
    }
    format!("'{}'", descriptor.replace('\'', r"'\''"))
}

/// Returns the parameters that the help of a kind describes: those of its sides, of its providers and of its framings.
pub(crate) fn params(kind: &Kind, registry: &Registry) -> Vec<&'static Param> {
    let sides = [Role::Listen, Role::Connect].into_iter().flat_map(|role| kind.params(role));
    let providers = providers(kind, registry).into_iter().flat_map(|it| it.params);
    let framings = framings(kind, registry).into_iter().flat_map(|it| it.params);
    sides.chain(providers).chain(framings).collect()
}

/// One line of the matrix.
struct Row {
    name: &'static str,
    listen: &'static str,
    connect: &'static str,
    takes: &'static str,
    gives: &'static str,
    about: &'static str,
}

const HEAD: Row = Row {
    name: "kind",
    listen: "listen",
    connect: "connect",
    takes: "takes",
    gives: "gives",
    about: "description",
};

impl Row {
    fn of(kind: &Kind) -> Self {
        let sign = |can: bool| if can { "yes" } else { "-" };
        let gives = Shape::describe;
        let shapes = (
            kind.listen.as_ref().map(|side| gives(side.gives)),
            kind.connect.as_ref().map(|side| gives(side.gives)),
        );
        Self {
            name: kind.name,
            listen: sign(kind.listen.is_some()),
            connect: sign(kind.connect.is_some()),
            takes: takes(kind).map_or("-", |takes| match takes {
                Takes::Any => "either",
                Takes::Bytes => "bytes",
                Takes::Messages => "messages",
            }),
            gives: match shapes {
                (Some(listen), Some(connect)) if listen != connect => "either",
                (Some(shape), _) | (None, Some(shape)) => shape,
                (None, None) => "-",
            },
            about: kind.about,
        }
    }

    fn cells(&self) -> [&'static str; 5] {
        [self.name, self.listen, self.connect, self.takes, self.gives]
    }
}

/// Returns the shape that a layer needs beneath it.
fn takes(kind: &Kind) -> Option<Takes> {
    [Role::Listen, Role::Connect].into_iter().find_map(|role| kind.form(role)?.takes)
}

/// A side, or both where they take the same: its heading, its form and its parameters.
struct Usage {
    heading: &'static str,
    form: String,
    params: Vec<&'static Param>,
}

fn usages(kind: &Kind) -> Vec<Usage> {
    let usage = |heading, params: Vec<_>| Usage { heading, form: form(kind, &params), params };
    let (listen, connect) = (own(kind, Role::Listen), own(kind, Role::Connect));
    match (&kind.listen, &kind.connect) {
        (Some(_), Some(_)) if same(&listen, &connect) => {
            vec![usage("Listening and connecting", listen)]
        }
        (None, None) => Vec::new(),
        (Some(_), None) => vec![usage("Listening", listen)],
        (None, Some(_)) => vec![usage("Connecting", connect)],
        (Some(_), Some(_)) => vec![usage("Listening", listen), usage("Connecting", connect)],
    }
}

/// The parameters of a side, without those of every kind.
fn own(kind: &Kind, role: Role) -> Vec<&'static Param> {
    let common = common(role);
    // A kind may have a parameter of the same name, which it knows better.
    let is_common = |param: &Param| common.iter().any(|other| std::ptr::eq(other, param));
    kind.params(role).into_iter().filter(|param| !is_common(param)).collect()
}

fn same(one: &[&Param], other: &[&Param]) -> bool {
    let said = |param: &&Param| (param.name, param.doc, param.default, param.required);
    one.iter().map(said).eq(other.iter().map(said))
}

/// `tcp:PORT[:INTERFACE][:NAME=VALUE…]`.
fn form(kind: &Kind, params: &[&Param]) -> String {
    let mut form = kind.name.to_owned();
    for param in params.iter().filter(|param| param.positional) {
        let name = param.name.to_uppercase();
        let name = if param.value.is_endpoint() { format!("{{{name}}}") } else { name };
        let more = if param.rest { "…" } else { "" };
        form += &match param.required && !param.rest {
            true => format!(":{name}"),
            false => format!("[:{name}{more}]"),
        };
    }
    if params.iter().any(|param| !param.positional) {
        form += "[:NAME=VALUE…]";
    }
    form
}

/// A parameter's names: with a prefix, what may follow it.
fn names(param: &Param) -> Vec<String> {
    let more = if param.prefix { "NAME" } else { "" };
    [param.name].iter().chain(param.aliases).map(|name| format!("{name}{more}")).collect()
}

/// The manual's entry for a parameter, or for a part of one.
struct Entry {
    names: Vec<String>,
    /// The description of its value.
    value: String,
    /// Its default.
    default: String,
    doc: &'static str,
}

impl Entry {
    fn of(param: &Param, within: impl Fn(String) -> String) -> Self {
        let names = names(param).into_iter().map(within).collect();
        Self { names, value: param.value.describe(), default: default(param), doc: param.doc }
    }
}

/// Parameters, each followed by what it has in braces.
fn entries<'a>(params: impl Iterator<Item = &'a Param>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for param in params {
        entries.push(Entry::of(param, |name| name));
        match param.value {
            ValueKind::Switch(inside) => {
                let within = |name| format!("{}={{{name}=…}}", param.name);
                entries.extend(inside.iter().map(|inner| Entry::of(inner, within)));
            }
            ValueKind::Variants(all) => {
                for variant in all {
                    let positional = variant.params.iter().filter(|inner| inner.positional);
                    let places: String =
                        positional.map(|inner| format!(":{}", inner.name.to_uppercase())).collect();
                    let (open, close) =
                        if variant.params.is_empty() { ("", "") } else { ("{", "}") };
                    let name = format!("{}={open}{}{places}{close}", param.name, variant.name);
                    let (value, default) = (String::new(), String::new());
                    entries.push(Entry { names: vec![name], value, default, doc: variant.about });
                    let within = |name| format!("{}={{{}:{name}=…}}", param.name, variant.name);
                    entries.extend(variant.params.iter().map(|inner| Entry::of(inner, within)));
                }
            }
            _ => {}
        }
    }
    entries
}

/// Parameters by their topics, in order; those of one as they are defined.
fn topics(params: Vec<&Param>) -> Vec<(Topic, Vec<&Param>)> {
    let mut params = params;
    params.sort_by_key(|param| param.topic);
    let chunks = params.chunk_by(|one, other| one.topic == other.topic);
    chunks.map(|chunk| (chunk[0].topic, chunk.to_vec())).collect()
}

/// Returns the default of a parameter.
fn default(param: &Param) -> String {
    match param.default {
        Some("") => "empty".to_owned(),
        Some(default) => format!("`{default}`"),
        None if param.required => "required".to_owned(),
        None => String::new(),
    }
}

/// Other ways to write a kind: its aliases, and the URLs that stand for it.
fn also(kind: &Kind) -> Vec<String> {
    let aliases = kind.aliases.iter().map(|alias| {
        let mut text = format!("`{}`", alias.name);
        if !alias.about.is_empty() {
            text += &format!(": {}", unstopped(alias.about));
        }
        let changed = alias.defaults.iter().map(|(name, value)| format!("`{name}={value}`"));
        let changed: Vec<_> = changed.collect();
        if !changed.is_empty() {
            text += &format!(" (default {})", changed.join(", "));
        }
        text
    });
    let urls = kind
        .schemes
        .iter()
        .filter(|scheme| scheme.listed)
        .map(|scheme| format!("`{}://…`", scheme.name));
    aliases.chain(urls).collect()
}

/// The framings to describe with a kind: those that it brings, or all if its own parameters select one.
fn framings(kind: &Kind, registry: &Registry) -> Vec<&'static FramingKind> {
    if !has(kind, |value| matches!(value, ValueKind::FramingBeside)) {
        return kind.framings.to_vec();
    }
    // The first one of a name is planned.
    let is_first =
        |it: &&FramingKind| registry.framing(it.name).is_some_and(|first| std::ptr::eq(first, *it));
    registry.framings().filter(is_first).collect()
}

/// The providers of routes to describe with a kind: those that it brings, or all if its own parameters select one.
fn providers(kind: &Kind, registry: &Registry) -> Vec<&'static ProviderKind> {
    if !has(kind, |value| matches!(value, ValueKind::ProviderBeside)) {
        return kind.providers.to_vec();
    }
    let is_first = |it: &&ProviderKind| {
        registry.provider(it.name).is_some_and(|first| std::ptr::eq(first, *it))
    };
    registry.providers().filter(is_first).collect()
}

/// Returns `true` if a parameter of either side has such a value.
fn has(kind: &Kind, is_it: impl Fn(&ValueKind) -> bool) -> bool {
    let params = [Role::Listen, Role::Connect].into_iter().flat_map(|role| kind.params(role));
    params.into_iter().any(|param| is_it(&param.value))
}

fn unstopped(sentence: &str) -> &str {
    sentence.trim_end_matches('.')
}

fn option(role: Role) -> &'static str {
    match role {
        Role::Listen => "-e",
        Role::Connect => "-d",
    }
}

/// The kinds to read about next that there are.
fn see_also(kind: &Kind, registry: &Registry) -> Vec<&'static str> {
    kind.see_also.iter().copied().filter(|name| registry.find(name).is_some()).collect()
}
