//! A command line, read by the options of one program.

use super::{Means, Takes, Tool};

/// The options and words that were typed.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    options: Vec<(&'a str, Means, &'a str)>,
    pub(super) words: Vec<&'a str>,
}

/// Reads it; `None` if an option isn't the program's.
pub(super) fn read<'a>(tool: &Tool, args: &[&'a str]) -> Option<Given<'a>> {
    let known = |name: &str| tool.options.iter().find(|option| option.names().contains(name));
    let mut given = Given::default();
    let mut args = args.iter().copied();
    while let Some(arg) = args.next() {
        if arg == "--" || arg == "-" || arg.starts_with("-,") || !arg.starts_with('-') {
            given.words.extend((arg != "--").then_some(arg));
            if tool.runs && !given.words.is_empty() || arg == "--" {
                given.words.extend(args.by_ref());
            }
            continue;
        }
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) if arg.starts_with("--") => (name, Some(value)),
            _ => (arg, None),
        };
        if let Some(option) = known(name) {
            let value = match option.1 {
                Takes::Value => value.or_else(|| args.next())?,
                Takes::Nothing => value.unwrap_or_default(),
            };
            given.options.push((name, option.2, value));
            continue;
        }
        // `-lvp 8080`, `-p8080`: the last one of them may have a value.
        let letters = arg.strip_prefix('-').filter(|rest| !rest.starts_with('-'))?;
        for (at, letter) in letters.char_indices() {
            let option = known(&format!("-{letter}"))?;
            let rest = &letters[at + letter.len_utf8()..];
            let value = match option.1 {
                Takes::Nothing => "",
                Takes::Value if rest.is_empty() => args.next()?,
                Takes::Value => rest,
            };
            given.options.push((option.names().first(), option.2, value));
            if option.1 == Takes::Value {
                break;
            }
        }
    }
    Some(given)
}

impl<'a> Given<'a> {
    /// Returns the value of the last such option.
    pub(super) fn value(&self, means: Means) -> Option<&'a str> {
        self.values(means).last()
    }

    pub(super) fn values(&self, means: Means) -> impl Iterator<Item = &'a str> {
        self.options.iter().filter(move |option| option.1 == means).map(|option| option.2)
    }

    pub(super) fn has(&self, means: Means) -> bool {
        self.value(means).is_some()
    }

    /// Returns `true` if no option was typed.
    pub(super) fn is_bare(&self) -> bool {
        self.options.is_empty()
    }

    /// Returns a note about the options that the line doesn't have.
    pub(super) fn absent(&self) -> Option<String> {
        let absent = self.options.iter().filter(|option| option.1 == Means::Absent);
        let mut names: Vec<_> = absent.map(|option| format!("`{}`", option.0)).collect();
        names.dedup();
        let verb = if names.len() == 1 { "is" } else { "are" };
        (!names.is_empty()).then(|| format!("{} {verb} left out", names.join(" and ")))
    }
}
