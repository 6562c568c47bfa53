//! `unix-dgram`: a session for each sender when listening ([`datagram`](crate::datagram)), a socket for each session
//! when connecting. A sender without an address can't be answered, and is identified by its process.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::info::Unix;
use endpoint::{
    Accept, Conn, Connector, Context as Shared, Error, Exposure, Grants, Info, Listener, Local,
    Missing, Result,
};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrLike, UnixAddr, UnixCredentials, bind, cmsg_space,
    recvmsg, sendto, setsockopt, sockopt,
};
use plan::kind::{Args, Planned};
use rustix::net::{RecvFlags, recv};
use socket2::{Domain, Type};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use super::Address;
use super::connect::{OTHER_TYPE, is_other_type};
use super::listen::chosen;
use super::place::{File, Place};
use crate::datagram::accepting::Accepting;
use crate::datagram::connected::{Connected, Link, Message};
use crate::datagram::outgoing::Datagrams;
use crate::datagram::table::Limits;
use crate::datagram::{Received, Socket};
use crate::own;
use crate::ready::poll_by;
use crate::users::Users;

// === Listening ===

#[derive(Debug)]
struct Listen {
    place: Place,
    users: Option<Users>,
    limits: Limits,
}

pub(super) fn plan_listen(args: &Args) -> Planned<Box<dyn Listener>> {
    let place = Place::read(args).map_err(|mistake| vec![mistake])?;
    let size = |name| args.int(name).and_then(|size| usize::try_from(size).ok());
    let limits = Limits {
        peers: size("max-peers").expect("`max-peers` has a default"),
        idle: args.duration("idle").filter(|idle| *idle > Duration::ZERO),
        message: size("max-message").unwrap_or(usize::MAX),
    };
    Ok(Box::new(Listen { place, users: Users::read(args), limits }))
}

#[async_trait]
impl Listener for Listen {
    fn missing(&self, _: &Shared) -> Vec<Missing> {
        self.place.address.in_the_way("address").into_iter().collect()
    }

    async fn bind(&self, cx: &Shared) -> Result<Box<dyn Accept>> {
        let guards = cx.behind().is_unguarded();
        let (socket, file) = self.place.bind(Type::DGRAM, guards, |_| Ok(()))?;
        let open = || {
            setsockopt(&socket, sockopt::PassCred, &true)?;
            UnixDatagram::from_std(net::UnixDatagram::from(OwnedFd::from(socket)))
        };
        let address = self.place.address.clone();
        let local = Local::new(format!("unix-dgram:{address}"));
        let senders = Senders {
            socket: open().map_err(|cause| self.place.explain(cause))?,
            users: chosen(self.users, &address, guards),
            address,
            has_refused: AtomicBool::new(false),
        };
        let held = file.map(|file| Box::new(file) as Box<dyn Send + Sync>);
        Ok(Box::new(Accepting::begin(senders, local, self.limits, cx.clock().clone(), held)))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

/// The socket of all senders.
struct Senders {
    socket: UnixDatagram,
    address: Address,
    users: Users,
    has_refused: AtomicBool,
}

/// A sender: its address, or its process if it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sender {
    address: Option<UnixAddr>,
    pid: Option<i32>,
    uid: Option<u32>,
}

#[async_trait]
impl Socket for Senders {
    type Peer = Sender;

    async fn ready(&self, interest: Interest) -> io::Result<()> {
        self.socket.ready(interest).await.map(drop)
    }

    fn try_receive(&self, buf: &mut [u8]) -> io::Result<Received<Sender>> {
        let fd = self.socket.as_raw_fd();
        let read = self.socket.try_io(Interest::READABLE, || {
            let mut space = [0_u8; SPACE];
            let mut parts = [IoSliceMut::new(buf)];
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
            let read = recvmsg::<UnixAddr>(fd, &mut parts, Some(&mut space), flags)?;
            let mut who = None;
            for control in read.cmsgs().into_iter().flatten() {
                if let ControlMessageOwned::ScmCredentials(credentials) = control {
                    who = Some(credentials);
                }
            }
            Ok((read.bytes, read.address, who))
        });
        let (len, address, who) = read?;
        if !self.admits(who) {
            return Ok(Received::Ignored);
        }
        if len > buf.len() {
            return Ok(Received::TooLong);
        }
        // A sender without a name has an address of no length, which must not be asked for its parts.
        let family = libc::socklen_t::try_from(size_of::<libc::sa_family_t>()).unwrap_or(2);
        let is_named = |at: &UnixAddr| at.len() > family;
        let address = address.filter(is_named);
        // With an address, the process doesn't matter: a socket may be handed on.
        let who = who.filter(|_| address.is_none());
        let from = Sender { address, pid: who.map(|who| who.pid()), uid: who.map(|who| who.uid()) };
        Ok(Received::Datagram { at: 0..len, each: None, from, dropped: None })
    }

    fn try_send(&self, Datagrams { data, .. }: Datagrams<'_>, to: &Sender) -> io::Result<()> {
        let Some(address) = &to.address else {
            let words = "the sender has no address to answer to";
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, words));
        };
        let fd = self.socket.as_raw_fd();
        // Not by the readiness of our socket: each receiver has a separate queue.
        sendto(fd, data, address, MsgFlags::MSG_DONTWAIT).map(drop).map_err(io::Error::from)
    }

    fn polls_for_room(&self) -> bool {
        true
    }

    fn info(&self, peer: &Sender) -> Info {
        let Sender { pid, uid, .. } = *peer;
        Info::new().with(Unix { path: self.address.shown(), pid, uid })
    }
}

impl Senders {
    fn admits(&self, who: Option<UnixCredentials>) -> bool {
        let uid = who.map(|who| who.uid());
        if self.users.include(uid) {
            return true;
        }
        // Once: a sender must not fill the log.
        if !self.has_refused.swap(true, Ordering::Relaxed) {
            let endpoint = format!("unix-dgram:{}", self.address);
            Users::log_refusal(uid, "the datagrams", &endpoint);
        }
        false
    }
}

// === Connecting ===

#[derive(Debug)]
struct Connect {
    descriptor: String,
    address: Address,
    from: Option<Address>,
    most: usize,
}

pub(super) fn plan_connect(args: &Args) -> Planned<Box<dyn Connector>> {
    let mut mistakes = Vec::new();
    let address = Address::read(args, "path").map_err(|mistake| mistakes.push(mistake));
    let from = args.is_given("bind").then(|| Address::read(args, "bind")).transpose();
    let from = from.map_err(|mistake| mistakes.push(mistake));
    let most = args.int("max-message").and_then(|most| usize::try_from(most).ok());
    match (address, from) {
        (Ok(address), Ok(from)) => Ok(Box::new(Connect {
            descriptor: args.descriptor.clone(),
            address,
            from,
            most: most.unwrap_or(usize::MAX),
        })),
        _ => Err(mistakes),
    }
}

#[async_trait]
impl Connector for Connect {
    fn missing(&self, _: &Shared) -> Vec<Missing> {
        self.address.instead("path").into_iter().collect()
    }

    async fn connect(&self, _: &Shared, info: &Info) -> Result<Conn> {
        if own::is_unix_dgram(info, &self.address.shown()) {
            return Err(Error::from_io("connect", &*self.descriptor, own::error()));
        }
        let peer = self.open().map_err(|cause| self.explain(cause))?;
        let fact = Unix { path: self.address.shown(), pid: None, uid: None };
        Ok(Conn::messages(Connected::new(peer, self.most), Info::new().with(fact)))
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn grants(&self) -> Grants {
        Grants::Service
    }
}

impl Connect {
    fn open(&self) -> io::Result<Peer> {
        let socket = socket2::Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        socket.set_nonblocking(true)?;
        let mut file = None;
        match &self.from {
            // The system gives it a name (autobind in unix(7)).
            None => bind(socket.as_raw_fd(), &UnixAddr::new_unnamed())?,
            Some(from) => {
                socket.bind(&from.to_socket()?)?;
                if let Some(path) = from.path() {
                    file = Some(File::just_made(path, None)?.0);
                }
            }
        }
        socket.connect(&self.address.to_socket()?)?;
        let socket = UnixDatagram::from_std(net::UnixDatagram::from(OwnedFd::from(socket)))?;
        Ok(Peer { socket, _file: file })
    }

    fn explain(&self, cause: io::Error) -> Error {
        let hint = match cause.kind() {
            io::ErrorKind::NotFound => "no such socket; start the server or check the path",
            io::ErrorKind::ConnectionRefused => {
                "no server receives on this socket; start the server"
            }
            io::ErrorKind::PermissionDenied => {
                "sending needs write permission on the socket and search permission on its directories"
            }
            io::ErrorKind::AddrInUse => {
                "`bind` is in use: only one session at a time can use it; remove it if no session does"
            }
            _ if is_other_type(&cause) => OTHER_TYPE,
            _ => return Error::from_io("connect", &*self.descriptor, cause),
        };
        Error::from_io("connect", &*self.descriptor, cause).with_hint(hint)
    }
}

/// A connected socket, and its own file if it has one.
struct Peer {
    socket: UnixDatagram,
    _file: Option<File>,
}

impl Link for Peer {
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Option<Message>>> {
        let read = poll_by(cx, &self.socket, UnixDatagram::poll_recv_ready, |socket| {
            socket.try_io(Interest::READABLE, || {
                let (_, len) = recv(socket, &mut *buf, RecvFlags::TRUNC)?;
                Ok(len)
            })
        });
        read.map_ok(|len| Some(Message { at: 0..len, each: None, dropped: None }))
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        Datagrams { data, .. }: Datagrams<'_>,
    ) -> Poll<io::Result<()>> {
        self.socket.poll_send(cx, data).map_ok(drop)
    }
}

const SPACE: usize = cmsg_space::<UnixCredentials>();
