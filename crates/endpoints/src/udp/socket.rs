//! A UDP socket of many peers: the destination address of each datagram, the number that the system has dropped, and
//! ICMP errors.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};

use async_trait::async_trait;
use endpoint::Info;
use endpoint::info::Udp;
use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, cmsg_space, recvmsg, sendmsg,
    setsockopt, sockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::datagram::icmp::{is_icmp, send_past};
use crate::datagram::ip::{address, batch, count_dropped, segment};
use crate::datagram::outgoing::Datagrams;
use crate::datagram::{Received, Socket};
use crate::sockopt::dropped;

/// A socket that listens.
pub(super) struct Shared {
    socket: UdpSocket,
    local: SocketAddr,
    /// Set if it has several addresses, and answers are to leave from the right one.
    tells: bool,
    splits: usize,
}

/// A peer, and the local address that it has sent to, if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PeerAt {
    peer: SocketAddr,
    at: Option<IpAddr>,
}

impl Shared {
    /// Creates it. `tells` takes effect if its address is every address of the machine.
    pub(super) fn new(socket: UdpSocket, tells: bool) -> io::Result<Self> {
        let local = socket.local_addr()?;
        let tells = tells && local.ip().is_unspecified();
        count_dropped(&socket);
        // A socket of IPv6 has peers of IPv4, too, if it is dual-stack: their errors are IPv4's.
        setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?;
        if local.is_ipv6() {
            setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?;
        }
        if tells && local.is_ipv4() {
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        } else if tells {
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        }
        let splits = batch(&socket);
        Ok(Self { socket, local, tells, splits })
    }

    fn receive(&self, buf: &mut [u8], flags: MsgFlags) -> io::Result<Message> {
        // Not `cmsg_space!`, which allocates.
        let mut space = [0_u8; SPACE];
        let mut parts = [IoSliceMut::new(buf)];
        let fd = self.socket.as_raw_fd();
        let received = recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut space), flags)?;
        let mut message = Message {
            len: received.bytes,
            each: None,
            address: received.address.as_ref().and_then(address),
            at: None,
            dropped: None,
            errno: None,
        };
        for control in received.cmsgs().into_iter().flatten() {
            match control {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    let at = match flags.contains(MsgFlags::MSG_ERRQUEUE) {
                        // An ICMP error was sent to the address that the datagram left from.
                        true => info.ipi_addr,
                        // The address of the interface, if it was sent to a group: that is no address to answer from.
                        false => info.ipi_spec_dst,
                    };
                    message.at = Some(Ipv4Addr::from(u32::from_be(at.s_addr)).into());
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    let at = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    message.at = Some(IpAddr::from(at)).filter(|at| !at.is_multicast());
                }
                ControlMessageOwned::UdpGroSegments(size) => message.each = segment(size),
                ControlMessageOwned::RxqOvfl(dropped) => message.dropped = Some(dropped),
                ControlMessageOwned::Ipv4RecvErr(error, _)
                | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                    message.errno = i32::try_from(error.ee_errno).ok();
                }
                _ => {}
            }
        }
        Ok(message)
    }

    /// Returns the ICMP error about a datagram of ours. A route that is gone may come back, and a datagram that was
    /// too large for its path doesn't affect the next; a port without a listener is an end.
    fn refusal(&self) -> io::Result<Option<Received<PeerAt>>> {
        let mut head = [0; 1];
        let message = self.socket.try_io(Interest::ERROR, || {
            self.receive(&mut head, MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT)
        })?;
        let error = message.errno.map(io::Error::from_raw_os_error);
        let Some((to, error)) = message.address.zip(error) else { return Ok(None) };
        let is_final = error.kind() == io::ErrorKind::ConnectionRefused
            || error.raw_os_error() == Some(Errno::ENOPROTOOPT as i32);
        let to = PeerAt { peer: to, at: message.at };
        Ok(is_final.then_some(Received::Refused { to, error }))
    }
}

/// The result of recvmsg(2).
struct Message {
    len: usize,
    /// The size of each datagram, if there are several.
    each: Option<usize>,
    address: Option<SocketAddr>,
    at: Option<IpAddr>,
    dropped: Option<u32>,
    errno: Option<i32>,
}

#[async_trait]
impl Socket for Shared {
    type Peer = PeerAt;

    /// A peer that has sent to a group: its answers leave from an address that the system chooses.
    fn otherwise(to: &PeerAt) -> Option<PeerAt> {
        to.at.is_some().then_some(PeerAt { at: None, ..*to })
    }

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        self.socket.ready(interest).await.map(drop)
    }

    fn try_receive(&self, buf: &mut [u8]) -> io::Result<Received<PeerAt>> {
        match self.refusal() {
            Ok(Some(refused)) => return Ok(refused),
            Ok(None) => return Ok(Received::Ignored),
            // Nothing is in the queue of errors.
            Err(_) => {}
        }
        let read =
            self.socket.try_io(Interest::READABLE, || self.receive(buf, MsgFlags::MSG_DONTWAIT));
        match read {
            Ok(Message { address: None, .. }) => Ok(Received::Ignored),
            Ok(Message { len, each, address: Some(peer), at, dropped, .. }) => {
                let from = PeerAt { peer, at: at.filter(|_| self.tells) };
                Ok(Received::Datagram { at: 0..len, each, from, dropped })
            }
            // It is another peer's, and in the queue of errors as well.
            Err(error) if is_icmp(&error) => Ok(Received::Ignored),
            Err(error) => Err(error),
        }
    }

    fn splits(&self) -> usize {
        self.splits
    }

    fn try_send(&self, Datagrams { data, each }: Datagrams<'_>, to: &PeerAt) -> io::Result<()> {
        let address = SockaddrStorage::from(to.peer);
        let parts = [IoSlice::new(data)];
        let fd = self.socket.as_raw_fd();
        let flags = MsgFlags::MSG_DONTWAIT;
        let (v4, v6);
        let from = match to.at {
            None => None,
            Some(IpAddr::V4(at)) => {
                v4 = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr { s_addr: u32::from(at).to_be() },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                Some(ControlMessage::Ipv4PacketInfo(&v4))
            }
            Some(IpAddr::V6(at)) => {
                v6 = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr { s6_addr: at.octets() },
                    ipi6_ifindex: 0,
                };
                Some(ControlMessage::Ipv6PacketInfo(&v6))
            }
        };
        let each = each.as_ref().map(ControlMessage::UdpGsoSegments);
        send_past(&self.socket, || {
            let sent = match (from, each) {
                (None, each) => sendmsg(fd, &parts, each.as_slice(), flags, Some(&address)),
                (from, None) => sendmsg(fd, &parts, from.as_slice(), flags, Some(&address)),
                (Some(from), Some(each)) => {
                    sendmsg(fd, &parts, &[from, each], flags, Some(&address))
                }
            };
            sent.map_err(io::Error::from)
        })
    }

    fn dropped(&self) -> Option<u32> {
        dropped(self.socket.as_fd()).ok()
    }

    fn info(&self, PeerAt { peer, at }: &PeerAt) -> Info {
        let local = at.map_or(self.local, |at| SocketAddr::new(at, self.local.port()));
        Info::new().with(fact(local, *peer))
    }
}

/// The addresses of both ends. IPv4 peers of a dual-stack socket are shown as such.
pub(super) fn fact(local: SocketAddr, peer: SocketAddr) -> Udp {
    let plain = |address: SocketAddr| match address.ip().to_canonical() {
        ip if ip.is_ipv4() => SocketAddr::new(ip, address.port()),
        // The zone of a link-local address stays.
        _ => address,
    };
    Udp { local: plain(local), peer: plain(peer) }
}

/// The space for all control messages of a datagram together.
const SPACE: usize = cmsg_space::<libc::in6_pktinfo>()
    + cmsg_space::<u32>()
    + cmsg_space::<i32>()
    + cmsg_space::<(libc::sock_extended_err, libc::sockaddr_in6)>();
