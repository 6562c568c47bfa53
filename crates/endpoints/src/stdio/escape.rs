//! The escape of a raw terminal, as ssh(1) has it: `~.` at the beginning of a line ends the session, `~~` is one `~`.

/// The position of the next key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Escape {
    /// At the beginning of a line.
    #[default]
    Start,
    /// Behind a `~` there, which is held back.
    Tilde,
    /// Within a line.
    Within,
    /// `~.` was typed.
    Over,
}

impl Escape {
    /// Takes keys; puts those that are to be sent into `out`, at most one more than there are.
    pub(super) fn pass(&mut self, keys: &[u8], out: &mut Vec<u8>) {
        for &key in keys {
            let next = |key| if matches!(key, b'\r' | b'\n') { Self::Start } else { Self::Within };
            match (*self, key) {
                (Self::Over, _) => return,
                (Self::Start, b'~') => *self = Self::Tilde,
                (Self::Tilde, b'.') => *self = Self::Over,
                (Self::Tilde, b'~') => {
                    out.push(b'~');
                    *self = Self::Within;
                }
                (Self::Tilde, key) => {
                    out.extend([b'~', key]);
                    *self = next(key);
                }
                (Self::Start | Self::Within, key) => {
                    out.push(key);
                    *self = next(key);
                }
            }
        }
    }

    /// Returns whether the session is to end.
    pub(super) fn is_over(self) -> bool {
        self == Self::Over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_is_one_at_the_beginning_of_a_line_alone() {
        for (typed, sent, over) in [
            ("ls ~.\r", "ls ~.\r", false),
            ("~.rest", "", true),
            ("a\r~.", "a\r", true),
            ("~~.\r", "~.\r", false),
            ("~user\r", "~user\r", false),
            ("a\n~", "a\n", false),
            ("~\r~.", "~\r", true),
        ] {
            for split in 0..=typed.len() {
                let (mut escape, mut out) = (Escape::default(), Vec::new());
                for piece in [&typed[..split], &typed[split..]] {
                    escape.pass(piece.as_bytes(), &mut out);
                }
                assert_eq!(
                    (&*String::from_utf8_lossy(&out), escape.is_over()),
                    (sent, over),
                    "{typed:?}"
                );
            }
        }
    }
}
