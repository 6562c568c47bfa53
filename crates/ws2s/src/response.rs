//! Responses to clients: JSON as written by Python's `json.dumps`.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The code of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A command was carried out.
    Done,
    /// Something else went wrong.
    Unknown,
    /// The destination refused the connection.
    Refused,
    /// There is no socket open.
    IllegalState,
    /// This destination isn't allowed.
    Forbidden,
    /// The destination has ended.
    ClosedByPeer,
    /// The tunnel of ssh can't be had.
    NoTunnel,
}

impl Code {
    /// Returns its number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Unknown => 1,
            Self::Refused => 2,
            Self::IllegalState => 3,
            Self::Forbidden => 4,
            Self::ClosedByPeer => 5,
            Self::NoTunnel => 6,
        }
    }
}

/// Returns a response.
#[must_use]
pub fn response(code: Code, message: &str) -> String {
    let success = code == Code::Done;
    let number = code.number();
    let mut text = format!("{{\"success\": {success}, \"code\": {number}, \"message\": ");
    quote(message, &mut text);
    text.push('}');
    text
}

/// Returns a response with received data, at most [`MOST`] bytes, as in ws2s.
#[must_use]
pub fn received(data: &[u8]) -> String {
    const HEAD: &str = r#"{"success": true, "code": -1, "message": "recv data", "data": ""#;
    let mut text = String::with_capacity(HEAD.len() + data.len().div_ceil(3) * 4 + 2);
    text.push_str(HEAD);
    STANDARD.encode_string(data, &mut text);
    text.push_str("\"}");
    text
}

/// The maximum size of received data in one response.
pub const MOST: usize = 32 * 1024;

/// ASCII alone, as Python writes it.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string can't fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}
