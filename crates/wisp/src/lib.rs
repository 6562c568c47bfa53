//! Wisp: many streams of TCP and UDP in the binary messages of one WebSocket. Nothing here does I/O.
//!
//! Version 1.2 of the protocol (github.com/MercuryWorkshop/wisp-protocol), and the handshake of version 2, in which both
//! sides announce their extensions. A message is a packet: its kind (1 byte), the number of its stream (4 bytes) and a
//! payload; all numbers are little-endian.
//!
//! ```text
//! client                                          server
//!   │ ◄─────────────── Info: version, extensions    │   of version 2 alone, which the client asks for by the
//!   │ Info: version, extensions ─────────────────►  │   subprotocol `wisp-v2`
//!   │ ◄──────────── Continue: stream 0, packets     │   how many packets a stream may have on their way
//!   │ Connect: stream, TCP or UDP, port, host ───►  │
//!   │ Data ◄─────────────────────────────────────►  │
//!   │ ◄──────────── Continue: stream, packets       │   of TCP: so many more may come
//!   │ Close: stream, reason ◄────────────────────►  │
//! ```
//!
//! [`Reader`] takes a packet in the pieces in which its message comes, and gives data on at once: a packet may be as
//! long as a message of a WebSocket, and nothing of it is kept here.
//!
//! ```
//! use bytes::Bytes;
//! use wisp::{Event, Reader, data};
//!
//! # fn main() -> Result<(), wisp::Error> {
//! let packet = data(7, b"hello");
//! assert_eq!(&packet[..], b"\x02\x07\0\0\0hello");
//! // In two pieces, as it may come.
//! let (first, second) = (packet.slice(..8), packet.slice(8..));
//! let mut reader = Reader::default();
//! let event = Event::Data { stream: 7, data: Bytes::from("hel"), last: false };
//! assert_eq!(reader.take(first, false)?, Some(event));
//! let event = Event::Data { stream: 7, data: Bytes::from("lo"), last: true };
//! assert_eq!(reader.take(second, true)?, Some(event));
//! # Ok(())
//! # }
//! ```

mod error;
mod packet;
mod reader;
mod reason;

pub use self::error::Error;
pub use self::packet::{Extension, HEADER, Info, Network, Packet, data};
pub use self::reader::{Event, Reader};
pub use self::reason::Reason;

/// The subprotocol by which a client asks for version 2.
pub const V2: &str = "wisp-v2";
