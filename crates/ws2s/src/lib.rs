//! ws2s: a web page controls a TCP socket by JSON in text messages of a WebSocket. Nothing here does I/O.
//!
//! ```text
//! client                                              server
//!   │ {"command": "connect", "host": "h", "port": 80}  ──►  │  Command::Connect
//!   │ ◄──  {"success": true, "code": 0, "message": "connect done"}
//!   │ {"command": "send", "data": "text"}  ──────────────►  │  Command::Send; "sendb" has base64
//!   │ ◄──────────────────────────  {…, "message": "send done"}
//!   │ ◄───────  {…, "code": -1, "message": "recv data", "data": "base64"}
//!   │ {"command": "close"}  ─────────────────────────────►  │  Command::Close
//! ```
//!
//! A WebSocket has one socket at a time, and each command one response, in its order. Received data comes in
//! between. There is no document but the program of that name (github.com/playay/ws2s, 2.1.5): codes, words and the
//! spelling of responses are what it sends.
//!
//! ```
//! use ws2s::Command;
//!
//! let command = Command::read(r#"{"command": "sendb", "data": "aGVsbG8="}"#);
//! assert_eq!(command, Ok(Command::Send { data: b"hello".to_vec(), binary: true }));
//! ```

mod command;
mod response;

pub use self::command::{Command, Wrong};
pub use self::response::{Code, MOST, received, response};
