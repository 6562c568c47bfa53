//! permessage-deflate (RFC 7692): compressed messages. Section numbers in here are those of RFC 7692.
//!
//! 1. The opening handshake: a server gives the client's `Sec-WebSocket-Extensions` to [`answer`]; a client sends
//!    [`offer`] and gives what comes back to [`accept`]. Both get the [`Params`] of the connection.
//! 2. Receiving: [`Decoder::compressed_messages`](crate::Decoder::compressed_messages) allows compressed messages,
//!    and an [`Inflater`] takes their payload as it arrives.
//! 3. Sending: a [`Deflater`] makes payload for [`Encoder::compressed`](crate::Encoder::compressed). The sender
//!    chooses which messages to compress, one by one (§6).
//!
//! Memory is taken at the first compressed message of a direction, not before: 47 KiB for what comes; 370 KiB for what
//! goes, 250 KiB with the smallest window. It is kept until the connection ends; without context takeover, while a message
//! is open only, which is what that parameter is for. Messages pass in pieces, none is held.
//!
//! Compression of a secret together with data that an attacker may choose reveals the secret by the compressed length
//! (§9, CRIME).
//!
//! ```
//! use websocket::deflate::{Bounds, Config, Deflater, Inflater, answer};
//! use websocket::{Data, Decoder, Encoder, Event, Limits, Role};
//!
//! // The handshake, at a server. `agreed` goes back as Sec-WebSocket-Extensions.
//! let offers = ["permessage-deflate; client_max_window_bits"];
//! let (params, agreed) = answer(&Config::default(), offers).expect("an offer that can be accepted");
//! assert_eq!(agreed, "permessage-deflate");
//!
//! // The server's side. `None` would mean: nothing can be compressed in the window that was agreed upon.
//! let mut deflater = Deflater::new(Role::Server, &params, 6).expect("a window of 32 KiB");
//! let mut payload = Vec::new();
//! deflater.deflate(b"Hello", true, &mut payload);
//! let no_key = || [0; 4];
//! let header = Encoder::new(Role::Server).compressed(true, true, payload.len() as u64, no_key);
//! assert_eq!([&header[..], &payload].concat(), b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"); // §7.2.3.1
//!
//! // The client's side.
//! let bounds = Bounds { max_message: 1 << 20, ..Bounds::default() };
//! let mut inflater = Inflater::new(Role::Client, &params, bounds);
//! let mut decoder = Decoder::new(Role::Client, Limits::default()).compressed_messages(true);
//! let mut buf = *b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
//! let (mut at, mut out, mut message) = (0, [0; 3], Vec::new());
//! while let Some(event) = decoder.next(&mut buf, &mut at)? {
//!     let Event::Data(Data { range, compressed: true, last, .. }) = event else { continue };
//!     let mut input = &buf[range];
//!     loop {
//!         let inflated = match inflater.inflate(input, last, &mut out) {
//!             Ok(inflated) => inflated,
//!             Err(violation) => return Err(decoder.refuse(violation)),
//!         };
//!         message.extend_from_slice(&out[..inflated.filled]);
//!         input = &input[inflated.taken..];
//!         if inflated.done {
//!             break;
//!         }
//!     }
//! }
//! assert_eq!(message, b"Hello");
//! # Ok::<(), websocket::ProtocolError>(())
//! ```

mod config;
mod deflater;
mod extensions;
mod inflater;
mod memory;
mod negotiation;

pub use config::{Config, Params};
pub use deflater::Deflater;
pub use inflater::{Bounds, Inflated, Inflater};
pub use memory::has_memory;
pub use negotiation::{Unacceptable, accept, answer, offer};

/// The end of every flush: the lengths of an empty stored block. It isn't transmitted at the end of a message
/// (§7.2.1, §7.2.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
