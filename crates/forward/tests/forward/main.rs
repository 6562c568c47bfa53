//! The splice and the forwarder against streams that fail, stall and end in every way. No sockets;
//! time is paused, so nothing here waits.

mod accept;
mod close;
mod control;
mod drain;
mod faults;
mod messages;
mod offers;
mod peers;
mod property;
mod support;
mod timers;
mod transfer;
