//! `unix-seqpacket`: connections that keep the boundaries of messages.
//!
//! The runtime has no type for such sockets. Its datagram socket waits for them: it cares for no more than the
//! descriptor.

use std::future::Future;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use endpoint::{
    Accept, Accepted, Answer, Conn, Connector, Context as Shared, Decision, End, Ending, Exposure,
    Grants, Incoming, Info, Listener, Local, Missing, Offer, Reason, Refusal, Result,
};
use plan::kind::{Args, Planned};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::Type;
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use super::connect::Dial;
use super::listen::{Bind, Listening};
use crate::datagram::connected::{Connected, Link, Message};
use crate::datagram::outgoing::Datagrams;
use crate::ready::poll_by;
use crate::users::peer;

// === Listening ===

#[derive(Debug)]
struct Listen {
    bind: Bind,
    most: usize,
}

pub(super) fn plan_listen(args: &Args) -> Planned<Box<dyn Listener>> {
    let bind = Bind::read(args).map_err(|mistake| vec![mistake])?;
    Ok(Box::new(Listen { bind, most: most(args) }))
}

fn most(args: &Args) -> usize {
    let most = args.int("max-message").and_then(|most| usize::try_from(most).ok());
    most.unwrap_or(usize::MAX)
}

#[async_trait]
impl Listener for Listen {
    fn missing(&self, _: &Shared) -> Vec<Missing> {
        self.bind.place.address.in_the_way("address").into_iter().collect()
    }

    async fn bind(&self, cx: &Shared) -> Result<Box<dyn Accept>> {
        let listening = self.bind.open(cx, "unix-seqpacket", Type::SEQPACKET, |_| Ok(()))?;
        Ok(Box::new(Accepting { listening, most: self.most }))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

struct Accepting {
    listening: Listening,
    most: usize,
}

#[async_trait]
impl Accept for Accepting {
    fn local(&self) -> &Local {
        &self.listening.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let (stream, fact) = self.listening.accept().await?;
        let socket = stream.into_std().and_then(|stream| waiting(stream.into()));
        let socket = Arc::new(socket.map_err(|cause| self.listening.failed(cause))?);
        let info = Info::new().with(fact);
        let arrived = Arrived { socket, info: info.clone(), most: self.most, watch: None };
        Ok(Some(Incoming::ready(Offer::new(info, arrived))))
    }
}

/// A connection that waits for its answer.
struct Arrived {
    socket: Arc<UnixDatagram>,
    info: Info,
    most: usize,
    /// Shares the socket while it is being checked whether the peer has left.
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

// === Connecting ===

#[derive(Debug)]
struct Connect {
    dial: Dial,
    most: usize,
}

pub(super) fn plan_connect(args: &Args) -> Planned<Box<dyn Connector>> {
    let dial = Dial::read(args).map_err(|mistake| vec![mistake])?;
    Ok(Box::new(Connect { dial, most: most(args) }))
}

#[async_trait]
impl Connector for Connect {
    fn missing(&self, _: &Shared) -> Vec<Missing> {
        self.dial.address.instead("path").into_iter().collect()
    }

    async fn connect(&self, _: &Shared, info: &Info) -> Result<Conn> {
        let socket = self.dial.connect(info, Type::SEQPACKET, |_| Ok(())).await?;
        let socket = waiting(socket).map_err(|cause| self.dial.explain(cause))?;
        let info = Info::new().with(peer(self.dial.address.shown(), &socket));
        Ok(Conn::messages(Connected::new(Peer(socket), self.most), info))
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn grants(&self) -> Grants {
        Grants::Service
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
        read.map_ok(|len| (!is_over).then_some(Message { at: 0..len, each: None, dropped: None }))
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        Datagrams { data, .. }: Datagrams<'_>,
    ) -> Poll<io::Result<()>> {
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
