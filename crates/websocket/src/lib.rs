//! RFC 6455 frames: bytes in, events and bytes out; no I/O, no clock, no random numbers, no allocation on the data path
//! (but for the windows of [`deflate`]).
//!
//! 1. The caller reads from the peer into its buffer and passes it to a [`Decoder`], which works *in place*: it
//!    removes the frame headers, unmasks, checks, and returns the ranges of the payload. Payload passes as it
//!    arrives, so a message of 1 GiB takes no more memory than one of a byte. An element that a read cut in two (a
//!    header ≤ 14 bytes, a control payload ≤ 125, a code point ≤ 3) is kept inside the decoder.
//! 2. An [`Encoder`] makes the header of each frame that goes out, and whole control frames; [`mask()`] is for the
//!    payloads that a client sends.
//! 3. A [`ProtocolError`] has the violation, its frame, and the code to close with (§7.4).
//! 4. Of extensions (§9) it knows permessage-deflate (RFC 7692): [`deflate`] negotiates it, compresses and inflates. Without
//!    it, and for all other extensions, the RSV bits must be 0.
//!
//! This crate doesn't do: the rest of the opening handshake (§4), and the closing handshake's timing (§7.1).
//! Answering a ping or a Close is up to the caller, which knows what it still has to send.
//!
//! # The byte view
//!
//! All payloads, one after the other, at the front of the buffer, as `poll_read` of a flat connection returns them.
//!
//! ```
//! use websocket::{Control, Decoder, Limits, Role};
//!
//! let mut decoder = Decoder::new(Role::Client, Limits::default());
//! // A Text frame in two fragments with a ping between: §5.7.
//! let mut buf = *b"\x01\x03Hel\x89\x00\x80\x02lo";
//! let mut pings = 0;
//! let compacted = decoder.compact(&mut buf, |control| match control {
//!     // Only the last of several pings needs an answer (§5.5.3), so one slot is enough.
//!     Control::Ping(_) => pings += 1,
//!     Control::Pong(_) | Control::Close(_) => {}
//! });
//! // Data decoded before an error is valid and goes on; then the error ends the connection.
//! assert_eq!((&buf[..compacted.payload], compacted.error), (&b"Hello"[..], None));
//! assert_eq!(pings, 1);
//! ```
//!
//! # The message view
//!
//! The same decoder, event by event; ranges are places in the buffer, which can then become shared memory and be cut up.
//!
//! ```
//! use websocket::{Data, Decoder, Event, Limits, Role};
//!
//! let mut decoder = Decoder::new(Role::Client, Limits { max_message: 1 << 20, ..Limits::default() });
//! let mut buf = *b"\x01\x03Hel\x89\x00\x80\x02lo";
//! let (mut at, mut message) = (0, Vec::new());
//! while let Some(event) = decoder.next(&mut buf, &mut at)? {
//!     match event {
//!         Event::Data(Data { range, last, .. }) => {
//!             message.extend_from_slice(&buf[range]);
//!             assert_eq!(last, message == b"Hello");
//!         }
//!         Event::Control(control) => println!("{control:?}"),
//!     }
//! }
//! assert_eq!(message, b"Hello");
//! # Ok::<(), websocket::ProtocolError>(())
//! ```
//!
//! # Sending
//!
//! A client masks what it sends with a fresh, unpredictable key for each frame (§5.3), so it has to pass in a source
//! of random keys: this crate has none. A server's source is never used.
//!
//! ```
//! use websocket::{Encoder, Role, mask};
//!
//! let random = || [0x37, 0xfa, 0x21, 0x3d]; // as in §5.7; in earnest: bytes of a cryptographic generator
//! let mut encoder = Encoder::new(Role::Client);
//! let mut payload = *b"Hello";
//! let header = encoder.data(true, true, payload.len() as u64, random);
//! if let Some(key) = header.key() {
//!     mask(key, 0, &mut payload);
//! }
//! assert_eq!(*header, *b"\x81\x85\x37\xfa\x21\x3d");
//! assert_eq!(payload, *b"\x7f\x9f\x4d\x51\x58");
//! ```
#![forbid(unsafe_code)]

mod close_code;
mod control;
mod decoder;
pub mod deflate;
mod encoder;
mod error;
mod header;
mod limits;
mod mask;
mod opcode;
mod utf8;

pub use close_code::CloseCode;
pub use control::{CloseFrame, Control, ControlFrame, ControlPayload, MAX_CONTROL, MAX_REASON};
pub use decoder::{Compacted, Data, Decoder, Event};
pub use encoder::Encoder;
pub use error::{ProtocolError, Violation};
pub use header::{FrameHeader, HeaderBytes, MAX_HEADER};
pub use limits::{Limits, Role};
pub use mask::mask;
pub use opcode::OpCode;
pub use utf8::Utf8;
