//! The codec from outside: the standard's examples, every violation, every split, and tungstenite as oracle.
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod compressed;
mod deflate;
mod differential;
mod encoding;
mod lengths;
mod oracle;
mod roundtrip;
mod splits;
mod standard;
mod stream;
mod text;
mod views;
mod violations;
