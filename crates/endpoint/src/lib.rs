//! The runtime vocabulary: listeners, connectors, layers and connections. It opens nothing,
//! and knows neither kinds nor descriptors.
//!
//! A value passes through these stages:
//!
//! 1. a [`Listener`] or a [`Connector`], checked but not open: the crate `plan` makes it of text;
//! 2. something **open**: an [`Accept`] that yields [`Incoming`] connections, and these
//!    [`Offer`]s; or directly
//! 3. a **[`Conn`]**: a [`Transport`] of bytes or messages, the facts about it ([`Info`]), and the
//!    [`Control`] signals that travel with it.
//!
//! Anything that reads and writes is a connection:
//!
//! ```
//! use endpoint::Conn;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let (near, mut far) = tokio::io::duplex(64);
//! let mut io = Conn::from_io(near).into_io();
//! io.write_all(b"hello").await?;
//! io.shutdown().await?;
//! let mut said = String::new();
//! far.read_to_string(&mut said).await?;
//! assert_eq!(said, "hello");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod backoff;
mod challenge;
mod client;
mod clock;
mod conn;
mod connector;
mod context;
pub mod control;
mod dial_layer;
mod end;
mod error;
mod exposure;
mod flat;
mod from;
pub mod gate;
mod incoming;
pub mod info;
mod layer;
mod limited;
mod limits;
mod listener;
mod local;
mod mapped;
mod missing;
mod network;
mod networks;
mod offer;
mod opened;
mod pass_on;
mod peer;
mod plain;
pub mod provider;
mod rate;
mod raw;
mod reason;
mod refusal;
mod stream;

pub use self::backoff::Backoff;
pub use self::clock::Clock;
pub use self::conn::{Conn, Io, SessionGuard, Transport};
pub use self::connector::Connector;
pub use self::context::{Context, WorkGuard};
pub use self::control::{Control, Signal, SignalReceiver, SignalSender};
pub use self::dial_layer::DialLayer;
pub use self::end::{End, ExitStatus};
pub use self::error::{Error, ErrorKind, Result, describe};
pub use self::exposure::{Exposure, Grants, HOW_TO_ALLOW, exposed};
pub use self::flat::Flat;
pub use self::from::FromNetworks;
pub use self::incoming::{Incoming, Offers};
pub use self::info::{Fact, Info};
pub use self::layer::{Bound, Layered, ServeLayer};
pub use self::limited::Limited;
pub use self::limits::{Full, Limits, OfferLimits, SessionPlaces};
pub use self::listener::{Accept, Listener};
pub use self::local::{ClientCertificates, Invitation, Local};
pub use self::mapped::{Mapped, MappedAccept};
pub use self::missing::{Missing, Step};
pub use self::network::Network;
pub use self::networks::{Networks, network};
pub use self::offer::{AcceptPolicy, Accepted, Answer, Decision, Offer};
pub use self::opened::{Opened, Times};
pub use self::peer::{Peer, PeerState};
pub use self::plain::Plain;
pub use self::rate::Rate;
pub use self::raw::{Raw, SystemCall};
pub use self::reason::Reason;
pub use self::refusal::{Refusal, RefusalKind};
pub use self::stream::{ByteStream, Ending, Life, MessageStream, Part};
