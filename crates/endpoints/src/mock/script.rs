//! The language of scripts.
//!
//! ```text
//! script = step *( "|" step )
//! step   = "r " text / "w " text / "eof" / "fin" / "err" / "wait" [ " " time ]
//! text   = *( "\r" / "\n" / "\t" / "\0" / "\\" / "\|" / "\x" 2HEX / any-but-\-and-| )
//! ```

use std::time::Duration;

use bytes::Bytes;
use plan::kind::{Value, ValueKind};

/// The steps of a peer, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script(pub(super) Vec<Step>);

/// One thing that it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It sends this.
    Sends(Bytes),
    /// It expects this, in one piece or many.
    Expects(Bytes),
    /// It has no more to send.
    Eof,
    /// It expects that we have no more to send.
    Fin,
    /// The connection breaks.
    Err,
    /// Nothing happens for this long, or ever again.
    Wait(Option<Duration>),
}

impl Script {
    /// Reads a script; the error is one sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        split(text).map(|step| Step::parse(step.trim_start())).collect::<Result<_, _>>().map(Self)
    }
}

impl Step {
    fn parse(step: &str) -> Result<Self, String> {
        let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
        Ok(match (word.to_ascii_lowercase().as_str(), rest.trim()) {
            ("r", _) => Self::Sends(unescape(rest)?),
            ("w", _) => Self::Expects(unescape(rest)?),
            ("eof", "") => Self::Eof,
            ("fin", "") => Self::Fin,
            ("err", "") => Self::Err,
            ("wait", "") => Self::Wait(None),
            ("wait", time) => match Value::read(ValueKind::Duration, time) {
                Some(Value::Duration(time)) => Self::Wait(Some(time)),
                _ => return Err(format!("`{time}` is not a time")),
            },
            _ => {
                return Err(format!(
                    "`{step}` is not a step; the steps are `r TEXT`, `w TEXT`, `eof`, `fin`, `err`, `wait` and `wait \
                     TIME`"
                ));
            }
        })
    }
}

/// At each `|` that isn't escaped.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |c| {
        let separates = c == '|' && !escaped;
        escaped = c == '\\' && !escaped;
        separates
    })
}

fn unescape(text: &str) -> Result<Bytes, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        bytes.push(match rest.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('0') => 0,
            Some(c @ ('\\' | '|')) => c as u8,
            Some('x') => {
                let digits: String = rest.by_ref().take(2).collect();
                let byte = Some(&*digits).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                byte.filter(|digits| digits.len() == 2)
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                    .ok_or_else(|| format!("`\\x{digits}` needs two hexadecimal digits"))?
            }
            Some(c) => return Err(format!("`\\{c}` is not an escape")),
            None => return Err("the script ends with a single `\\`".into()),
        });
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_its_steps() {
        let script = Script::parse(r"r a b\r\n|W \xff\|\\|eof|fin|err|wait|wait 20ms|r ").unwrap();
        assert_eq!(
            script.0,
            [
                Step::Sends("a b\r\n".into()),
                Step::Expects(Bytes::from_static(b"\xff|\\")),
                Step::Eof,
                Step::Fin,
                Step::Err,
                Step::Wait(None),
                Step::Wait(Some(Duration::from_millis(20))),
                Step::Sends(Bytes::new()),
            ]
        );
    }

    #[test]
    fn mistakes_are_named() {
        let mistake = |text| Script::parse(text).unwrap_err();
        assert_eq!(mistake(r"r \xf"), r"`\xf` needs two hexadecimal digits");
        assert_eq!(mistake(r"r \x+1"), r"`\x+1` needs two hexadecimal digits");
        assert_eq!(mistake(r"r \q"), r"`\q` is not an escape");
        assert_eq!(mistake("r a\\"), "the script ends with a single `\\`");
        assert_eq!(mistake("wait x"), "`x` is not a time");
        assert!(mistake("read x").starts_with("`read x` is not a step"));
    }
}
