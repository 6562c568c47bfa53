//! Quoting text so that it is read back as it was.
//!
//! Three styles, the most readable one that works: as it stands, in braces, with backslashes. Each of
//! them is balanced in braces itself, so that a quoted text can be put into braces again.

use std::borrow::Cow;

use crate::grammar;

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
