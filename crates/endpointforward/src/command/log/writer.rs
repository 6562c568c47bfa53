//! What is written to standard error, made harmless.

use std::io::{self, Write};

use descriptor::is_unprintable;

/// Escapes characters that would reorder a line or hide a part of it (such as U+202E), for example in text from a
/// peer. ASCII's control characters are escaped where a record is written, which is coloured with some.
#[derive(Clone)]
pub(super) struct Harmless<W> {
    inner: W,
    /// It may be in raw mode (`stdio:raw=true`), where a line ends with a carriage return too.
    is_terminal: bool,
}

impl<W> Harmless<W> {
    pub(super) fn new(inner: W, is_terminal: bool) -> Self {
        Self { inner, is_terminal }
    }
}

impl<W: Write> Write for Harmless<W> {
    /// Takes a whole line, as it comes.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let is_odd = |c: char| !c.is_ascii() && is_unprintable(c);
        match std::str::from_utf8(line) {
            Ok(text) if self.is_terminal || (!line.is_ascii() && text.contains(is_odd)) => {
                let mut shown = String::with_capacity(text.len() + 16);
                for c in text.chars() {
                    if is_odd(c) {
                        escape(c, &mut shown);
                    } else {
                        if self.is_terminal && c == '\n' {
                            shown.push('\r');
                        }
                        shown.push(c);
                    }
                }
                self.inner.write_all(shown.as_bytes())?;
            }
            _ => self.inner.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Appends a character's escape, which in JSON, too, is the character.
pub(super) fn escape(c: char, shown: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        shown.push_str(&format!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_turns_a_line_around() {
        let mut written = Vec::new();
        let mut log = Harmless { inner: &mut written, is_terminal: false };
        for line in ["\x1b[32mINFO\x1b[0m plain ü\n", "a\u{202e}b\u{2066}\u{e0001}\u{9b}c\n"] {
            log.write_all(line.as_bytes()).expect("memory takes it");
        }
        assert_eq!(
            String::from_utf8(written).as_deref(),
            Ok("\x1b[32mINFO\x1b[0m plain ü\na\\u202eb\\u2066\\udb40\\udc01\\u009bc\n")
        );
    }
}
