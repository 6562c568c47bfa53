//! HTTP CONNECT (RFC 9110 section 9.3.6): how a client asks a proxy for a tunnel. Nothing here does I/O.
//!
//! [`Request`] is what a client asks, [`Answer`] the head of what a proxy answers. Both are read from the bytes that
//! have come so far; bytes behind a head are the tunnel's.
//!
//! ```
//! use http_connect::{Answer, Read, Request};
//!
//! # fn main() -> Result<(), http_connect::Error> {
//! let request = Request { host: "example.com".to_owned(), port: 443, login: None };
//! let bytes = request.bytes()?;
//! assert!(bytes.starts_with(b"CONNECT example.com:443 HTTP/1.1\r\n"));
//! assert_eq!(Request::read(&bytes)?, Read::Head(request, bytes.len()));
//!
//! let Read::Head(answer, length) = Answer::read(b"HTTP/1.1 200 OK\r\n\r\nhello")? else {
//!     panic!("the head is whole");
//! };
//! assert!(answer.is_success());
//! assert_eq!(length, 19);
//! # Ok(())
//! # }
//! ```

mod answer;
mod error;
mod login;
mod request;

pub use self::answer::Answer;
pub use self::error::{Error, Fault};
pub use self::login::Login;
pub use self::request::Request;

/// The result of reading the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// A head, and how many bytes it takes.
    Head(T, usize),
    /// More bytes are needed.
    More,
}

/// The maximum size of a head, in bytes.
pub const MOST: usize = 16 * 1024;

/// The maximum number of header fields of a head.
const FIELDS: usize = 100;
