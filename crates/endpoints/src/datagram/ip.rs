//! A UDP socket with one peer. The system keeps others' datagrams from it, and reports ICMP errors.

use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, cmsg_space, getsockopt,
    recvmsg, sendmsg, setsockopt, sockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::connected::{Link, Message};
use super::outgoing::Datagrams;
use crate::ready::poll_by;
use crate::sockopt::dropped;

/// A connected socket.
pub(crate) struct Peer {
    socket: Arc<UdpSocket>,
    splits: usize,
    /// Waits for an error: a read that waits for data isn't woken by one.
    failed: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Peer {
    /// Creates a link over a connected socket.
    pub(crate) fn new(socket: UdpSocket) -> Self {
        count_dropped(&socket);
        let socket = Arc::new(socket);
        let failed = failed(&socket);
        Self { socket, splits: 0, failed }
    }

    /// Of a socket that is connected. Several datagrams are received and sent with one system call.
    pub(crate) fn in_batches(socket: UdpSocket) -> Self {
        let splits = batch(&socket);
        Self { splits, ..Self::new(socket) }
    }

    /// Receives a datagram.
    pub(crate) fn poll_datagram(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Message>> {
        let mut found = None;
        let read = poll_by(cx, &*self.socket, UdpSocket::poll_recv_ready, |socket| {
            socket.try_io(Interest::READABLE, || {
                let Datagram { len, each, dropped, .. } = receive(socket, buf)?;
                found = Some(Message { at: 0..len, each, dropped });
                Ok(len)
            })
        });
        if let (Poll::Ready(Ok(_)), Some(message)) = (&read, found) {
            return Poll::Ready(Ok(message));
        }
        match read {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => self.poll_failed(cx).map(Err),
        }
    }

    /// Sends a datagram that is in these pieces, or several of them that have `each` bytes.
    pub(crate) fn poll_send_pieces(
        &self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
        each: Option<u16>,
    ) -> Poll<io::Result<()>> {
        poll_by(cx, &*self.socket, UdpSocket::poll_send_ready, |socket| {
            socket.try_io(Interest::WRITABLE, || {
                let fd = socket.as_raw_fd();
                let each = each.as_ref().map(ControlMessage::UdpGsoSegments);
                let flags = MsgFlags::MSG_DONTWAIT;
                Ok(sendmsg::<SockaddrStorage>(fd, pieces, each.as_slice(), flags, None)?)
            })
        })
        .map_ok(drop)
    }

    /// Ready with an ICMP error, once there is one.
    fn poll_failed(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.failed.as_mut().poll(cx));
            let error = take_error(&self.socket);
            self.failed = failed(&self.socket);
            if let Some(error) = error {
                return Poll::Ready(error);
            }
        }
    }
}

impl Link for Peer {
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Option<Message>>> {
        self.poll_datagram(cx, buf).map_ok(Some)
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        Datagrams { data, each }: Datagrams<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_send_pieces(cx, &[IoSlice::new(data)], each)
    }

    fn splits(&self) -> usize {
        self.splits
    }

    fn dropped(&self) -> Option<u32> {
        dropped(self.socket.as_fd()).ok()
    }
}

/// A datagram that was received into a buffer, or several.
pub(crate) struct Datagram {
    /// Its length, or that of all.
    pub(crate) len: usize,
    /// The size of each, if there are several.
    pub(crate) each: Option<usize>,
    /// The sender.
    pub(crate) from: Option<SocketAddr>,
    /// The number that the system has dropped so far, if it is known.
    pub(crate) dropped: Option<u32>,
}

/// Receives a datagram.
///
/// # Errors
/// Those of recvmsg(2).
pub(crate) fn receive(socket: &UdpSocket, buf: &mut [u8]) -> io::Result<Datagram> {
    let mut space = [0_u8; SPACE];
    let mut parts = [IoSliceMut::new(buf)];
    let fd = socket.as_raw_fd();
    let received =
        recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut space), MsgFlags::MSG_DONTWAIT)?;
    let (mut dropped, mut each) = (None, None);
    for control in received.cmsgs().into_iter().flatten() {
        match control {
            ControlMessageOwned::RxqOvfl(all) => dropped = Some(all),
            ControlMessageOwned::UdpGroSegments(size) => each = segment(size),
            _ => {}
        }
    }
    let from = received.address.as_ref().and_then(address);
    Ok(Datagram { len: received.bytes, each, from, dropped })
}

/// Has the system deliver several datagrams of one sender at once (`UDP_GRO` in udp(7)), where the kernel has that. Returns the
/// size of the largest datagrams that it splits what is sent into (`UDP_SEGMENT`); 0 before Linux 4.18.
pub(crate) fn batch(socket: &UdpSocket) -> usize {
    let _ = setsockopt(socket, sockopt::UdpGroSegment, &true);
    // An older kernel would ignore the size of each datagram.
    if getsockopt(socket, sockopt::UdpGsoSegment).is_ok() { LARGEST } else { 0 }
}

/// The size of each datagram that the system has delivered.
pub(crate) fn segment(size: i32) -> Option<usize> {
    usize::try_from(size).ok().filter(|size| *size > 0)
}

/// Returns the IP address and port in it.
pub(crate) fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = storage.as_sockaddr_in() {
        return Some(SocketAddrV4::from(*v4).into());
    }
    storage.as_sockaddr_in6().map(|v6| SocketAddrV6::from(*v6).into())
}

/// Has the system count what it drops, where the kernel has that.
pub(crate) fn count_dropped(socket: &UdpSocket) {
    let _ = setsockopt(socket, sockopt::RxqOvfl, &1);
}

/// Takes the error that an ICMP message has left, if there is one, and the readiness that it has caused.
fn take_error(socket: &UdpSocket) -> Option<io::Error> {
    calm(socket);
    socket.take_error().unwrap_or_else(Some)
}

/// Takes back the readiness that an ICMP message has caused. The error itself stays for the next call.
pub(crate) fn calm(socket: &UdpSocket) {
    let _ = socket.try_io(Interest::ERROR, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
}

fn failed(socket: &Arc<UdpSocket>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let socket = Arc::clone(socket);
    Box::pin(async move {
        // An error of `ready` itself is the runtime's end, which ends the session too.
        let _ = socket.ready(Interest::ERROR).await;
    })
}

const SPACE: usize = cmsg_space::<u32>() + cmsg_space::<i32>();
/// Two of these are more than a call takes.
const LARGEST: usize = 32 * 1024;
