//! A place in the typed text.

use std::ops::Range;

/// A place in the typed text, in bytes. Empty if something is missing there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// Returns the length in bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Returns `true` if the span is a position between two bytes.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns the smallest span that covers both.
    pub fn union(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The empty span where this one starts.
    pub(crate) fn before(self) -> Self {
        Self { start: self.start, end: self.start }
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}
