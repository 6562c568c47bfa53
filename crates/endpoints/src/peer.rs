//! The facts that descriptors of different sorts have about their peers.

use std::os::fd::BorrowedFd;

use endpoint::{Peer, PeerState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;
use socket2::SockRef;

use crate::sockopt::{TcpInfo, tcp_info, unsent};

/// The peer of a TCP connection. It owes an acknowledgement if something had to be sent again, or probes were sent,
/// and nothing has arrived since; not if `keepalive` is off, which allows it to be away for any time.
pub(crate) fn of_tcp(socket: BorrowedFd<'_>) -> Option<Peer> {
    let TcpInfo { state, waits, last_ack, acked } = tcp_info(socket).ok()?;
    let state = match state {
        // The states of a connection whose peer has sent its FIN.
        CLOSE_WAIT | LAST_ACK | CLOSING => PeerState::Ended,
        // So is a connection that both have ended in good order, whose last data may still lie unread.
        CLOSE if !events(socket, PollFlags::empty())?.contains(PollFlags::ERR) => PeerState::Ended,
        CLOSE => PeerState::Gone,
        _ => PeerState::Open,
    };
    let probed = || SockRef::from(&socket).keepalive().unwrap_or(false);
    Some(Peer {
        taken: acked,
        pending: unsent(socket).ok()?,
        overdue: (waits && probed()).then_some(last_ack),
        proven: true,
        state,
    })
}

/// The peer of a Unix socket: a process of this machine, which is there or isn't.
pub(crate) fn of_unix(socket: BorrowedFd<'_>) -> Option<Peer> {
    // In this order: a peer that takes the last of it and closes in between has taken it.
    let events = events(socket, PollFlags::RDHUP)?;
    let pending = unsent(socket).ok()?;
    let state = if events.intersects(PollFlags::HUP | PollFlags::ERR) {
        PeerState::Gone
    } else if events.contains(PollFlags::RDHUP) {
        PeerState::Ended
    } else {
        PeerState::Open
    };
    Some(Peer { taken: u64::MAX - pending, pending, overdue: None, proven: false, state })
}

/// The reader of a pipe that we write to; one that is gone is [`PeerState::Gone`].
pub(crate) fn of_pipe(pipe: BorrowedFd<'_>) -> Option<Peer> {
    let pending = ioctl_fionread(pipe).ok()?;
    let gone = events(pipe, PollFlags::empty())?.contains(PollFlags::ERR);
    let state = if gone { PeerState::Gone } else { PeerState::Open };
    Some(Peer { taken: u64::MAX - pending, pending, overdue: None, proven: false, state })
}

/// Returns the pending events of a descriptor.
fn events(fd: BorrowedFd<'_>, wanted: PollFlags) -> Option<PollFlags> {
    let mut fds = [PollFd::from_borrowed_fd(fd, wanted)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).ok()?;
    Some(fds[0].revents())
}

// TCP states, of linux/tcp_states.h.
const CLOSE: u8 = 7;
const CLOSE_WAIT: u8 = 8;
const LAST_ACK: u8 = 9;
const CLOSING: u8 = 11;

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::time::Duration;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    fn becomes(ours: &TcpStream, state: PeerState) {
        while of_tcp(ours.as_fd()).unwrap().state != state {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_connection_that_both_have_ended_is_not_gone() {
        let (mut ours, mut theirs) = pair();
        theirs.write_all(b"last").unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        assert_eq!(theirs.read(&mut [0; 1]).unwrap(), 0);
        drop(theirs);
        becomes(&ours, PeerState::Ended);
        let mut got = String::new();
        ours.read_to_string(&mut got).unwrap();
        assert_eq!(got, "last");
        assert_eq!(of_tcp(ours.as_fd()).unwrap().state, PeerState::Ended);
    }

    #[test]
    fn a_connection_that_was_reset_is_gone() {
        let (ours, theirs) = pair();
        ours.shutdown(Shutdown::Write).unwrap();
        SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
        drop(theirs);
        becomes(&ours, PeerState::Gone);
    }
}
