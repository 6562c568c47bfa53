//! A socket with one peer.

use std::future::Future;
use std::io::{self, IoSliceMut};
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, cmsg_space, recvmsg, setsockopt, sockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::datagram::connected::{Link, Message};
use crate::ready::poll_by;

/// A connected socket.
pub(super) struct Peer {
    socket: Arc<UdpSocket>,
    /// Waits for an error: a read that waits for data isn't woken by one.
    failed: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Peer {
    pub(super) fn new(socket: UdpSocket) -> Self {
        // What an old kernel doesn't have is done without.
        let _ = setsockopt(&socket, sockopt::RxqOvfl, &1);
        let socket = Arc::new(socket);
        let failed = failed(&socket);
        Self { socket, failed }
    }

    /// Ready with an ICMP error, once there is one.
    fn poll_failed(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.failed.as_mut().poll(cx));
            // Takes the readiness back.
            let _ = self
                .socket
                .try_io(Interest::ERROR, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
            self.failed = failed(&self.socket);
            if let Ok(Some(error)) | Err(error) = self.socket.take_error() {
                return Poll::Ready(error);
            }
        }
    }

    fn receive(&self, buf: &mut [u8]) -> io::Result<Message> {
        let mut space = [0_u8; SPACE];
        let mut parts = [IoSliceMut::new(buf)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let fd = self.socket.as_raw_fd();
        let received = recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut space), flags)?;
        let mut message = Message { len: received.bytes, dropped: None };
        for control in received.cmsgs().into_iter().flatten() {
            if let ControlMessageOwned::RxqOvfl(dropped) = control {
                message.dropped = Some(dropped);
            }
        }
        Ok(message)
    }
}

impl Link for Peer {
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Option<Message>>> {
        let mut found = None;
        let read = poll_by(cx, &*self.socket, UdpSocket::poll_recv_ready, |socket| {
            socket.try_io(Interest::READABLE, || {
                let message = self.receive(buf)?;
                found = Some(message);
                Ok(message.len)
            })
        });
        if read.is_pending() {
            return self.poll_failed(cx).map(Err);
        }
        read.map_ok(|_| found)
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<()>> {
        self.socket.poll_send(cx, data).map_ok(drop)
    }
}

fn failed(socket: &Arc<UdpSocket>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let socket = Arc::clone(socket);
    Box::pin(async move {
        // An error of `ready` itself is the runtime's end, which ends the session too.
        let _ = socket.ready(Interest::ERROR).await;
    })
}

const SPACE: usize = cmsg_space::<u32>();
