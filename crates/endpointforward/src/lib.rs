//! Any listen endpoint to any destination, as a library.
//!
//! A descriptor, such as `tcp:example.com:80`, `ws:{tcp:9000}` or `process:cat`, names an endpoint.
//! An endpoint can be used in these ways:
//!
//! 1. [`connect`] and [`listen`] give connections that any tokio protocol runs over;
//! 2. [`Endpoints::connect_over`] and [`Endpoints::listen_over`] run a protocol, such as `ws` or `tls`, over a stream
//!    that the program has opened;
//! 3. [`Forwarder`] joins an endpoint to listen on and a destination, as the command does, with a custom [gate] and
//!    custom [observers](Observer);
//! 4. [`Endpoints`] does all of this with additional kinds, which [`registry`] and [`Registry::add`] bring in, and
//!    `Command` is the whole command with them.
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
//! The vocabulary for writing a kind is in [`kind`] and at the top of this crate; it is also exported crate by crate, as
//! [`descriptor`], [`endpoint`] and [`plan`]. [`forward`] moves data
//! between two connections. The folder `examples` of the repository has a program for each of these uses.

#![forbid(unsafe_code)]

#[cfg(feature = "command")]
mod command;
mod endpoints;
mod error;
mod forwarder;
mod given;
mod listening;
pub mod manual;

#[cfg(feature = "command")]
pub use self::command::{Command, command};
pub use self::endpoints::{Endpoints, connect, listen, registry};
pub use self::error::{BadDescriptor, Error, Result, Which};
pub use self::forwarder::{Forwarder, Forwarding};
pub use self::listening::Listening;

/// The attribute of implementations of this crate's asynchronous traits, such as [`Connector`].
pub use async_trait::async_trait;

pub use ::descriptor;
pub use ::descriptor::{
    Code, Descriptor, Diagnostic, Report, Severity, Span, Stage, Syntax, Template, Text, Url,
};
pub use ::endpoint;
pub use ::endpoint::{
    Accept, AcceptPolicy, Accepted, Answer, Bound, ByteStream, Clock, Conn, Connector, Context,
    Control, Decision, DialLayer, End, Ending, Error as EndpointError, ErrorKind, ExitStatus,
    Exposure, Fact, Flat, Grants, Incoming, Info, Io, Layered, Life, Listener, Local, Mapped,
    MappedAccept, MessageStream, Network, Networks, Offer, Offers, Opened, Part, Peer, PeerState,
    Plain, Raw, Reason, Refusal, RefusalKind, ServeLayer, SessionGuard, Signal, SystemCall, Times,
    Transport, control, gate, info, pass_on, provider,
};
pub use ::forward;
pub use ::forward::{
    Began, Config, Log, Observer, Outcome, SessionObserver, Stop, Summary, Timers,
};
pub use ::framing;
pub use ::plan;
pub use ::plan::{Plan, Registry, Tree, check_boundaries, check_exposure, kind};
