//! The values of parameters, read from text by their types.

use std::time::Duration;

use descriptor::Template;

use super::ValueKind;

/// A parsed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of [`ValueKind::Bool`], [`ValueKind::Switch`].
    Bool(bool),
    /// Of [`ValueKind::Duration`].
    Duration(Duration),
    /// Of [`ValueKind::Durations`]: the first is not longer than the second.
    Durations(Duration, Duration),
    /// Of [`ValueKind::Int`], [`ValueKind::Octal`], [`ValueKind::Port`], [`ValueKind::Size`].
    Int(u64),
    /// Of [`ValueKind::List`].
    List(Vec<String>),
    /// Of [`ValueKind::Template`].
    Template(Template),
    /// Of [`ValueKind::Text`], [`ValueKind::Choice`], [`ValueKind::Framing`], [`ValueKind::Variants`].
    Text(String),
}

impl Value {
    /// Parses `text`; `None` if it isn't a value of this kind.
    #[must_use]
    pub fn read(kind: ValueKind, text: &str) -> Option<Self> {
        Some(match kind {
            // The reader of parameters reads the braces of a switch, since it can point into them.
            ValueKind::Bool | ValueKind::Switch(_) => {
                Self::Bool(match &*text.to_ascii_lowercase() {
                    "true" | "yes" | "on" | "1" => true,
                    "false" | "no" | "off" | "0" => false,
                    _ => return None,
                })
            }
            ValueKind::Choice(words) => {
                let word = words.iter().find(|word| word.eq_ignore_ascii_case(text))?;
                Self::Text((*word).to_owned())
            }
            ValueKind::Duration => Self::Duration(duration(text)?),
            ValueKind::Durations => {
                let (least, most) = text.split_once("..").unwrap_or((text, text));
                let (least, most) = (duration(least)?, duration(most)?);
                (least <= most).then_some(Self::Durations(least, most))?
            }
            ValueKind::Int(low, high) => Self::Int(digits(text, 10, low, high)?),
            ValueKind::List => Self::List(
                text.split(',')
                    .map(str::trim)
                    .filter(|word| !word.is_empty())
                    .map(Into::into)
                    .collect(),
            ),
            ValueKind::Octal => {
                Self::Int(digits(text.strip_prefix("0o").unwrap_or(text), 8, 0, 0o7777)?)
            }
            ValueKind::Port => Self::Int(digits(text, 10, 0, 65535)?),
            ValueKind::Service => {
                let is_name = is_service(text);
                Self::Text(
                    (is_name || digits(text, 10, 1, 65535).is_some()).then(|| text.to_owned())?,
                )
            }
            ValueKind::Size => Self::Int(size(text)?),
            ValueKind::Connector
            | ValueKind::Endpoint
            | ValueKind::Framing
            | ValueKind::FramingBeside
            | ValueKind::ProviderBeside
            | ValueKind::Listener
            | ValueKind::Template
            | ValueKind::Text
            | ValueKind::Variants(_) => Self::Text(text.to_owned()),
        })
    }
}

/// Parses strict ASCII digits: as `from_str_radix` does, but without a sign.
fn digits(text: &str, radix: u32, low: u64, high: u64) -> Option<u64> {
    if !text.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(text, radix).ok().filter(|number| (low..=high).contains(number))
}

/// Returns `true` if it may be a service's name (RFC 6335 section 5.1); one that begins with a digit is a misspelt
/// number.
fn is_service(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 32
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    if !number.starts_with(|digit: char| digit.is_ascii_digit()) {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    let seconds = match unit {
        "" | "s" => number,
        "ms" => number / 1000.0,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        "d" => number * 86400.0,
        _ => return None,
    };
    // A hundred years is for ever, and well inside what timers can add.
    (seconds <= 3.2e9).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

fn size(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "" => 1,
        "k" | "K" | "KiB" => 1 << 10,
        "M" | "m" | "MiB" => 1 << 20,
        "G" | "g" | "GiB" => 1 << 30,
        _ => return None,
    };
    digits(number, 10, 0, u64::MAX)?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_strict_where_a_typo_would_hide() {
        for text in ["+80", "-1", " 80", "8_0", "0x50", "65536", "", "٨"] {
            assert_eq!(Value::read(ValueKind::Port, text), None, "{text:?}");
        }
        assert_eq!(Value::read(ValueKind::Port, "080"), Some(Value::Int(80)));
        assert_eq!(Value::read(ValueKind::Octal, "660"), Some(Value::Int(0o660)));
        assert_eq!(Value::read(ValueKind::Octal, "0o660"), Some(Value::Int(0o660)));
        assert_eq!(Value::read(ValueKind::Octal, "888"), None);
        assert_eq!(Value::read(ValueKind::Size, "64k"), Some(Value::Int(65536)));
        assert_eq!(Value::read(ValueKind::Bool, "On"), Some(Value::Bool(true)));
        assert_eq!(Value::read(ValueKind::Bool, "2"), None);
    }

    #[test]
    fn a_range_of_times_ascends() {
        let second = Duration::from_secs(1);
        let read = |text| Value::read(ValueKind::Durations, text);
        assert_eq!(read("1s..30"), Some(Value::Durations(second, second * 30)));
        assert_eq!(read("1"), Some(Value::Durations(second, second)));
        for text in ["", "..", "1s..", "..3", "3..1", "1..2..3", "1-3"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn times_have_units() {
        let read = |text| match Value::read(ValueKind::Duration, text) {
            Some(Value::Duration(time)) => Some(time.as_millis()),
            _ => None,
        };
        assert_eq!(read("30"), Some(30_000));
        assert_eq!(read("1.5"), Some(1_500));
        assert_eq!(read("500ms"), Some(500));
        assert_eq!(read("2m"), Some(120_000));
        for text in ["", "s", "-1", "1e9", "inf", "1.2.3", "99999999999999999999h", ".5"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
