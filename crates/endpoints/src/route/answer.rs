//! Answers of programs and servers: a destination in text, or in JSON.

use descriptor::is_unprintable;
use endpoint::provider::Destination;
use serde_json::Value;

/// Reads an answer; `None` if it is empty.
///
/// In JSON it is an object with `destination`, or with `host` and `port` as websockify's plugins have it (the port may
/// stand behind the host), and with `subprotocol` if the route has one.
///
/// # Errors
/// The answer is malformed; the text tells how.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Destination>, String> {
    if bytes.len() > LONGEST {
        return Err(format!("the answer has more than {LONGEST} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "the answer is not text")?.trim();
    // A descriptor may stand in braces, too.
    let is_json = text.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'));
    checked(if is_json { of_json(text)? } else { Destination::new(text) })
}

/// Returns a destination that is text of one line; `None` if it is empty.
///
/// # Errors
/// It is more than that.
pub(super) fn checked(found: Destination) -> Result<Option<Destination>, String> {
    if found.text.is_empty() {
        return Ok(None);
    }
    let is_line = |text: &str| !text.contains(is_unprintable);
    if !is_line(&found.text) || !found.subprotocol.as_deref().is_none_or(is_line) {
        return Err("the answer is more than a line of text".to_owned());
    }
    Ok(Some(found))
}

fn of_json(text: &str) -> Result<Destination, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("the answer is not JSON: {error}"))?;
    of_fields(|name| value.get(name).and_then(plain))
}

/// Reads a destination from named fields.
///
/// # Errors
/// There is none.
pub(super) fn of_fields(field: impl Fn(&str) -> Option<String>) -> Result<Destination, String> {
    let text = match (field("destination"), field("host"), field("port")) {
        (Some(destination), ..) => destination,
        (None, Some(host), Some(port)) if host.contains(':') && !host.starts_with('[') => {
            format!("[{host}]:{port}")
        }
        (None, Some(host), Some(port)) => format!("{host}:{port}"),
        (None, Some(host), None) => host,
        (None, None, _) => return Err("the answer has no `destination` and no `host`".to_owned()),
    };
    Ok(Destination { text: text.trim().to_owned(), subprotocol: field("subprotocol") })
}

/// Text, or a number as text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The maximum size of an answer, in bytes.
pub(super) const LONGEST: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_a_line_or_an_object() {
        for (text, expected) in [
            ("tcp:h:1\n", Some("tcp:h:1")),
            ("h:1", Some("h:1")),
            ("{tcp:h:1}", Some("{tcp:h:1}")),
            ("{\"destination\": \"tcp:h:1\"}", Some("tcp:h:1")),
            ("{ \"host\": \"h:1\"}", Some("h:1")),
            ("{\"host\": \"h\", \"port\": 1}", Some("h:1")),
            ("{\"host\": \"::1\", \"port\": \"1\"}", Some("[::1]:1")),
            (" \n", None),
        ] {
            let found = read(text.as_bytes()).expect(text);
            assert_eq!(found.map(|found| found.text).as_deref(), expected, "{text}");
        }
        let found = read(br#"{"host":"h:1","subprotocol":"mqtt"}"#).unwrap().unwrap();
        assert_eq!(found.subprotocol.as_deref(), Some("mqtt"));
    }

    #[test]
    fn what_is_no_answer_is_said() {
        for (bytes, words) in [
            (&b"a:1\nb:2"[..], "more than a line"),
            (b"a\0:1", "more than a line"),
            (b"\xff", "not text"),
            (b"{\"port\": 1}", "no `destination`"),
            (b"{\"host\": [1]}", "no `destination`"),
            (b"{\"host\": ", "not JSON"),
            (b"{\"host\":\"h:1\",\"subprotocol\":\"a\\nb\"}", "more than a line"),
            (&[b'x'; LONGEST + 1], "more than"),
        ] {
            let said = read(bytes).expect_err(words);
            assert!(said.contains(words), "{said}");
        }
    }
}
