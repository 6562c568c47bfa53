//! A client that has asked to be connected somewhere and waits for the answer, as those of SOCKS and HTTP CONNECT do.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::gate::Credentials;
use endpoint::info::Target;
use endpoint::{
    Accepted, Answer, ByteStream, Conn, Control, Decision, End, Error, ErrorKind, Info, Offer,
    Refusal, Result, SessionGuard, Transport, describe,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::ahead::Ahead;
use crate::patience::timeout;

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
        let Self { stream, unread, info: all, control, guard, listener } = self;
        let ahead = Ahead::new(stream, unread);
        Offer::new(info, Waiting { ahead, info: all, control, guard, listener, says })
    }

    /// Tells the client why there is no offer, and ends.
    pub(crate) async fn dismiss(mut self, words: &[u8]) {
        tell(&mut self.stream, words).await;
    }
}

struct Waiting<S> {
    ahead: Ahead,
    info: Info,
    control: Control,
    guard: SessionGuard,
    listener: String,
    says: S,
}

#[async_trait]
impl<S: Says> Decision for Waiting<S> {
    async fn accept(self: Box<Self>, _: Answer) -> Result<Accepted> {
        let Self { mut ahead, info, control, guard, listener, says } = *self;
        let told = async {
            ahead.stream.write_all(&says.yes()).await?;
            ahead.stream.flush().await
        };
        told.await.map_err(|error| {
            Error::new(ErrorKind::Other, "accept", &*listener, describe(&error))
        })?;
        let transport = Transport::Bytes(ahead.into_stream());
        Ok(Accepted::Session(Conn { transport, info, control, guard }))
    }

    async fn refuse(self: Box<Self>, refusal: Refusal) {
        let Self { mut ahead, says, .. } = *self;
        tell(&mut ahead.stream, &says.no(&refusal)).await;
    }

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.ahead.poll_left(cx)
    }
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

/// The maximum that is read and discarded of a refused client.
const MOST: usize = 256 * 1024;
const A_MOMENT: Duration = Duration::from_secs(1);
