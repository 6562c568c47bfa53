//! The splice and the forwarder against streams that fail, stall and end in every way. No networks;
//! time is paused, so nothing here waits.

#![expect(clippy::unwrap_used, reason = "what a test relies on may fail it, helpers included")]

mod accept;
mod close;
mod control;
mod drain;
mod faults;
mod guard;
mod kernel;
mod limited;
mod limits;
mod messages;
mod model;
mod observer;
mod offers;
mod peers;
mod property;
mod support;
mod timers;
mod transfer;
