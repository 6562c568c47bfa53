//! The kinds of endpoint that ship: a file or a folder each, and one line in [`KINDS`].
//!
//! A kind knows the vocabulary (crate `endpoint`) and nothing of any other kind. It reads no
//! environment and prints nothing.
//!
//! One thing is changed in the whole process, by `process` and `pty`: of SIGHUP, SIGINT, SIGQUIT, SIGTERM and SIGTSTP,
//! those that it ignores are caught, and nothing is done about them, from the first program that is started. Its
//! programs would ignore them too.

mod arrived;
mod auth;
mod datagram;
mod echo;
mod fifo;
mod file;
mod first_bytes;
mod framed;
mod frames;
mod http;
mod mapped;
mod mem;
mod mock;
mod net;
mod null;
mod outgoing;
mod patience;
mod peer;
mod pid;
mod prefixed;
mod process;
mod program;
mod pty;
mod queue;
mod ready;
mod retry;
mod scratch;
mod serial;
mod slips;
mod socket;
mod sockopt;
mod stdio;
mod tcp;
mod tee;
mod telnet;
mod tls;
mod udp;
mod unix;
mod wary;
mod ws;

use plan::kind::Kind;

pub use self::program::{ignored_signals, reap_orphans};

/// The kinds, in the order of the manual.
pub const KINDS: &[&Kind] = &[
    &tcp::TCP,
    &tcp::TCP4,
    &tcp::TCP6,
    &udp::KIND,
    &unix::KIND,
    &unix::DGRAM,
    &unix::SEQPACKET,
    &stdio::KIND,
    &process::KIND,
    &pty::KIND,
    &serial::KIND,
    &file::KIND,
    &fifo::KIND,
    &echo::KIND,
    &null::NULL,
    &null::ZERO,
    &mem::KIND,
    &mock::KIND,
    &tls::KIND,
    &ws::KIND,
    &telnet::KIND,
    &framed::KIND,
    &retry::KIND,
    &tee::KIND,
];
