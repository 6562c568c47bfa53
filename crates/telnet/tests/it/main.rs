//! The machine from outside: real transcripts, two of them back to back, floods.

mod bounds;
mod common;
mod newlines;
mod options;
mod pair;
mod transcripts;
