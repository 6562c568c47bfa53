//! The stream of an open WebSocket connection.
//!
//! 1. [`core`]: the connection, which both of its views share: bytes ([`bytes`]) and messages ([`messages`]; of text,
//!    [`typed`]); [`views`] chooses;
//! 2. [`receiving`] and [`sending`]: frames in and frames out, each bounded;
//! 3. [`keepalive`]: pings, and when silence ends the connection;
//! 4. [`half`]: one direction ends without the other, if both ends support it;
//! 5. [`closing`]: both Closes, as a table; after a protocol error, draining the peer.

pub(super) mod base64;
mod bytes;
mod closing;
mod codes;
pub(super) mod compression;
pub(super) mod core;
pub(super) mod half;
pub(super) mod keepalive;
mod keys;
pub(super) mod messages;
mod pings;
mod receiving;
mod sending;
mod typed;
mod views;
