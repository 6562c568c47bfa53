//! Our own listeners as destinations.
//!
//! A listener whose destination is itself connects to itself for each client, and again for each of these connections,
//! until there are no file descriptors left; datagrams go round for ever. So a client is not connected to the address
//! that it has come to.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use endpoint::info::{Tcp, Udp, Unix};
use endpoint::{Context, Info};

/// The TCP ports that are listened on. The clients of a transparent proxy come to the address of their destination, and
/// only the port tells that address from a listener's.
#[derive(Default)]
struct Ports(Mutex<BTreeSet<u16>>);

/// Notes that something listens at this address.
pub(crate) fn listens(cx: &Context, address: SocketAddr) {
    let ports = cx.shared::<Ports>();
    ports.0.lock().unwrap_or_else(PoisonError::into_inner).insert(address.port());
}

/// Returns `true` if the client has come to a listener of ours by a TCP connection to this address.
pub(crate) fn is_tcp(cx: &Context, info: &Info, address: SocketAddr) -> bool {
    let plain = (address.ip().to_canonical(), address.port());
    let is_theirs = |tcp: &Tcp| (tcp.local.ip().to_canonical(), tcp.local.port()) == plain;
    info.get::<Tcp>().is_some_and(is_theirs) && {
        let ports = cx.shared::<Ports>();
        ports.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&address.port())
    }
}

/// Returns `true` if the client has come to a listener of ours by datagrams to this address, which a socket at `from`
/// is connected to. A listener may have all addresses of this machine; one of them is reached from itself.
pub(crate) fn is_udp(info: &Info, address: SocketAddr, from: SocketAddr) -> bool {
    info.get::<Udp>().is_some_and(|udp| {
        let (theirs, to) = (udp.local.ip().to_canonical(), address.ip().to_canonical());
        let is_here = from.ip().to_canonical() == to;
        udp.local.port() == address.port() && (theirs == to || (theirs.is_unspecified() && is_here))
    })
}

/// Returns `true` if the client is this process, and has connected to this path.
pub(crate) fn is_unix(info: &Info, path: &Path) -> bool {
    let ours = i32::try_from(std::process::id()).ok();
    info.get::<Unix>().is_some_and(|unix| unix.path == path && unix.pid == ours)
}

/// Returns `true` if the client has sent its datagrams to this path.
pub(crate) fn is_unix_dgram(info: &Info, path: &Path) -> bool {
    info.get::<Unix>().is_some_and(|unix| unix.path == path)
}

/// The error instead of a connection.
pub(crate) fn error() -> io::Error {
    io::Error::other(WORDS)
}

pub(crate) const WORDS: &str =
    "it is the listener that the client has come to, which would connect to itself for ever";
