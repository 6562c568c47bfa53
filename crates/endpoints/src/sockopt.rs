//! Socket options and queries, and inherited descriptors, that neither tokio, socket2 nor rustix have a safe call for.
//!
//! The only file of this crate with `unsafe` in it: each block passes the kernel a pointer to a local buffer together
//! with its true size, and reads no more than the kernel has written. The block that takes a descriptor explains why
//! nothing else owns it.
#![expect(
    unsafe_code,
    reason = "TCP_INFO, SIOCOUTQ, SO_MEMINFO, TCP_RTO_MAX_MS, TCP_FASTOPEN and inherited descriptors have no safe wrapper"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// The parts of `TCP_INFO` in tcp(7) that are used here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TcpInfo {
    /// The connection's state (`TCP_ESTABLISHED` is 1).
    pub(crate) state: u8,
    /// Set if something was sent again, or probes were sent, since the last acknowledgement.
    pub(crate) waits: bool,
    /// The time since the last acknowledgement.
    pub(crate) last_ack: Duration,
    /// Bytes that the peer has acknowledged.
    pub(crate) acked: u64,
}

/// Asks for [`TcpInfo`].
///
/// # Errors
/// It is no TCP socket, or the kernel is older than 4.2.
pub(crate) fn tcp_info(socket: BorrowedFd<'_>) -> io::Result<TcpInfo> {
    let mut info = [0_u8; INFO];
    let mut len = libc::socklen_t::try_from(INFO).expect("it is small");
    // SAFETY: `info` and `len` live through the call, and `len` is the size of `info`.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    if (len as usize) < INFO {
        return Err(io::ErrorKind::Unsupported.into());
    }
    // The offsets of struct tcp_info in linux/tcp.h, which only grows at its end.
    let mut last_ack = [0; 4];
    last_ack.copy_from_slice(&info[56..60]);
    let mut acked = [0; 8];
    acked.copy_from_slice(&info[120..128]);
    Ok(TcpInfo {
        state: info[0],
        // Retransmissions and probes.
        waits: info[2] > 0 || info[3] > 0,
        last_ack: Duration::from_millis(u32::from_ne_bytes(last_ack).into()),
        acked: u64::from_ne_bytes(acked),
    })
}

/// Returns how many bytes lie in a socket's send queue (SIOCOUTQ): those that a TCP peer has not acknowledged, a FIN
/// among them, or those of memory that a Unix peer has not read.
///
/// # Errors
/// It is no such socket.
pub(crate) fn unsent(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: TIOCOUTQ, which is SIOCOUTQ, writes one int, and `bytes` lives through the call.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::try_from(bytes).unwrap_or(0))
}

/// Returns how many datagrams the system has dropped because a socket's receive buffer was full (`SO_MEMINFO`). It is the
/// number that comes with the next datagram if `SO_RXQ_OVFL` in socket(7) is set; there may be none.
///
/// # Errors
/// The kernel is older than 4.12.
pub(crate) fn dropped(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut info = [0_u32; MEMINFO];
    let mut len = libc::socklen_t::try_from(size_of_val(&info)).expect("it is small");
    // SAFETY: `info` and `len` live through the call, and `len` is the size of `info`.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            info.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(info[MEMINFO - 1])
}

/// Sets the longest time between two retransmissions or probes (`TCP_RTO_MAX_MS`, since Linux 6.15), which is two
/// minutes otherwise: a peer with a closed window that vanishes is then noticed as soon as any other one.
///
/// # Errors
/// The kernel doesn't have it.
pub(crate) fn set_rto_max(socket: BorrowedFd<'_>, longest: Duration) -> io::Result<()> {
    let longest = libc::c_int::try_from(longest.as_millis()).unwrap_or(libc::c_int::MAX);
    set_tcp(socket, TCP_RTO_MAX_MS, longest)
}

/// Takes data with a client's first packet (`TCP_FASTOPEN`), of so many connections at most that aren't established
/// yet.
///
/// # Errors
/// The kernel doesn't have it.
pub(crate) fn set_fastopen(socket: BorrowedFd<'_>, pending: i32) -> io::Result<()> {
    set_tcp(socket, libc::TCP_FASTOPEN, pending)
}

fn set_tcp(socket: BorrowedFd<'_>, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let len = libc::socklen_t::try_from(size_of_val(&value)).expect("it is small");
    // SAFETY: `value` lives through the call, and `len` is its size.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            option,
            (&raw const value).cast(),
            len,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes a descriptor that was passed to this program when it was started, and keeps it from programs that this one
/// starts.
///
/// # Errors
/// There is none of this number, or it is one that this process opened.
pub(crate) fn take_inherited(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD and F_SETFD take numbers, and touch no memory.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags < 0 {
        return Err(io::Error::last_os_error());
    }
    if number <= 2 || flags & libc::FD_CLOEXEC != 0 {
        return Err(io::ErrorKind::NotFound.into());
    }
    // SAFETY: as above.
    if unsafe { libc::fcntl(number, libc::F_SETFD, flags | libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open. Descriptors that this process opens itself are closed on exec (std, tokio, rustix and
    // socket2 see to it), so one that isn't came from outside and has no owner here; from now on it is closed on exec,
    // and is not taken again.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Up to and with `tcpi_bytes_acked`.
const INFO: usize = 128;
/// The numbers of `SO_MEMINFO` in `linux/sock_diag.h`; `SK_MEMINFO_DROPS` is the last one.
const MEMINFO: usize = 9;

/// From linux/tcp.h; libc doesn't have it yet.
const TCP_RTO_MAX_MS: libc::c_int = 44;

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_connection_tells_what_its_peer_has_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        let before = tcp_info(ours.as_fd()).unwrap();
        assert_eq!(before.state, 1, "established");
        let piece = vec![7; 64 * 1024];
        let mut sent = 0;
        loop {
            match ours.write(&piece) {
                Ok(bytes) => sent += bytes as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(unsent(ours.as_fd()).unwrap() > 0, "nobody reads");
        let mut buf = vec![0; 1 << 20];
        let mut read = 0;
        while read < sent {
            read += theirs.read(&mut buf).unwrap() as u64;
        }
        while unsent(ours.as_fd()).unwrap() > 0 {
            std::thread::yield_now();
        }
        let after = tcp_info(ours.as_fd()).unwrap();
        assert_eq!(after.acked - before.acked, sent);
        assert!(!after.waits);
    }

    #[test]
    fn what_the_receive_buffer_had_no_room_for_is_counted() {
        let ours = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = ours.local_addr().unwrap();
        socket2::SockRef::from(&ours).set_recv_buffer_size(4096).unwrap();
        let theirs = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..50 {
            theirs.send_to(&[0; 1000], at).unwrap();
        }
        ours.set_nonblocking(true).unwrap();
        let came = std::iter::from_fn(|| ours.recv(&mut [0; 1000]).ok()).count();
        assert!(came < 50, "{came}");
        assert_eq!(dropped(ours.as_fd()).unwrap() as usize, 50 - came);
    }

    #[test]
    fn what_is_no_tcp_socket_says_so() {
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(tcp_info(ours.as_fd()).is_err());
        assert_eq!(unsent(ours.as_fd()).unwrap(), 0);
    }
}
