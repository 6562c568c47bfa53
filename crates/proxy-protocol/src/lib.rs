//! The PROXY protocol, versions 1 and 2: a header with which a proxy passes its client's address to a server, before
//! the connection's data. Nothing here does I/O.
//!
//! Source: <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.
//!
//! 1. [`decode`] reads a header from the bytes that have arrived so far, or returns how many more it needs;
//! 2. [`Header`] is its contents: addresses, and in version 2 any number of [`Tlv`]s;
//! 3. [`encode`] writes one.
//!
//! ```
//! use proxy_protocol::{Addresses, Decoded, Header, decode};
//! let Ok(Decoded::Header(header, length)) = decode(b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET /") else {
//!     panic!("this is a header");
//! };
//! assert_eq!(length, 42);
//! assert_eq!(header.source().map(|it| it.to_string()).as_deref(), Some("192.0.2.1:56324"));
//! # let _: Header = header;
//! # let _ = Addresses::Unknown;
//! ```

mod crc32c;
mod decode;
mod encode;
mod error;
mod header;
mod tlv;
mod v1;
mod v2;

pub use self::decode::decode;
pub use self::encode::{Version, encode};
pub use self::error::Error;
pub use self::header::{Addresses, Decoded, Header};
pub use self::tlv::{Ssl, Tlv};
