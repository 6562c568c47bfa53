//! HTTP, on both sides: what a listener reads and replies, and what a client of ours reads.
//!
//! A kind that is reached by HTTP uses this room and is not known to it: what a listener has to offer
//! besides errors is mounted on the front.

pub(crate) mod body;
pub(crate) mod facts;
pub(crate) mod hosts;
pub(crate) mod origin;
pub(crate) mod page;
pub(crate) mod params;
pub(crate) mod proxy;
pub(crate) mod reply;
pub(crate) mod response;
mod sniff;
pub(crate) mod syntax;
pub(crate) mod target;
pub(crate) mod url;
pub(crate) mod wire;
