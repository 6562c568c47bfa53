//! Suggestions for errors in parameters.

use descriptor::{Code, Diagnostic, Hole, Stage, Syntax, Text, nearest};

use super::reader::Reader;
use super::{Param, Topic, Value, ValueKind};
use crate::Registry;

/// Returns the form of the endpoint, in one line.
pub(super) fn form(reader: &Reader<'_>) -> String {
    if reader.is_switch {
        let names: Vec<_> = reader.all().map(|param| format!("`{}=…`", param.name)).collect();
        return match &*names {
            [] => format!("`{}` takes no parameters", reader.name),
            names => format!("the settings are {}, joined by `:`", names.join(", ")),
        };
    }
    let mut form = reader.name.to_owned();
    // The limits of every listener would hide what is the kind's own.
    let is_common_limit = |param: &Param| {
        param.topic == Topic::Limits && reader.common.iter().any(|other| other.name == param.name)
    };
    let params = || reader.all().filter(|param| !is_common_limit(param));
    let named = params().filter(|param| !param.positional).count();
    for param in params() {
        let name = param.name.to_ascii_uppercase();
        match (param.positional, param.rest || !param.required) {
            (true, false) => form += &format!(":{name}"),
            (true, true) => form += &format!("[:{name}]"),
            (false, _) if named > MOST => {}
            (false, _) if param.prefix => form += &format!("[:{}NAME=…]", param.name),
            (false, _) => form += &format!("[:{}=…]", param.name),
        }
    }
    if named > MOST {
        let name = reader.name;
        return format!("the form is `{form}[:NAME=…]…`; `help {name}` lists the names");
    }
    format!("the form is `{form}`")
}

/// Returns the description of a required parameter.
pub(super) fn wanted(param: &Param, syntax: Syntax) -> String {
    match (param.value, syntax) {
        (value, Syntax::Extended) if value.is_endpoint() => {
            "an endpoint to run over, in braces or with `:` as `\\:`".to_owned()
        }
        (value, Syntax::Twisted) if value.is_endpoint() => {
            "an endpoint to run over, with `:` as `\\:`".to_owned()
        }
        _ => format!("`{}`", param.name),
    }
}

/// Several settings were joined as lists are elsewhere: `level=6,threshold=512`.
pub(super) fn joined(reader: &Reader<'_>, param: &Param, text: &str) -> Option<String> {
    let (first, rest) = text.split_once([',', ';'])?;
    let (name, _) = rest.trim_start().split_once('=')?;
    reader
        .all()
        .any(|param| param.is_called(name))
        .then(|| format!("join settings by `:`: `{}={first}:{}`", param.name, rest.trim_start()))
}

/// No known kind declares a fact of this name: a connection without it is refused when the template is filled. A
/// listener may be made of other kinds elsewhere, so it is taken.
pub(super) fn unknown_fact(hole: &Hole, registry: &Registry) -> Diagnostic {
    let name = format!("{}.{}", hole.root, hole.name);
    let help = match nearest(&name, registry.facts().map(|(_, fact)| fact.name)) {
        Some(near) => format!("did you mean `${{{near}}}`?"),
        None => {
            let facts: Vec<_> = registry.facts().map(|(_, fact)| fact.name).collect();
            format!("the facts are {}", facts.join(", "))
        }
    };
    let message = format!("no kind has a fact `{name}`");
    Diagnostic::warning(Stage::Plan, Code::UnknownFact, hole.span, message).help(help)
}

/// Text that looks like a hole, `${tls.sni}`, although no known kind has such facts: it stays text.
pub(super) fn unknown_roots<'t>(
    text: &'t Text,
    roots: &'t [&str],
) -> impl Iterator<Item = Diagnostic> + 't {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    };
    let typed = text.as_str();
    typed.match_indices("${").filter_map(move |(at, _)| {
        let length = typed[at..].find('}')?;
        let (root, name) = typed[at + 2..at + length].split_once('.')?;
        let looks_like_one = is_word(root) && name.split('.').all(is_word);
        if typed[..at].ends_with('\\') || !looks_like_one || roots.contains(&root) {
            return None;
        }
        let message = format!("no kind has facts of `{root}`: this is taken as text");
        let help = match nearest(root, roots.iter().copied()) {
            Some(near) => format!("did you mean `${{{near}.{name}}}`?"),
            None => format!("facts begin with {}", roots.join(", ")),
        };
        let span = text.slice(at..at + length + 1).span();
        Some(Diagnostic::warning(Stage::Plan, Code::UnknownFact, span, message).help(help))
    })
}

/// Returns a hint with the probable meaning of an invalid value.
pub(super) fn mend(kind: ValueKind, text: &str, syntax: Syntax) -> Option<String> {
    let meant = match kind {
        ValueKind::Choice(words) => nearest(text, words.iter().copied()).map(str::to_owned),
        ValueKind::Bool => nearest(text, BOOL.iter().copied()).map(str::to_owned),
        ValueKind::Switch(inside) => {
            let word = nearest(text, BOOL.iter().copied()).map(str::to_owned);
            let Some(first) = inside.iter().find(|_| word.is_none()) else {
                return word.map(|word| format!("did you mean `{word}`?"));
            };
            let (open, close) = if syntax == Syntax::Extended { ("{", "}") } else { ("", "") };
            let value = first.default.unwrap_or("…");
            return Some(format!("write settings as `{open}{}={value}{close}`", first.name));
        }
        ValueKind::Duration => Some(duration(text)),
        ValueKind::Size => Some(size(text)),
        _ => Some(mended(text)),
    };
    let meant = meant.filter(|meant| meant != text && Value::read(kind, meant).is_some())?;
    Some(format!("did you mean `{meant}`?"))
}

/// A number as it was probably meant: without separators, and letters that look like digits as those.
pub(crate) fn mended(text: &str) -> String {
    let digit = |c: char| match c {
        'o' | 'O' => '0',
        'l' | 'I' => '1',
        c => c,
    };
    text.trim().chars().filter(|c| !matches!(c, '_' | ',')).map(digit).collect()
}

fn duration(text: &str) -> String {
    let (number, unit) = number_and_unit(text);
    let unit = match &*unit {
        "msec" | "msecs" | "millisecond" | "milliseconds" => "ms",
        "sec" | "secs" | "second" | "seconds" => "s",
        "mins" | "minute" | "minutes" => "m",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "" if NOTHING.contains(&&*number) => return "0".to_owned(),
        unit => unit,
    };
    // A comma is a decimal point to many, and a separator only before three digits.
    let decimal = number.split_once(',').filter(|(_, rest)| rest.len() != 3);
    match decimal {
        Some((whole, rest)) => format!("{whole}.{rest}{unit}"),
        None => format!("{}{unit}", mended(&number)),
    }
}

fn size(text: &str) -> String {
    let (number, unit) = number_and_unit(text);
    let unit = match &*unit {
        "b" | "byte" | "bytes" => "",
        "kb" | "kib" => "k",
        "mb" | "mib" => "M",
        "gb" | "gib" => "G",
        "" if NOTHING.contains(&&*number) => return "0".to_owned(),
        unit => unit,
    };
    format!("{}{unit}", mended(&number))
}

/// Both in lower case; a word without a number is the number.
fn number_and_unit(text: &str) -> (String, String) {
    let text = text.trim().to_ascii_lowercase();
    match text.rfind(|c: char| c.is_ascii_digit()) {
        Some(last) => {
            let (number, unit) = text.split_at(last + 1);
            (number.trim().to_owned(), unit.trim().to_owned())
        }
        None => (text, String::new()),
    }
}

const BOOL: &[&str] = &["true", "false", "yes", "no", "on", "off"];

/// Words for which 0 is meant, where 0 turns something off.
const NOTHING: &[&str] = &["off", "never", "none", "no", "false", "disabled", "unlimited"];

/// The maximum number of named parameters that are listed in one line.
const MOST: usize = 8;
