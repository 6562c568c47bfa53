//! The syntax of header fields (RFC 9110 section 5), and how what a peer sent is quoted in messages.

use descriptor::is_unprintable;
use hyper::header::{HeaderMap, HeaderName};

/// Returns whether `text` is a token (RFC 9110 section 5.6.2), as names of subprotocols and headers are.
pub(crate) fn is_token(text: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_char)
}

/// Returns whether `value` can be a header's value (RFC 9110 section 5.5).
pub(crate) fn is_value(value: &str) -> bool {
    !value.chars().any(|c| c.is_control() && c != '\t')
}

/// The elements of a list header (RFC 9110 section 5.6.1), which may come in several lines.
pub(crate) fn words<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

/// Returns whether a list header has `word` among its elements, in any case.
pub(crate) fn has_word(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    words(headers, name).any(|other| other.eq_ignore_ascii_case(word))
}

/// The value of a header that comes once or not at all.
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ()> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (values.next(), value.to_str()) {
        (None, Ok(value)) => Ok(Some(value.trim())),
        _ => Err(()),
    }
}

/// Returns text from a peer for a message: short, and without control characters.
pub(crate) fn printable(text: &str) -> String {
    let safe = |c: char| if is_unprintable(c) { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(SHOWN).map(safe).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

const SHOWN: usize = 200;
