//! The vocabulary: what listeners, connectors, layers and connections are, and how kinds of them
//! are defined. It opens nothing and knows no kind.
//!
//! A value passes through these stages:
//!
//! 1. **text**, `ws:{tcp:9000}`, that a person typed;
//! 2. a **plan**, made by the [`Registry`]: a [`Listener`] or a [`Connector`], checked but not open;
//! 3. something **open**: an [`Accept`] that yields [`Incoming`] connections, and these
//!    [`Offer`]s; or directly
//! 4. a **[`Conn`]**: a [`Transport`] of bytes or messages, the [`Info`] that is known about it,
//!    and the [`Control`] signals beside it.
//!
//! To add a kind, define a [`Kind`](kind::Kind) and hand it to [`Registry::add`].

#![forbid(unsafe_code)]

mod clock;
mod conn;
mod connector;
mod context;
pub mod control;
mod end;
mod error;
mod flat;
pub mod info;
pub mod kind;
mod layer;
mod listener;
mod network;
mod opened;
mod peer;
mod plain;
mod raw;
mod reason;
mod registry;
mod stream;

pub use self::clock::Clock;
pub use self::conn::{Conn, Hold, Io, Transport};
pub use self::connector::{Connector, Grants};
pub use self::context::{Context, WorkGuard};
pub use self::control::{Control, Signal, SignalReceiver, SignalSender};
pub use self::end::{End, ExitStatus};
pub use self::error::{Error, ErrorKind, Result, describe};
pub use self::flat::Flat;
pub use self::info::{Fact, Info};
pub use self::layer::{Bound, DialLayer, Layered, ServeLayer};
pub use self::listener::{
    Accept, Accepted, Answer, Decision, Exposure, Incoming, Invitation, Listener, Local, Offer,
    Offers, Order, Refusal, RefusalKind,
};
pub use self::network::Network;
pub use self::opened::{Opened, Times};
pub use self::peer::{Peer, PeerState};
pub use self::plain::Plain;
pub use self::raw::{Raw, SystemCall};
pub use self::reason::Reason;
pub use self::registry::{HOW_TO_ALLOW, Plan, Registry, Tree, check_exposure, exposed};
pub use self::stream::{ByteStream, Ending, Life, MessageStream, Part};
