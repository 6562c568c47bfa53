//! Mistakes as a person reads them: a message, with carets under the mistake in the typed text.
//!
//! The output is printable, on one line and about a terminal wide, whatever was typed.

use std::borrow::Cow;
use std::fmt;

use unicode_width::UnicodeWidthStr;

use crate::{Diagnostic, Severity, Span};

/// Shows diagnostics with the text that they are about, sorted by place.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The whole text, as the user typed it.
    pub text: &'a str,
    /// The mistakes, in any order.
    pub diagnostics: &'a [Diagnostic],
    /// The width of the terminal: a line that is longer would move the carets away from their place.
    pub columns: usize,
}

impl<'a> Report<'a> {
    /// Creates a report of diagnostics whose spans are places in `text`.
    pub fn new(text: &'a str, diagnostics: &'a [Diagnostic]) -> Self {
        Self { text, diagnostics, columns: COLUMNS }
    }

    /// Shows the text in a terminal of so many columns, at most as many as suit a file.
    #[must_use]
    pub fn columns(self, columns: usize) -> Self {
        Self { columns: columns.clamp(FEWEST, COLUMNS), ..self }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted: Vec<_> = self.diagnostics.iter().collect();
        sorted.sort_by_key(|diagnostic| diagnostic.span);
        for (index, diagnostic) in sorted.into_iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let severity = match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            writeln!(f, "{severity}: {}", printable(&diagnostic.message))?;
            let line = Line::new(self.text, diagnostic.span, self.columns - AROUND);
            writeln!(f, "  | {}", line.text)?;
            writeln!(
                f,
                "  | {:indent$}{:^<carets$}",
                "",
                "",
                indent = line.indent,
                carets = line.carets
            )?;
            if let Some(help) = &diagnostic.help {
                writeln!(f, "  = help: {}", printable(help))?;
            }
        }
        Ok(())
    }
}

/// The text around a span, and where its carets go, in columns.
struct Line {
    text: String,
    indent: usize,
    carets: usize,
}

impl Line {
    fn new(text: &str, span: Span, columns: usize) -> Self {
        let start = boundary(text, span.start);
        let end = boundary(text, span.end).max(start);
        // The text from the caret on gets two thirds of the line, or the columns that the text before it leaves.
        let (before, after) = (&text[..start], &text[start..]);
        let most = columns - fitting(before.chars().rev(), columns / 3).1;
        let (right, used) = fitting(after.chars(), most);
        let (left, _) = fitting(before.chars().rev(), columns - used);
        let (first, last) = (start - left, start + right);

        let mut shown = String::new();
        if first > 0 {
            shown.push('…');
        }
        shown.push_str(&printable(&text[first..start]));
        let indent = shown.width();
        shown.push_str(&printable(&text[start..end.min(last)]));
        let carets = shown.width().saturating_sub(indent).max(1);
        shown.push_str(&printable(&text[end.min(last)..last]));
        if last < text.len() {
            shown.push('…');
        }
        Self { text: shown, indent, carets }
    }
}

/// Returns the number of bytes of `chars` that fit into `columns`, and the columns that they take.
fn fitting(chars: impl Iterator<Item = char>, columns: usize) -> (usize, usize) {
    let (mut bytes, mut used) = (0, 0);
    for c in chars {
        let mut buffer = [0; 4];
        // A character without a width counts too: a million of them is a long line all the same.
        let width = printable(c.encode_utf8(&mut buffer)).width().max(1);
        if used + width > columns {
            break;
        }
        (bytes, used) = (bytes + c.len_utf8(), used + width);
    }
    (bytes, used)
}

fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// `text` with everything escaped that a terminal would obey or hide.
fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' | '\0' => shown.extend(c.escape_debug()),
            c if is_unprintable(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Returns `true` if a terminal would interpret or hide `c`: control characters, and invisible ones that join, separate
/// or reorder their neighbours (U+202E, RIGHT-TO-LEFT OVERRIDE, is one).
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The widest report, which suits a file.
const COLUMNS: usize = 102;

/// A terminal of fewer columns breaks the lines of every program.
const FEWEST: usize = 20;

/// The margin in front of the text, and the `…` at either end of it.
const AROUND: usize = 6;
