//! Text that remembers where each of its bytes was typed.
//!
//! A nested descriptor is an argument of the outer one, unescaped. To map it back to the typed text, a text keeps
//! runs: stretches of its value that were typed the same way. A verbatim quote is a slice of the text around it and
//! costs nothing; an escape makes a separate run.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use crate::Span;

/// Unescaped text with the place in the typed text of each of its bytes. Cheap to clone and to slice.
/// Compared by its value alone.
#[derive(Clone)]
pub struct Text {
    whole: Arc<Whole>,
    start: usize,
    end: usize,
}

impl Text {
    /// Returns the whole text that the user typed.
    pub fn typed(text: &str) -> Self {
        let mut builder = Builder::default();
        builder.push(text, Span { start: 0, end: text.len() }, How::Plain);
        builder.finish(Span::default())
    }

    /// Creates text that was not typed. Diagnostics about it are shown at `at`.
    pub fn synthetic(value: &str, at: Span) -> Self {
        let mut builder = Builder::default();
        builder.push(value, at, How::Made);
        builder.finish(at)
    }

    /// Concatenates the parts; each keeps its place in the typed text.
    pub fn concat(parts: &[Self]) -> Self {
        let mut builder = Builder::default();
        for part in parts {
            builder.copy(part);
        }
        builder.finish(parts.first().map_or_else(Span::default, Self::span))
    }

    /// Returns the value.
    pub fn as_str(&self) -> &str {
        &self.whole.value[self.start..self.end]
    }

    /// Returns the place in the typed text, without the quotes around it.
    pub fn span(&self) -> Span {
        self.span_of(0..self.len())
    }

    /// Returns the place in the typed text of the bytes `range` of the value. The span of an
    /// escaped character covers its backslashes. A range beyond the end is cut off there.
    pub fn span_of(&self, range: Range<usize>) -> Span {
        let start = self.start + range.start.min(self.len());
        let end = self.start + range.end.clamp(start - self.start, self.len());
        if start < end {
            self.whole.span_of(start..end)
        } else if start == self.end && start > self.start {
            let after = self.whole.span_of(start - 1..start).end;
            Span { start: after, end: after }
        } else {
            self.whole.span_at(start)
        }
    }

    /// Returns the bytes `range` of the value. A range beyond the end is cut off there, one through a
    /// character takes all of the character.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let value = self.as_str();
        let mut start = range.start.min(value.len());
        let mut end = range.end.clamp(start, value.len());
        while !value.is_char_boundary(start) {
            start -= 1;
        }
        while !value.is_char_boundary(end) {
            end += 1;
        }
        Self { whole: self.whole.clone(), start: self.start + start, end: self.start + end }
    }

    /// Returns the length of the value in bytes.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Returns `true` if the value is empty.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Returns `true` if the character at `offset` was typed with a backslash before it, at any
    /// level.
    pub fn is_escaped(&self, offset: usize) -> bool {
        offset < self.len() && self.whole.run_at(self.start + offset).1.how == How::Escaped
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { start, end } = self.span();
        write!(f, "{:?}@{start}..{end}", self.as_str())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

// === building ===

/// Puts a text together out of pieces that were typed differently.
#[derive(Default)]
pub(crate) struct Builder {
    value: String,
    runs: Vec<Run>,
}

impl Builder {
    /// Adds the text that was typed at `typed`.
    fn push(&mut self, value: &str, typed: Span, how: How) {
        if value.is_empty() {
            return;
        }
        let goes_on = self.runs.last().is_some_and(|last| {
            let end = last.typed.start + (self.value.len() - last.at);
            last.how == How::Plain && how == How::Plain && end == typed.start
        });
        if goes_on {
            if let Some(last) = self.runs.last_mut() {
                last.typed.end = typed.end;
            }
        } else {
            self.runs.push(Run { at: self.value.len(), typed, how });
        }
        self.value.push_str(value);
    }

    /// Adds a text as it is.
    pub(crate) fn copy(&mut self, text: &Text) {
        let whole = &text.whole;
        let mut at = text.start;
        let mut index = if text.is_empty() { 0 } else { whole.run_at(at).0 };
        while at < text.end {
            let end = whole.run_end(index).min(text.end);
            let (run, value) = (whole.runs[index], &whole.value[at..end]);
            self.push(value, run.span_of(at..end), run.how);
            (at, index) = (end, index + 1);
        }
    }

    /// Adds text that we made, such as a quote, blamed on `at`.
    pub(crate) fn made(&mut self, value: &str, at: Span) {
        self.push(value, at, How::Made);
    }

    /// Adds the last character of `pair`, a backslash and that character.
    pub(crate) fn escaped(&mut self, pair: &Text) {
        if let Some((offset, _)) = pair.as_str().char_indices().next_back() {
            self.push(&pair.as_str()[offset..], pair.span(), How::Escaped);
        }
    }

    /// The text; `at` is where it is if it is empty.
    pub(crate) fn finish(mut self, at: Span) -> Text {
        if self.runs.is_empty() {
            self.runs.push(Run { at: 0, typed: at, how: How::Made });
        }
        let end = self.value.len();
        Text { whole: Arc::new(Whole { value: self.value, runs: self.runs }), start: 0, end }
    }
}

// === runs ===

struct Whole {
    value: String,
    /// In order, without gaps; never empty, so that the empty text has a place too.
    runs: Vec<Run>,
}

/// A stretch of the value, up to the next run.
#[derive(Clone, Copy)]
struct Run {
    at: usize,
    typed: Span,
    how: How,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    /// Byte by byte as it stands.
    Plain,
    /// One character behind backslashes: it belongs to all of the span.
    Escaped,
    /// Not at all: we made it, and the span is to blame.
    Made,
}

impl Whole {
    fn run_at(&self, at: usize) -> (usize, Run) {
        let index = self.runs.partition_point(|run| run.at <= at).saturating_sub(1);
        (index, self.runs[index])
    }

    fn run_end(&self, index: usize) -> usize {
        self.runs.get(index + 1).map_or(self.value.len(), |next| next.at)
    }

    /// Returns the span of at least one byte. The pieces may have been typed in another order.
    fn span_of(&self, range: Range<usize>) -> Span {
        let (mut index, first) = self.run_at(range.start);
        let mut span = first.span_of(range.start..range.end.min(self.run_end(index)));
        while self.run_end(index) < range.end {
            index += 1;
            let run = self.runs[index];
            span = span.union(run.span_of(run.at..range.end.min(self.run_end(index))));
        }
        span
    }

    /// Before the byte `at`, or after the last one.
    fn span_at(&self, at: usize) -> Span {
        let (_, run) = self.run_at(at);
        let place = match run.how {
            // The only run of an empty text: its span may be all that we know.
            How::Made if self.value.is_empty() => return run.typed,
            How::Plain => run.typed.start + (at - run.at),
            How::Escaped | How::Made if at == self.value.len() => run.typed.end,
            How::Escaped | How::Made => run.typed.start,
        };
        Span { start: place, end: place }
    }
}

impl Run {
    fn span_of(self, range: Range<usize>) -> Span {
        match self.how {
            How::Plain => {
                let start = self.typed.start + (range.start - self.at);
                Span { start, end: start + range.len() }
            }
            How::Escaped | How::Made => self.typed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_of_a_slice_keeps_its_place() {
        let text = Text::typed("tcp:9000").slice(4..8);
        assert_eq!(text.span(), Span { start: 4, end: 8 });
        assert_eq!(text.slice(1..2).span(), Span { start: 5, end: 6 });
        assert_eq!(text.slice(4..4).span(), Span { start: 8, end: 8 });
    }

    #[test]
    fn ranges_beyond_the_end_or_through_a_character_dont_panic() {
        let text = Text::typed("né");
        assert_eq!(text.slice(2..99).as_str(), "é");
        assert_eq!(text.slice(99..100).as_str(), "");
        assert_eq!(text.span_of(99..100), Span { start: 3, end: 3 });
    }

    #[test]
    fn parts_keep_their_places_in_any_order() {
        let typed = Text::typed("abc");
        let at = Span { start: 1, end: 2 };
        let text = Text::concat(&[typed.slice(2..3), Text::synthetic("--", at), typed.slice(0..1)]);
        assert_eq!(text.as_str(), "c--a");
        assert_eq!(text.span(), Span { start: 0, end: 3 });
        assert_eq!(text.span_of(1..2), at);
        assert_eq!(text.span_of(3..4), Span { start: 0, end: 1 });
    }

    #[test]
    fn parts_that_were_typed_apart_stay_apart() {
        let typed = Text::typed("abcd");
        let text = Text::concat(&[typed.slice(2..4), typed.slice(0..1), typed.slice(1..2)]);
        assert_eq!(text.as_str(), "cdab");
        let spans: Vec<_> = (0..4).map(|at| text.span_of(at..at + 1).start).collect();
        assert_eq!(spans, [2, 3, 0, 1]);
        assert_eq!(text.slice(1..3).span(), Span { start: 0, end: 4 });
    }

    #[test]
    fn an_empty_text_is_somewhere() {
        let at = Span { start: 3, end: 7 };
        assert_eq!(Text::synthetic("", at).span(), at);
        assert_eq!(Text::concat(&[]).span(), Span::default());
        assert_eq!(Text::typed("").span(), Span::default());
    }
}
