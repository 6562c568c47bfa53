//! The codec from outside: the standard's examples, every violation, every split, and tungstenite as oracle.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod compressed;
mod compression;
mod deflate;
mod differential;
mod encoding;
mod inflated;
mod inflating;
mod lengths;
mod negotiation;
mod oracle;
mod roundtrip;
mod splits;
mod standard;
mod stream;
mod text;
mod views;
mod violations;
