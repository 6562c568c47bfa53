//! The load: both ends of every connection, in one thread of this process, on a separate processor.
//!
//! 1. [`wire`] makes what is sent before anything is measured, and finds the payload in what comes.
//! 2. [`end`] is a socket; two of them are a connection through a subject, a lane.
//! 3. [`tls`] encrypts at the client's end.
//! 4. [`stream`] moves payload one way, [`trips`] asks and answers.

pub(crate) mod end;
mod poller;
pub(crate) mod stream;
pub(crate) mod tls;
pub(crate) mod trips;
pub(crate) mod wire;
