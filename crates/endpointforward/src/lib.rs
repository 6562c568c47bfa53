//! Any listen endpoint to any destination, as a library.
//!
//! A descriptor, such as `tcp:example.com:80`, `ws:{tcp:9000}` or `process:cat`, names an endpoint.
//! An endpoint can be used three ways:
//!
//! 1. [`connect`] and [`listen`] give connections that any tokio protocol runs over;
//! 2. [`Forwarder`] joins an endpoint to listen on and a destination, as the command does;
//! 3. [`Endpoints`] does both with kinds of your own, which [`registry`] and
//!    [`Registry::add`] bring in.
//!
//! ```
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut io = endpointforward::connect("echo").await?.into_io();
//! io.write_all(b"hello").await?;
//! io.shutdown().await?;
//! let mut answer = String::new();
//! io.read_to_string(&mut answer).await?;
//! assert_eq!(answer, "hello");
//! # Ok(())
//! # }
//! ```
//!
//! A mistake in a descriptor is shown where it was typed:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let error = endpointforward::connect("tcp:localhost:90o0").await.unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "error: `port` must be a number from 1 to 65535, or the name of a service
//!   | tcp:localhost:90o0
//!   |               ^^^^
//!   = help: did you mean `9000`?"
//! );
//! # }
//! ```
//!
//! The vocabulary for writing a kind is in [`kind`] and at the top of this crate; an example is
//! `examples/kind.rs` in the repository. [`forward`] moves data between two connections.

#![forbid(unsafe_code)]

#[cfg(feature = "command")]
mod command;
mod endpoints;
mod error;
mod forwarder;
mod listening;
pub mod manual;

#[cfg(feature = "command")]
pub use self::command::command;
pub use self::endpoints::{Endpoints, connect, listen, registry};
pub use self::error::{BadDescriptor, Error, Result, Which};
pub use self::forwarder::{Forwarder, Forwarding};
pub use self::listening::Listening;

pub use ::forward;
pub use ::forward::{Config, Stop, Summary, Timers};
pub use ::framing;
pub use descriptor::{
    Code, Descriptor, Diagnostic, Report, Severity, Span, Stage, Syntax, Text, Url,
};
pub use endpoint::{
    Accept, AcceptPolicy, Accepted, Answer, Bound, ByteStream, Clock, Conn, Connector, Context,
    Control, Decision, DialLayer, End, Ending, Error as EndpointError, ErrorKind, Exposure, Fact,
    Flat, Grants, Incoming, Info, Io, Life, Listener, Local, MessageStream, Network, Offer, Offers,
    Part, Plain, Raw, Refusal, RefusalKind, ServeLayer, SessionGuard, Signal, SystemCall, Times,
    Transport, control, info, pass_on, provider,
};
pub use plan::{Plan, Registry, Tree, check_exposure, kind};
