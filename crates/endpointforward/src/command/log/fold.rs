//! Records that are wider than a terminal, in several lines.
//!
//! A line ends where a clause does, if that leaves it at least half full, and at a space otherwise. A word stays in one
//! piece, and so does what is in backquotes, braces or double quotes: commands, paths and fingerprints are copied from
//! here. One that is wider than the terminal makes its line wider.

use unicode_width::UnicodeWidthStr as _;

/// The place of a text on a terminal, in columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Margins {
    pub(super) width: usize,
    /// Those that are taken in front of the first line.
    pub(super) first: usize,
    /// The indentation of the further lines.
    pub(super) indent: usize,
}

/// Returns a text, with `fields` behind it, in lines that fit. The first one has no indentation.
pub(super) fn fold<'t>(
    text: &'t str,
    fields: impl IntoIterator<Item = &'t str>,
    at: Margins,
) -> String {
    let mut words = pieces(text);
    let clauses = words.len();
    words.extend(fields);
    let mut folded = String::with_capacity(text.len() + at.indent);
    let (mut from, mut room) = (0, at.width.saturating_sub(at.first));
    while from < words.len() {
        let until = from + fitting(&words[from..], clauses.checked_sub(from), room);
        if from > 0 {
            folded.push('\n');
            folded.extend(std::iter::repeat_n(' ', at.indent));
        }
        folded.push_str(&words[from..until].join(" "));
        (from, room) = (until, at.width.saturating_sub(at.indent));
    }
    folded
}

/// Returns how many of these words, and at least one, make the next line. From the word `fields` on, they are fields.
fn fitting(words: &[&str], fields: Option<usize>, room: usize) -> usize {
    let mut used = 0;
    let mut clause = None;
    for (index, word) in words.iter().enumerate() {
        let before = used;
        used += word.width() + usize::from(index > 0);
        if index > 0 && (Some(index) == fields || ends_clause(words[index - 1], word)) {
            clause = Some(index).filter(|_| before * 2 >= room).or(clause);
        }
        if used > room && index > 0 {
            return clause.unwrap_or(index);
        }
    }
    words.len()
}

/// Returns `true` if a clause ends between two words.
fn ends_clause(word: &str, next: &str) -> bool {
    word.ends_with([';', ':', ',']) || next.starts_with('(')
}

/// The words of a text. A quotation that is not closed is none.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        if c == ' ' {
            pieces.push(&text[start..at]);
            start = at + 1;
        }
        at += quotation(&text[at..]).unwrap_or(c.len_utf8());
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

/// Returns the length of the quotation that a text begins with.
fn quotation(text: &str) -> Option<usize> {
    let mark = text.chars().next().filter(|c| ['`', '"', '{'].contains(c))?;
    if mark != '{' {
        return text[1..].find(mark).map(|end| end + 2);
    }
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Margins = Margins { width: 40, first: 10, indent: 12 };

    fn lines(text: &str, fields: &[&str]) -> Vec<String> {
        let folded = fold(text, fields.iter().copied(), AT);
        let lines: Vec<_> = folded.lines().map(str::to_owned).collect();
        for line in &lines[1..] {
            assert!(line.starts_with(&" ".repeat(12)) && !line[12..].starts_with(' '), "{folded}");
        }
        let whole = lines.iter().map(|line| line.trim_start()).collect::<Vec<_>>().join(" ");
        let fields = fields.iter().map(|field| format!(" {field}")).collect::<String>();
        assert_eq!(whole, format!("{text}{fields}").trim_start(), "nothing is lost");
        lines
    }

    #[test]
    fn what_fits_is_one_line() {
        assert_eq!(lines("open to the world", &["id=1", "peer=x"]).len(), 1);
        assert_eq!(lines("", &["id=1"]).len(), 1);
    }

    #[test]
    fn a_line_ends_with_a_clause() {
        assert_eq!(
            lines("cannot connect to it: no such host; trying again", &["id=1"]),
            ["cannot connect to it:", "            no such host; trying again", "            id=1"]
        );
        assert_eq!(
            lines("aaaa aaaa aaaa aaaa: b", &["id=1 peer=127"])[0],
            "aaaa aaaa aaaa aaaa: b"
        );
        // Too early: the line would be half empty.
        assert_eq!(
            lines("refused: aaaa bbbb cccc dddd eeee", &[])[0],
            "refused: aaaa bbbb cccc dddd"
        );
    }

    #[test]
    fn what_is_copied_is_whole() {
        for text in [
            "allow it with `origin={same,https://evil.example.com} and more`",
            "cannot connect process:sh:-c:{while true; do echo; done; exit 3}: no",
            "the name \"a b c d e f g h i j k l m n o p q r s t u v\" is long",
        ] {
            let lines = lines(text, &["id=1"]);
            assert!(lines.iter().any(|line| line.len() > 40), "{lines:?}");
        }
        // Peers send what they like.
        assert_eq!(lines("a ` b { c \" d } ` and then a lot more words than fit", &[]).len(), 2);
        assert_eq!(lines("a { b { c } and then a lot more words than fit", &[]).len(), 2);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(lines("文字文字文字文字 文字文字文字文字", &[]).len(), 2);
    }
}
