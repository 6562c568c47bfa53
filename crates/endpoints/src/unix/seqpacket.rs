//! `unix-seqpacket`: connections that keep the boundaries of messages.
//!
//! The runtime has no type for such sockets. Its listener of streams accepts them, and its datagram socket waits for
//! them: neither cares for more than the descriptor.

use std::future::Future;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::info::Unix;
use endpoint::{
    Accept, Accepted, Answer, Backoff, Conn, Connector, Context as Shared, Decision, End, Ending,
    Error, ErrorKind, Exposure, Grants, Incoming, Info, Listener, Local, Offer, Reason, Refusal,
    Result,
};
use plan::kind::{Args, Planned};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{Domain, Socket, Type};
use tokio::io::Interest;
use tokio::net::{UnixDatagram, UnixListener};
use tokio::time::sleep;
use tracing::warn;

use super::Address;
use super::listen::{backlog, chosen};
use super::place::{File, Place};
use crate::datagram::connected::{Connected, Link, Message};
use crate::patience::timeout;
use crate::ready::poll_by;
use crate::users::Users;

// === Listening ===

#[derive(Debug)]
struct Listen {
    place: Place,
    users: Option<Users>,
    backlog: i32,
    most: usize,
}

pub(super) fn plan_listen(args: &Args) -> Planned<Box<dyn Listener>> {
    let place = Place::read(args).map_err(|mistake| vec![mistake])?;
    let (users, backlog) = (Users::read(args), backlog(args));
    Ok(Box::new(Listen { place, users, backlog, most: most(args) }))
}

fn most(args: &Args) -> usize {
    let most = args.int("max-message").and_then(|most| usize::try_from(most).ok());
    most.unwrap_or(usize::MAX)
}

#[async_trait]
impl Listener for Listen {
    fn missing(&self, _: &Shared) -> Option<String> {
        self.place.address.in_the_way()
    }

    async fn bind(&self, cx: &Shared) -> Result<Box<dyn Accept>> {
        let guards = cx.behind().is_unguarded();
        let (socket, file) = self.place.bind(Type::SEQPACKET, guards, |_| Ok(()))?;
        let listening = socket
            .listen(self.backlog)
            .and_then(|()| UnixListener::from_std(OwnedFd::from(socket).into()));
        let address = self.place.address.clone();
        Ok(Box::new(Accepting {
            local: Local::new(format!("unix-seqpacket:{address}")),
            users: chosen(self.users, &address, guards),
            address,
            listener: listening.map_err(|cause| self.place.explain(cause))?,
            most: self.most,
            _file: file,
        }))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

struct Accepting {
    local: Local,
    address: Address,
    users: Users,
    listener: UnixListener,
    most: usize,
    _file: Option<File>,
}

#[async_trait]
impl Accept for Accepting {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let failed = |cause| Error::from_io("accept", &*self.local.descriptor, cause);
        loop {
            let (stream, _) = self.listener.accept().await.map_err(failed)?;
            let fact = fact(&self.address, &stream);
            if !self.users.include(fact.uid) {
                let user = fact.uid.map_or_else(|| "unknown".to_owned(), |uid| uid.to_string());
                warn!(
                    "refused a process of the user {user} at {}: the destination may be a program or a device; admit \
                     all users of this machine with `users=any`",
                    self.local
                );
                continue;
            }
            let socket = stream.into_std().and_then(|stream| waiting(stream.into()));
            let socket = Arc::new(socket.map_err(failed)?);
            let info = Info::new().with(fact);
            let arrived = Arrived { socket, info: info.clone(), most: self.most, watch: None };
            return Ok(Some(Incoming::ready(Offer::new(info, arrived))));
        }
    }
}

/// A connection that waits for its answer.
struct Arrived {
    socket: Arc<UnixDatagram>,
    info: Info,
    most: usize,
    /// Owns the socket too, while somebody asks whether the peer has left.
    watch: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

#[async_trait]
impl Decision for Arrived {
    async fn accept(self: Box<Self>, _: Answer) -> Result<Accepted> {
        let Self { socket, info, most, watch } = *self;
        drop(watch);
        let socket = Arc::into_inner(socket).expect("only the watch owned the socket beside us");
        Ok(Accepted::Session(Conn::messages(Connected::new(Peer(socket), most), info)))
    }

    /// A socket has no words, and is closed.
    async fn refuse(self: Box<Self>, _: Refusal) {}

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let watch = self.watch.get_or_insert_with(|| {
            let socket = Arc::clone(&self.socket);
            Box::pin(async move {
                let _ = socket.ready(Interest::ERROR).await;
            })
        });
        let left = watch.as_mut().poll(cx);
        left.map(|()| End::because(Reason::Reset, "the peer reset the connection"))
    }
}

/// The peer, as of the time of connect(2) or listen(2).
fn fact(address: &Address, socket: impl AsFd) -> Unix {
    let peer = rustix::net::sockopt::socket_peercred(socket).ok();
    Unix {
        path: address.shown(),
        pid: peer.map(|peer| peer.pid.as_raw_pid()),
        uid: peer.map(|peer| peer.uid.as_raw()),
    }
}

// === Connecting ===

#[derive(Debug)]
struct Connect {
    descriptor: String,
    address: Address,
    timeout: Option<Duration>,
    most: usize,
}

pub(super) fn plan_connect(args: &Args) -> Planned<Box<dyn Connector>> {
    Ok(Box::new(Connect {
        descriptor: args.descriptor.clone(),
        address: Address::read(args, "path").map_err(|mistake| vec![mistake])?,
        timeout: args.duration("timeout").filter(|limit| !limit.is_zero()),
        most: most(args),
    }))
}

#[async_trait]
impl Connector for Connect {
    fn missing(&self, _: &Shared) -> Option<String> {
        self.address.instead()
    }

    async fn connect(&self, _: &Shared, _: &Info) -> Result<Conn> {
        let socket = match self.timeout {
            None => self.open().await,
            Some(limit) => timeout(limit, self.open())
                .await
                .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())),
        };
        let socket = socket.map_err(|cause| self.explain(cause))?;
        let info = Info::new().with(fact(&self.address, &socket));
        Ok(Conn::messages(Connected::new(Peer(socket), self.most), info))
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn grants(&self) -> Grants {
        Grants::Service
    }
}

impl Connect {
    async fn open(&self) -> io::Result<UnixDatagram> {
        let address = self.address.to_socket()?;
        let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(100));
        loop {
            let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None)?;
            socket.set_nonblocking(true)?;
            match socket.connect(&address) {
                Ok(()) => return waiting(socket.into()),
                // EAGAIN is a full backlog, and nothing tells when there is room again.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sleep(backoff.pause()).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn explain(&self, cause: io::Error) -> Error {
        let hint = match cause.kind() {
            io::ErrorKind::NotFound => "no such socket; start the server or check the path",
            io::ErrorKind::ConnectionRefused => {
                "no server listens on this socket; start the server"
            }
            io::ErrorKind::PermissionDenied => {
                "connecting needs write permission on the socket and search permission on its \
                 directories"
            }
            io::ErrorKind::TimedOut => {
                let words = "the listener doesn't accept connections: its backlog is full";
                return Error::new(ErrorKind::Timeout, "connect", &*self.descriptor, words)
                    .with_hint("wait longer with `timeout=`");
            }
            _ if cause.raw_os_error() == Some(rustix::io::Errno::PROTOTYPE.raw_os_error()) => {
                "it is not such a socket; for a stream socket, write `unix:PATH`, for a datagram socket \
                 `unix-dgram:PATH`"
            }
            _ => return Error::from_io("connect", &*self.descriptor, cause),
        };
        Error::from_io("connect", &*self.descriptor, cause).with_hint(hint)
    }
}

// === The connection ===

/// A connected socket that the runtime waits for.
fn waiting(socket: OwnedFd) -> io::Result<UnixDatagram> {
    UnixDatagram::from_std(socket.into())
}

/// A connected socket.
struct Peer(UnixDatagram);

impl Link for Peer {
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Option<Message>>> {
        let mut is_over = false;
        let read = poll_by(cx, &self.0, UnixDatagram::poll_recv_ready, |socket| {
            socket.try_io(Interest::READABLE, || {
                let (_, len) = recv(socket, &mut *buf, RecvFlags::TRUNC)?;
                is_over = len == 0 && is_end(socket)?;
                Ok(len)
            })
        });
        read.map_ok(|len| (!is_over).then_some(Message { at: 0..len, dropped: None }))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<()>> {
        let sent = poll_by(cx, &self.0, UnixDatagram::poll_send_ready, |socket| {
            socket.try_io(Interest::WRITABLE, || {
                let flags = SendFlags::NOSIGNAL | SendFlags::EOR;
                Ok(send(socket, data, flags)?)
            })
        });
        sent.map_ok(drop)
    }

    fn finish(&mut self) -> io::Result<bool> {
        self.0.shutdown(Shutdown::Write).map(|()| true)
    }

    fn ending(&self) -> Ending {
        Ending::HalfClose
    }
}

/// Returns `true` if an empty message was the end. It isn't as long as the peer may send more, nor if something
/// follows.
fn is_end(socket: &UnixDatagram) -> io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::RDHUP)];
    poll(&mut fds, Some(&Timespec::default()))?;
    if !fds[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP) {
        return Ok(false);
    }
    let mut next = [0_u8; 1];
    let (_, len) = recv(socket, &mut next, RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
    Ok(len == 0)
}
