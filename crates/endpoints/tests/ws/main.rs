//! The kind `ws`: handshakes as raw bytes, frames as raw bytes, and tungstenite at the other end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admission;
mod ahead;
mod support;

mod client;
mod close;
mod codecs;
mod compression;
mod encodings;
mod folder;
mod frames;
mod handshake;
mod keepalive;
mod linger;
mod nested;
mod offers;
mod page;
mod plan;
mod proxy;
mod random;
mod refusals;
mod terminal;
mod tungstenite;
mod views;
