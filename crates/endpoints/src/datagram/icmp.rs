//! Errors that ICMP messages about earlier datagrams leave at a socket, whose next operation returns them.

use std::io;

use nix::errno::Errno;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Sends by `send` in spite of such errors: they are about datagrams that are lost already, and may be another peer's.
pub(crate) fn send_past(
    socket: &UdpSocket,
    send: impl Fn() -> io::Result<usize>,
) -> io::Result<()> {
    let mut tries = 0;
    loop {
        match socket.try_io(Interest::WRITABLE, &send) {
            Ok(_) => return Ok(()),
            Err(error) if is_icmp(&error) && tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Returns `true` if an ICMP message may have caused the error.
pub(crate) fn is_icmp(error: &io::Error) -> bool {
    let of_icmp = [
        Errno::ECONNREFUSED,
        Errno::EHOSTUNREACH,
        Errno::ENETUNREACH,
        Errno::ENOPROTOOPT,
        Errno::EHOSTDOWN,
        Errno::ENONET,
        Errno::EACCES,
        Errno::EPROTO,
        Errno::EOPNOTSUPP,
    ];
    error.raw_os_error().is_some_and(|number| of_icmp.iter().any(|errno| *errno as i32 == number))
}

/// Errors of others that one datagram is sent in spite of.
const TRIES: usize = 8;
