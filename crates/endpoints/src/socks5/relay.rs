//! The socket that relays the datagrams of one client. Each target that the client names is a peer in the table, and
//! all datagrams are received from the client and sent to it.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use endpoint::Info;
use endpoint::info::Target as Asked;
use nix::sys::socket::{MsgFlags, SockaddrStorage, sendmsg};
use socket2::{Domain, Protocol, SockRef, Type};
use socks::{Header, Host, Target};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::strays::{Stray, Strays};
use crate::datagram::icmp::{is_icmp, send_past};
use crate::datagram::ip::{Datagram, calm, count_dropped, receive};
use crate::datagram::outgoing::Datagrams;
use crate::datagram::{Received, Socket};
use crate::sockopt::dropped;

/// The socket.
pub(super) struct Relay {
    socket: UdpSocket,
    client: Client,
    /// The address that the client sends from. Once it is known, the system drops datagrams from others.
    from: OnceLock<SocketAddr>,
    /// The facts about the client.
    info: Info,
    strays: Mutex<Strays>,
}

/// The only sender that is listened to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// The address of the connection that has asked for the relay.
    pub(super) address: IpAddr,
    /// The port, if the client has named it; otherwise, it is that of the first datagram.
    pub(super) port: Option<u16>,
}

impl Relay {
    /// Opens it at this address of the machine, on the first of these ports that is free.
    ///
    /// # Errors
    /// Those of socket(2) and bind(2).
    pub(super) fn open(
        mut at: SocketAddr,
        ports: impl Iterator<Item = u16>,
        client: Client,
        info: Info,
    ) -> io::Result<Self> {
        let socket =
            socket2::Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        // As much as the system allows: a burst of datagrams waits there.
        socket.set_recv_buffer_size(BUFFER)?;
        let mut bound = Err(io::ErrorKind::AddrInUse.into());
        for port in ports {
            at.set_port(port);
            bound = socket.bind(&at.into());
            let is_taken =
                bound.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse);
            if !is_taken {
                break;
            }
        }
        bound?;
        let socket = UdpSocket::from_std(socket.into())?;
        count_dropped(&socket);
        let (from, strays) = (OnceLock::new(), Mutex::default());
        Ok(Self { socket, client, from, info, strays })
    }

    /// Returns its address.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub(super) fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Returns `true` if a datagram from this address is the client's.
    fn is_clients(&self, from: SocketAddr) -> bool {
        match self.from.get() {
            Some(known) => *known == from,
            None => {
                from.ip().to_canonical() == self.client.address
                    && self.client.port.is_none_or(|port| port == from.port())
            }
        }
    }

    fn stray(&self, stray: &Stray) -> Received<Target> {
        self.strays.lock().unwrap_or_else(PoisonError::into_inner).count(stray);
        Received::Ignored
    }
}

#[async_trait]
impl Socket for Relay {
    type Peer = Target;

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        self.socket.ready(interest).await.map(drop)
    }

    fn try_receive(&self, buf: &mut [u8]) -> io::Result<Received<Target>> {
        calm(&self.socket);
        let read = self.socket.try_io(Interest::READABLE, || receive(&self.socket, buf));
        let Datagram { len, from, dropped, .. } = match read {
            Ok(datagram) => datagram,
            // The client has closed its socket, or can't be reached for now: the relay lasts as long as its connection.
            Err(error) if is_icmp(&error) => return Ok(Received::Ignored),
            Err(error) => return Err(error),
        };
        let Some(from) = from else { return Ok(Received::Ignored) };
        if !self.is_clients(from) {
            return Ok(self.stray(&Stray::Elsewhere(from)));
        }
        let (target, start) = match Header::read(&buf[..len]) {
            Ok((Header { target: Target { port: 0, .. } }, _)) => {
                return Ok(self.stray(&Stray::NoPort));
            }
            Ok((header, start)) => (header.target, start),
            Err(error) => return Ok(self.stray(&Stray::Malformed(error))),
        };
        if self.from.set(from).is_ok() {
            // Datagrams that came before are checked above.
            SockRef::from(&self.socket).connect(&from.into())?;
        }
        Ok(Received::Datagram { at: start..len, each: None, from: target, dropped })
    }

    fn try_send(&self, Datagrams { data, .. }: Datagrams<'_>, to: &Target) -> io::Result<()> {
        let header = Header { target: to.clone() }.bytes();
        // It was read so.
        let header = header.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let pieces = [IoSlice::new(&header), IoSlice::new(data)];
        let fd = self.socket.as_raw_fd();
        send_past(&self.socket, || {
            sendmsg::<SockaddrStorage>(fd, &pieces, &[], MsgFlags::MSG_DONTWAIT, None)
                .map_err(io::Error::from)
        })
    }

    fn dropped(&self) -> Option<u32> {
        dropped(self.socket.as_fd()).ok()
    }

    fn info(&self, Target { host, port }: &Target) -> Info {
        let host = match host {
            Host::Address(address) => address.to_canonical().to_string(),
            Host::Name(name) => name.clone(),
        };
        self.info.clone().with(Asked::datagrams(host, *port))
    }
}

const BUFFER: usize = 4 * 1024 * 1024;
