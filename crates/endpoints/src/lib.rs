//! The kinds of endpoint that ship: a file or a folder each, and one line in [`KINDS`].
//!
//! A kind knows the vocabulary (crate `endpoint`) and nothing of any other kind. It reads no
//! environment and prints nothing.
//!
//! One thing is changed in the whole process, by `process`, `pty` and `ssh`: of SIGHUP, SIGINT, SIGQUIT, SIGTERM and SIGTSTP,
//! those that it ignores are caught, and nothing is done about them, from the first program that is started. Its
//! programs would ignore them too.

mod absent;
mod adopted;
mod ahead;
mod arrived;
mod asking;
mod attempt;
mod auth;
mod balance;
mod certificate;
mod datagram;
mod destination;
mod echo;
mod fallback;
mod fifo;
mod file;
mod first_bytes;
mod framed;
mod frames;
mod http;
mod http_connect;
mod jwt;
mod login;
mod mem;
mod mock;
mod mute;
mod muxed;
mod null;
mod options;
mod outgoing;
mod own;
mod patience;
mod peer;
mod pid;
mod prefixed;
mod process;
mod program;
mod proxy;
mod pty;
mod queue;
mod ready;
mod retry;
mod route;
mod scratch;
mod screened;
mod serial;
mod shaking;
mod slips;
mod socket;
mod sockopt;
mod socks5;
mod ssh;
mod stdio;
mod target;
mod tcp;
mod tee;
mod telnet;
mod through;
mod tls;
mod trusted;
mod udp;
mod unix;
mod users;
mod wary;
mod watched;
mod wisp;
mod ws;
mod ws2s;

use plan::kind::Kind;

pub use self::auth::hash_password;
pub use self::program::{ignored_signals, reap_orphans};
pub use self::slips::{foreign, translate};
pub use self::stdio::restore_terminal;

/// Parsers of files and answers, which are private otherwise, for the fuzz targets.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::auth::fuzzing as credentials;
    pub use crate::route::{
        fuzzing as tokens, fuzzing_answer as answer, fuzzing_expression as expression,
        fuzzing_websocksy as websocksy,
    };
}

/// The kinds, in the order of the manual.
pub const KINDS: &[&Kind] = &[
    &tcp::TCP,
    &tcp::TCP4,
    &tcp::TCP6,
    &udp::KIND,
    &unix::KIND,
    &unix::DGRAM,
    &unix::SEQPACKET,
    &adopted::FD,
    &adopted::SYSTEMD,
    &adopted::INETD,
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
    &proxy::KIND,
    &socks5::KIND,
    &socks5::UDP,
    &http_connect::KIND,
    &ssh::KIND,
    &ws::KIND,
    &ws2s::KIND,
    &wisp::KIND,
    &telnet::KIND,
    &framed::KIND,
    &target::KIND,
    &route::KIND,
    &retry::KIND,
    &fallback::KIND,
    &balance::KIND,
    &tee::KIND,
];
