//! A client that has asked to be connected somewhere and waits for the answer, as those of SOCKS and HTTP CONNECT do.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::gate::Credentials;
use endpoint::info::Target;
use endpoint::{
    Accepted, Answer, ByteStream, Conn, Control, Decision, End, Error, ErrorKind, Info, Offer,
    Reason, Refusal, Result, SessionGuard, Transport, describe,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};

use crate::patience::timeout;
use crate::prefixed::Prefixed;

/// The protocol's replies to accepted and refused requests.
pub(crate) trait Says: Send + Sync + 'static {
    /// The destination is connected.
    fn yes(&self) -> Vec<u8>;

    /// It is not.
    fn no(&self, refusal: &Refusal) -> Vec<u8>;
}

/// A name and a password, as a client shows them.
pub(crate) fn login(user: String, password: String) -> Credentials {
    let mut credentials = Credentials::default();
    (credentials.user, credentials.password) = (Some(user), Some(password));
    credentials
}

/// The client.
pub(crate) struct Asking {
    pub(crate) stream: Box<dyn ByteStream>,
    /// The bytes that it has sent after its request.
    pub(crate) unread: Vec<u8>,
    pub(crate) info: Info,
    pub(crate) control: Control,
    pub(crate) guard: SessionGuard,
    /// The listener's descriptor, for messages.
    pub(crate) listener: String,
}

impl Asking {
    /// Makes the offer: the client wants to be connected to `target`.
    pub(crate) fn offer(
        mut self,
        target: Target,
        credentials: Option<Credentials>,
        says: impl Says,
    ) -> Offer {
        self.info = self.info.with(target);
        let info = self.info.clone();
        let info = match credentials {
            Some(credentials) => info.with(credentials),
            None => info,
        };
        Offer::new(info, Waiting { asking: self, has_ended: false, says })
    }

    /// Tells the client why there is no offer, and ends.
    pub(crate) async fn dismiss(mut self, words: &[u8]) {
        tell(&mut self.stream, words).await;
    }
}

struct Waiting<S> {
    asking: Asking,
    /// Set if the client has ended its sending.
    has_ended: bool,
    says: S,
}

#[async_trait]
impl<S: Says> Decision for Waiting<S> {
    async fn accept(self: Box<Self>, _: Answer) -> Result<Accepted> {
        let Self { asking, says, .. } = *self;
        let Asking { mut stream, unread, info, control, guard, listener } = asking;
        let told = async {
            stream.write_all(&says.yes()).await?;
            stream.flush().await
        };
        told.await.map_err(|error| {
            Error::new(ErrorKind::Other, "accept", &*listener, describe(&error))
        })?;
        let stream =
            if unread.is_empty() { stream } else { Box::new(Prefixed::new(unread, stream)) };
        Ok(Accepted::Session(Conn { transport: Transport::Bytes(stream), info, control, guard }))
    }

    async fn refuse(self: Box<Self>, refusal: Refusal) {
        let Self { mut asking, says, .. } = *self;
        tell(&mut asking.stream, &says.no(&refusal)).await;
    }

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let Asking { stream, unread, .. } = &mut self.asking;
        if let Poll::Ready(error) = stream.poll_background(cx) {
            return Poll::Ready(End::because(Reason::Reset, error.kind().to_string()));
        }
        while !self.has_ended && unread.len() < AHEAD {
            match ready!(poll_piece(stream, cx, unread)) {
                // An end of its data is none of its interest.
                Ok(0) => self.has_ended = true,
                Ok(_) => {}
                Err(_) => {
                    return Poll::Ready(End::because(
                        Reason::Reset,
                        "the client reset the connection",
                    ));
                }
            }
        }
        Poll::Pending
    }
}

fn poll_piece(
    stream: &mut Box<dyn ByteStream>,
    cx: &mut Context<'_>,
    unread: &mut Vec<u8>,
) -> Poll<io::Result<usize>> {
    let mut piece = [0; 1024];
    let mut buf = ReadBuf::new(&mut piece);
    ready!(Pin::new(stream).poll_read(cx, &mut buf))?;
    unread.extend_from_slice(buf.filled());
    Poll::Ready(Ok(buf.filled().len()))
}

/// Sends a last reply and ends the stream. Data that still arrives is read for a moment: a reset would destroy the
/// reply.
pub(crate) async fn tell(stream: &mut Box<dyn ByteStream>, words: &[u8]) {
    let told = async {
        stream.write_all(words).await?;
        stream.flush().await?;
        poll_fn(|cx| stream.poll_finish(cx, &End::eof())).await?;
        let (mut piece, mut taken) = ([0; 1024], 0);
        while taken < MOST {
            match stream.read(&mut piece).await? {
                0 => break,
                read => taken += read,
            }
        }
        io::Result::Ok(())
    };
    // A client that is gone needs no words.
    let _ = timeout(A_MOMENT, told).await;
}

/// The maximum that is kept of a client that sends before it is answered.
const AHEAD: usize = 4 * 1024;
/// The maximum that is read and discarded of a refused client.
const MOST: usize = 256 * 1024;
const A_MOMENT: Duration = Duration::from_secs(1);
