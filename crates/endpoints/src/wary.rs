//! A socket that looks at the first bytes of its peer before it gives them out.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endpoint::{Life, Raw, SystemCall, pass_on};
use plan::kind::{Param, Topic, ValueKind};
use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::time::timeout;
use tracing::warn;

use crate::first_bytes::{Browser, LOOK};
use crate::ready::poll_by;
use crate::socket::{Socket, Waits};

/// The look at one connection's first bytes.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    /// The listener, for the log.
    listener: Arc<str>,
    seen: Seen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    Client,
    Browser,
    /// The connection failed before anything came, with this error of the system.
    Failed(i32),
}

impl Screen {
    /// For the connections of `listener`.
    pub(crate) fn new(listener: impl Into<Arc<str>>) -> Self {
        Self { listener: listener.into(), seen: Seen::Nothing }
    }

    /// Returns `true` if the first bytes have arrived and were not a browser's.
    pub(crate) fn is_over(&self) -> bool {
        self.seen == Seen::Client
    }

    pub(crate) fn saw_browser(&self) -> bool {
        self.seen == Seen::Browser
    }

    /// Returns `true` if the connection failed before anything came. The system reports a failure once, so no read of
    /// the socket finds it any more: it would see an end of input instead.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.seen, Seen::Failed(_))
    }

    /// Ready once something came, be it the end.
    ///
    /// # Errors
    /// A browser has sent it, or the connection failed.
    pub(crate) fn poll<S: Waits>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &S,
    ) -> Poll<io::Result<()>> {
        if self.seen == Seen::Nothing {
            let mut first = [0; LOOK];
            let peeked = ready!(poll_peek(cx, socket, &mut first));
            self.seen = match peeked.map(|len| Browser::begins(&first[..len])) {
                Err(error) => Seen::Failed(error.raw_os_error().unwrap_or_default()),
                Ok(None) => Seen::Client,
                Ok(Some(browser)) => {
                    let listener = &self.listener;
                    warn!(
                        "refused {browser} at {listener}, whose destination is a program or a device: a web page may \
                         have sent it; use a `ws` listener for browsers, or set `web-pages=allow` for such clients"
                    );
                    Seen::Browser
                }
            };
        }
        Poll::Ready(match self.seen {
            Seen::Browser => Err(io::Error::new(io::ErrorKind::InvalidData, WORDS)),
            Seen::Failed(code) => Err(io::Error::from_raw_os_error(code)),
            Seen::Nothing | Seen::Client => Ok(()),
        })
    }
}

/// Peeks at the data in the socket.
fn poll_peek<S: Waits>(
    cx: &mut Context<'_>,
    socket: &S,
    first: &mut [u8],
) -> Poll<io::Result<usize>> {
    poll_by(cx, socket, S::poll_read_ready, |socket| {
        socket.try_io(Interest::READABLE, &mut || {
            let (len, _) = recv(socket.as_fd(), &mut *first, RecvFlags::PEEK)?;
            Ok(len)
        })
    })
}

/// Answers a browser, and takes what it still sends for a moment: a socket that is closed with
/// something unread in it is reset, and the answer is lost. The caller limits the time.
pub(crate) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>) {
    if socket.write_all(ANSWER.as_bytes()).await.is_err() || socket.shutdown().await.is_err() {
        return;
    }
    let mut piece = [0; 1024];
    let mut taken = 0;
    while let Ok(Ok(len @ 1..)) = timeout(SILENCE, socket.read(&mut piece)).await {
        taken += len;
        if taken > MOST {
            return;
        }
    }
}

/// A session that began before its client sent anything.
pub(crate) struct Wary<S> {
    socket: Socket<S>,
    screen: Screen,
}

impl<S: Waits + AsyncRead + AsyncWrite + Unpin> Wary<S> {
    pub(crate) fn new(socket: Socket<S>, screen: Screen) -> Self {
        Self { socket, screen }
    }

    fn poll_screen(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.screen.is_over() {
            return Poll::Ready(Ok(()));
        }
        let was_known = self.screen.saw_browser();
        let screened = ready!(self.screen.poll(cx, self.socket.get()));
        if self.screen.saw_browser() && !was_known {
            // Tried once: an answer that the socket has no room for now is not worth a wait.
            let mut answering = Box::pin(answer(&mut self.socket));
            let _ = answering.as_mut().poll(cx);
        }
        Poll::Ready(screened)
    }
}

impl<S: Waits + AsyncRead + AsyncWrite + Unpin> AsyncRead for Wary<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_screen(cx))?;
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wary<S> {
    pass_on!(socket: poll_write, poll_write_vectored, is_write_vectored, poll_flush, poll_shutdown);
}

impl<S: Waits + AsyncRead + AsyncWrite + Unpin> Life for Wary<S> {
    pass_on!(socket: peer, keep_little, poll_finish, abort);

    /// The socket's: peeking leaves every byte where it is.
    fn raw(&mut self) -> Option<&mut dyn Raw> {
        Some(self)
    }
}

impl<S: Waits + AsyncRead + AsyncWrite + Unpin> Raw for Wary<S> {
    fn poll_read_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_screen(cx))?;
        self.socket.poll_read_by(cx, call)
    }

    fn poll_write_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_write_by(cx, call)
    }
}

/// For the page's console, and for the log.
pub(crate) const WORDS: &str = "this is not a web server, and web pages may not use it";

const ANSWER: &str = "HTTP/1.1 400 Bad Request\r\n\
                      Content-Type: text/plain; charset=utf-8\r\n\
                      X-Content-Type-Options: nosniff\r\n\
                      Content-Length: 55\r\n\
                      Connection: close\r\n\
                      \r\n\
                      this is not a web server, and web pages may not use it\n";

/// The time that a browser may pause in what it still sends, and the maximum that is read of that.
const SILENCE: Duration = Duration::from_secs(1);
const MOST: usize = 1024 * 1024;

pub(crate) const WEB_PAGES: Param = Param::new(
    "web-pages",
    ValueKind::Choice(&["refuse", "allow"]),
    "How to treat a client that begins with an HTTP request or a TLS handshake, when the destination is a program or \
     a device: any web page can make a browser send one to a port of the browser's machine. `refuse` answers with \
     status 400, and opens the destination after the first bytes or after 100 ms of silence. `allow` opens it at \
     once. Connections to other destinations are not inspected.",
).topic(Topic::Access)
.default("refuse");

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use endpoint::{End, PeerState};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_answer_is_whole() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, format!("{WORDS}\n"));
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
    }

    #[tokio::test]
    async fn the_answer_reaches_a_client_that_has_sent_more() {
        let (ours, theirs) = tokio::net::UnixStream::pair().unwrap();
        let mut theirs = Socket::new(theirs);
        theirs.write_all(&[b'x'; 10_000]).await.unwrap();
        let answering = tokio::spawn(async move { answer(&mut Socket::new(ours)).await });
        let mut all = String::new();
        theirs.read_to_string(&mut all).await.unwrap();
        assert_eq!(all, ANSWER);
        poll_fn(|cx| theirs.poll_finish(cx, &End::eof())).await.unwrap();
        answering.await.unwrap();
    }

    #[tokio::test]
    async fn what_the_socket_knows_about_its_peer_is_passed_on() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let mut wary = Wary::new(Socket::new(socket), Screen::new("tcp:0"));
        assert!(wary.peer().is_some_and(|peer| peer.state == PeerState::Open));
        drop(client);
    }

    #[tokio::test]
    async fn a_reset_before_the_first_byte_is_no_end_of_input() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        client.set_zero_linger().unwrap();
        drop(client);
        let mut wary = Wary::new(Socket::new(socket), Screen::new("tcp:0"));
        for _ in 0..2 {
            let error = wary.read(&mut [0; 8]).await.expect_err("the client has reset it");
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
    }
}
