//! Quoting text so that it is read back as it was.
//!
//! Three styles, the most readable one that works: as it stands, in braces, with backslashes. Each of
//! them is balanced in braces itself, so that a quoted text can be put into braces again.

use std::borrow::Cow;

use crate::{Syntax, grammar};

/// Quotes a positional argument for [`Syntax::Extended`](crate::Syntax::Extended).
pub fn quote_positional(text: &str) -> Cow<'_, str> {
    quote(text, Place::Positional)
}

/// Quotes the value of a keyword for [`Syntax::Extended`](crate::Syntax::Extended).
pub fn quote_value(text: &str) -> Cow<'_, str> {
    quote(text, Place::Value)
}

/// Quotes as Twisted's `quoteStringArgument` does: right for a keyword's value, and for a positional
/// without `=`, in [`Syntax::Twisted`](crate::Syntax::Twisted).
pub fn quote_twisted(text: &str) -> String {
    text.replace('\\', "\\\\").replace(':', "\\:")
}

/// Returns a text for people, with the descriptors between its backquotes in that syntax instead of
/// [`Syntax::Extended`]. Facts about clients (`${http.path}`) have braces in both.
pub fn in_syntax(text: &str, syntax: Syntax) -> Cow<'_, str> {
    if syntax == Syntax::Extended || !text.contains('{') {
        return Cow::Borrowed(text);
    }
    let pieces = text.split('`').enumerate().map(|(at, piece)| match at % 2 {
        1 => Cow::Owned(without_braces(piece)),
        _ => Cow::Borrowed(piece),
    });
    Cow::Owned(pieces.collect::<Vec<_>>().join("`"))
}

/// Replaces what is in braces by what Twisted's syntax has for it. A brace that isn't closed stays.
fn without_braces(code: &str) -> String {
    let mut written = String::with_capacity(code.len() + 8);
    let mut rest = code;
    while let Some(start) = rest.find('{') {
        let Some(length) = closing(&rest[start..]) else { break };
        let inner = &rest[start + 1..start + length];
        let is_fact = rest[..start].ends_with('$');
        written.push_str(&rest[..start]);
        let quoted = || quote_twisted(&without_braces(inner));
        if is_fact {
            written.push_str(&rest[start..=start + length]);
        } else if rest[..start].ends_with('=') {
            written.push_str(&quoted());
        } else {
            // A positional with a `=` would be a keyword.
            written.push_str(&quoted().replace('=', "\\="));
        }
        rest = &rest[start + length + 1..];
    }
    written + rest
}

/// Returns the place of the brace that closes the first one.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn quote(text: &str, place: Place) -> Cow<'_, str> {
    match Style::of(text, place) {
        Style::Plain => Cow::Borrowed(text),
        Style::Braced => Cow::Owned(format!("{{{text}}}")),
        Style::Escaped => {
            let mut quoted = String::with_capacity(text.len() + 8);
            for c in text.chars() {
                if place.escapes(c) {
                    quoted.push('\\');
                }
                quoted.push(c);
            }
            Cow::Owned(quoted)
        }
    }
}

/// The position of quoted text.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Place {
    Positional,
    Value,
}

impl Place {
    /// Returns `true` if `c` gets a backslash in [`Style::Escaped`]. With `=` among them in a
    /// positional, the result means the same in Twisted's syntax.
    pub(crate) fn escapes(self, c: char) -> bool {
        matches!(c, ':' | '\\' | '{' | '}') || (c == '=' && self == Self::Positional)
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Style {
    Plain,
    Braced,
    Escaped,
}

impl Style {
    pub(crate) fn of(text: &str, place: Place) -> Self {
        let balanced = grammar::is_balanced(text);
        let special = text.contains([':', '\\']) || text.starts_with('{');
        let positional = place == Place::Positional
            // Behind a kind, `//` would make a URL of it, for readers who know URLs.
            && (grammar::is_keyword(text) || text.starts_with("//"));
        match (balanced, special || positional) {
            (true, false) => Self::Plain,
            (true, true) => Self::Braced,
            (false, _) => Self::Escaped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_readable_style_that_works() {
        for (text, positional, value) in [
            ("", "", ""),
            ("9000", "9000", "9000"),
            ("tcp:9000", "{tcp:9000}", "{tcp:9000}"),
            ("a=b", "{a=b}", "a=b"),
            ("/?a=b", "/?a=b", "/?a=b"),
            ("//h", "{//h}", "//h"),
            ("/run/{app}.sock", "/run/{app}.sock", "/run/{app}.sock"),
            ("{a}", "{{a}}", "{{a}}"),
            ("a}", "a\\}", "a\\}"),
            ("a=}", "a\\=\\}", "a=\\}"),
            ("C:\\dir", "{C:\\dir}", "{C:\\dir}"),
            ("C:\\", "C\\:\\\\", "C\\:\\\\"),
            ("\\{", "{\\{}", "{\\{}"),
        ] {
            assert_eq!(quote_positional(text), positional, "{text}");
            assert_eq!(quote_value(text), value, "{text}");
        }
    }
}
