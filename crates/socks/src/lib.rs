//! SOCKS: how a client asks a proxy to connect it somewhere. Version 4 (and 4a, which has names), and version 5 (RFC 1928)
//! with names and passwords (RFC 1929). Nothing here does I/O.
//!
//! Each message is a value that is read from the bytes that have come so far, and written to bytes:
//!
//! ```text
//! client                                         server
//!   │ Greeting: V5 { methods }  ──────────────►  │        Greeting: V4(Request), which is all there is
//!   │ ◄──────────────  Choice: one of them       │
//!   │ Login: name, password     ──────────────►  │        if that was chosen
//!   │ ◄──────────────  whether it is right       │
//!   │ Request: command, target  ──────────────►  │
//!   │ ◄──────────────  Answer: reply, address    │
//! ```
//!
//! After a request for datagrams (UDP ASSOCIATE), each datagram between both begins with a [`Header`].
//!
//! A reader returns the minimum number of bytes that a message still needs, so that nothing is read that belongs to
//! what follows.
//!
//! ```
//! use socks::{Greeting, Method, Read, hello};
//!
//! # fn main() -> Result<(), socks::Error> {
//! // Without a password, or with one.
//! let bytes = hello(&[Method::Nothing, Method::Password]);
//! assert_eq!(bytes, [5, 2, 0, 2]);
//! assert_eq!(Greeting::read(&bytes[..2])?, Read::More(2));
//! let greeting = Greeting::V5(vec![Method::Nothing, Method::Password]);
//! assert_eq!(Greeting::read(&bytes)?, Read::Message(greeting, 4));
//! # Ok(())
//! # }
//! ```

mod answer;
mod datagram;
mod error;
mod greeting;
mod login;
mod request;
mod take;
mod target;

pub use self::answer::{Answer, Reply};
pub use self::datagram::Header;
pub use self::error::Error;
pub use self::greeting::{Choice, Greeting, Method, hello};
pub use self::login::{Login, login_answer, login_status};
pub use self::request::{Command, Request, Version};
pub use self::take::Read;
pub use self::target::{Host, Target};
