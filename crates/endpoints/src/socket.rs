//! Code shared by stream sockets of every family: their byte stream, and waiting for their
//! readiness.

use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{End, Life, Peer, Raw, SystemCall, pass_on};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::peer;
use crate::ready::poll_by;
use crate::sockopt::unsent;

/// A connected stream socket.
pub(crate) struct Socket<S>(S);

impl<S> Socket<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self(socket)
    }

    pub(crate) fn get(&self) -> &S {
        &self.0
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    pass_on!(0: poll_write, poll_write_vectored, is_write_vectored, poll_flush, poll_shutdown);
}

impl<S: AsyncWrite + Waits + Unpin> Life for Socket<S> {
    pass_on!(0: peer);

    fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        if end.is_cut() && self.0.reset_on_close() {
            return Poll::Ready(Ok(()));
        }
        // A peer that has gone needs no word of ours; shutdown(2) calls that ENOTCONN.
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll_shutdown(cx)) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        })
    }

    fn abort(&mut self) {
        // Where there is no reset, a peer has no way to tell.
        let _ = self.0.reset_on_close();
    }

    fn keep_little(&mut self) {
        // Only TCP has it (tcp(7), Linux 3.12), and a kernel without it keeps more.
        let _ = socket2::SockRef::from(&self.0).set_tcp_notsent_lowat(UNSENT);
    }

    fn raw(&mut self) -> Option<&mut dyn Raw> {
        Some(self)
    }
}

impl<S: Waits> Raw for Socket<S> {
    fn poll_read_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        poll_by(cx, &self.0, S::poll_read_ready, |socket| {
            socket.try_io(Interest::READABLE, &mut || call(socket.as_fd()))
        })
    }

    fn poll_write_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        poll_by(cx, &self.0, S::poll_write_ready, |socket| {
            socket.try_io(Interest::WRITABLE, &mut || call(socket.as_fd()))
        })
    }
}

/// Measured with a terminal at 10 Mbit/s and 100 ms: as fast as without, and Ctrl-C is answered after 221 ms instead of
/// 568. A small `SO_SNDBUF` would cost 40 % there.
const UNSENT: u32 = 16 * 1024;

/// The readiness that a socket of tokio's can wait for, apart from reading and writing.
#[async_trait]
pub(crate) trait Waits: AsFd {
    /// Waits for an error on the socket. A FIN is none, nor is data: only a reset (or an ICMP
    /// error, or a dead route) raises `EPOLLERR`. The error stays for the next read to report.
    async fn failed(&self);

    /// Returns the facts about its peer.
    fn peer(&self) -> Option<Peer>;

    /// Returns how many bytes its peer has not acknowledged or read, the end included.
    fn pending(&self) -> Option<u64>;

    /// Has it reset when it is closed; `false` if its family knows no reset.
    fn reset_on_close(&self) -> bool;

    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    fn try_io(
        &self,
        interest: Interest,
        call: &mut dyn FnMut() -> io::Result<usize>,
    ) -> io::Result<usize>;
}

macro_rules! waits {
    ($socket:ty, $peer:path, $reset:path) => {
        #[async_trait]
        impl Waits for $socket {
            async fn failed(&self) {
                // An error of `ready` itself is the runtime's end, which ends the session too.
                let _ = self.ready(Interest::ERROR).await;
            }

            fn peer(&self) -> Option<Peer> {
                $peer(self.as_fd())
            }

            fn pending(&self) -> Option<u64> {
                unsent(self.as_fd()).ok()
            }

            fn reset_on_close(&self) -> bool {
                $reset(self)
            }

            fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_read_ready(cx)
            }

            fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_write_ready(cx)
            }

            fn try_io(
                &self,
                interest: Interest,
                call: &mut dyn FnMut() -> io::Result<usize>,
            ) -> io::Result<usize> {
                self.try_io(interest, call)
            }
        }
    };
}

waits!(TcpStream, peer::of_tcp, reset);
waits!(UnixStream, peer::of_unix, no_reset);

/// `SO_LINGER` with no time, in socket(7).
fn reset(stream: &TcpStream) -> bool {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).is_ok()
}

fn no_reset(_: &UnixStream) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_a_peer_has_not_acknowledged_is_pending() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stream = TcpStream::connect(address).await.expect("it listens");
        let mut socket = Socket::new(stream);
        assert_eq!(socket.pending(), Some(0));
        let piece = [7; 64 * 1024];
        while socket.get().try_write(&piece).is_ok() {}
        let pending = socket.pending().expect("a TCP socket knows");
        assert!(pending > 0, "nobody reads");
        let looked = socket.peer().expect("it knows that too").pending;
        assert!((1..=pending).contains(&looked), "{looked} of {pending}");
    }

    #[tokio::test]
    async fn little_is_kept_where_that_is_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stream = TcpStream::connect(address).await.expect("it listens");
        let mut socket = Socket::new(stream);
        socket.keep_little();
        let unsent = socket2::SockRef::from(&socket.0).tcp_notsent_lowat();
        assert_eq!(unsent.expect("Linux has it"), UNSENT);
        let (pair, _other) = UnixStream::pair().expect("a pair");
        Socket::new(pair).keep_little();
    }
}
