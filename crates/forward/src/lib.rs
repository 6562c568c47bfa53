//! Accept, gate, route, connect, splice and meter: the work between two endpoints of any
//! kinds.
//!
//! 1. A [`Forwarder`] accepts connections from a listener; handshakes run in separate tasks.
//! 2. Every offer passes the [`Gate`], then the [`Route`] names its [`Destination`].
//! 3. The destination is connected, and only then is the offer accepted or refused.
//! 4. [`splice`] moves the data of the two connections until both have ended, a timer runs out or
//!    the [`Stop`] comes, and returns the reason in its [`Outcome`].
//!
//! [`Timers`] has the time limits of a session.
//!
//! ```
//! use endpoint::Conn;
//! use forward::{Stop, Timers, splice};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let ((mut client, near), (mut server, far)) = (duplex(64), duplex(64));
//! client.write_all(b"hello").await?;
//! client.shutdown().await?;
//! server.shutdown().await?;
//! let outcome = splice(Conn::from_io(near), Conn::from_io(far), &Timers::default(), &Stop::new()).await;
//! assert_eq!((outcome.sent, outcome.received, outcome.is_clean()), (5, 0, true));
//! let mut said = String::new();
//! server.read_to_string(&mut said).await?;
//! assert_eq!(said, "hello");
//! # Ok(())
//! # }
//! ```
//!
//! # Invariants
//! This crate knows the vocabulary alone: it can't tell tcp from a pty. Nothing is queued without a
//! bound. Payload is copied in the splice and nowhere else, and is in no log line of any level. An
//! idle session holds no buffer.

#![forbid(unsafe_code)]

mod accept;
mod endings;
mod forwarder;
mod observer;
mod offer;
mod outcome;
mod patience;
mod places;
mod read_only;
mod refusals;
mod route;
mod shared;
mod splice;
mod stop;
mod summary;
mod timers;
pub mod undecided;

pub use endpoint::gate::{Admitted, Gate, OpenGate};

pub use self::forwarder::{Config, Forwarder};
pub use self::observer::{Began, Log, Observer, SessionObserver};
pub use self::outcome::{Act, Ended, Failure, Outcome, Side};
pub use self::refusals::Repeated;
pub use self::route::{Destination, Route};
pub use self::splice::splice;
pub use self::stop::Stop;
pub use self::summary::Summary;
pub use self::timers::Timers;
