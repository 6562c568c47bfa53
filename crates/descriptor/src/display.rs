//! A descriptor as text again, canonically quoted.

use std::fmt;

use crate::quote::{Place, Style};
use crate::text::Builder;
use crate::{Descriptor, Text};

impl Descriptor {
    /// Returns the descriptor as text, quoted as by `Display`. Every piece keeps its place in the typed text, so
    /// the text can be an argument of another descriptor and be parsed again, with right carets.
    pub fn to_text(&self) -> Text {
        let mut text = Builder::default();
        let mut colon = false;
        for arg in &self.args {
            separate(&mut text, arg, &mut colon);
            put(&mut text, arg, Place::Positional);
        }
        for (name, value) in &self.kwargs {
            separate(&mut text, name, &mut colon);
            text.copy(name);
            text.made("=", value.span().before());
            put(&mut text, value, Place::Value);
        }
        text.finish(self.source().span())
    }
}

/// Canonical: positionals first, then keywords, each quoted in the most readable way. Parsing it with
/// [`Syntax::Extended`](crate::Syntax::Extended) gives an equal descriptor, if there is an argument at
/// all and the names of keywords are bare names; others exist in Twisted's syntax only.
impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_text().as_str())
    }
}

fn separate(text: &mut Builder, next: &Text, colon: &mut bool) {
    if std::mem::replace(colon, true) {
        text.made(":", next.span().before());
    }
}

fn put(text: &mut Builder, value: &Text, place: Place) {
    let dollars = value.as_str().match_indices("${");
    // An escaped `$` starts no hole of a template, and shall not start one when read again.
    let dollars: Vec<_> = dollars.map(|(at, _)| at).filter(|at| value.is_escaped(*at)).collect();
    let style = match Style::of(value.as_str(), place) {
        _ if !dollars.is_empty() => Style::Escaped,
        style => style,
    };
    match style {
        Style::Plain => text.copy(value),
        Style::Braced => {
            let span = value.span();
            text.made("{", span.before());
            text.copy(value);
            text.made("}", span.before());
        }
        Style::Escaped => {
            for (at, c) in value.as_str().char_indices() {
                let one = value.slice(at..at + c.len_utf8());
                if place.escapes(c) || dollars.binary_search(&at).is_ok() {
                    text.made("\\", one.span());
                }
                text.copy(&one);
            }
        }
    }
}
