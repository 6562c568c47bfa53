//! A list of words in a table.

use std::fmt;

/// Words that never have a blank in them, with one between two.
///
/// A slice of strings has a pointer for each word, which the loader writes at each start: private memory of every
/// process, for tables that are rarely looked at. A text stays in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Words(&'static str);

impl Words {
    /// No words.
    pub const NONE: Self = Self("");

    /// Returns the words of a text.
    #[must_use]
    pub const fn of(text: &'static str) -> Self {
        Self(text)
    }

    /// Returns the words in their order.
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        self.0.split_ascii_whitespace()
    }

    /// Returns the first word, or no text.
    #[must_use]
    pub fn first(self) -> &'static str {
        self.iter().next().unwrap_or_default()
    }

    /// Returns `true` if `word` is one of them.
    #[must_use]
    pub fn contains(self, word: &str) -> bool {
        self.iter().any(|it| it == word)
    }

    /// Returns `true` if there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_whole() {
        let words = Words::of("sh bash -c");
        assert!(words.contains("sh") && words.contains("-c"));
        assert!(!words.contains("bas") && !words.contains("") && !words.contains("sh bash"));
        assert_eq!(words.iter().count(), 3);
        assert!(Words::NONE.is_empty() && !Words::NONE.contains(""));
    }
}
