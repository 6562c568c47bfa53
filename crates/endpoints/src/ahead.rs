//! Reading ahead of a client whose offer is not decided yet.
//!
//! A layer that transforms its bytes can't look at the socket, so only a read finds that the client has left.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use endpoint::{
    Accepted, Answer, ByteStream, Conn, Control, Decision, End, Info, Offer, Reason, Refusal,
    Result, SessionGuard, Transport, describe,
};
use tokio::io::{AsyncRead, ReadBuf};

use crate::prefixed::Prefixed;

/// A stream, and the bytes that were read ahead of the session.
pub(crate) struct Ahead {
    pub(crate) stream: Box<dyn ByteStream>,
    unread: Vec<u8>,
    /// Set if the client has ended its sending.
    has_ended: bool,
}

impl Ahead {
    /// Puts `unread` in front of what the stream gives: it has been read already.
    pub(crate) fn new(stream: Box<dyn ByteStream>, unread: Vec<u8>) -> Self {
        Self { stream, unread, has_ended: false }
    }

    /// Ready once the client has left. An end of its data is none of its interest. Behind more than [`AHEAD`],
    /// nothing is noticed.
    pub(crate) fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if let Poll::Ready(error) = self.stream.poll_background(cx) {
            return Poll::Ready(End::because(Reason::Reset, error.kind().to_string()));
        }
        while !self.has_ended && self.unread.len() < AHEAD {
            let mut piece = [0; 1024];
            let mut buf = ReadBuf::new(&mut piece);
            if let Err(error) = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf)) {
                return Poll::Ready(End::because(Reason::Reset, describe(&error)));
            }
            self.has_ended = buf.filled().is_empty();
            self.unread.extend_from_slice(buf.filled());
        }
        Poll::Pending
    }

    /// Returns the session's stream, which begins with the bytes that were read ahead.
    pub(crate) fn into_stream(self) -> Box<dyn ByteStream> {
        match self.unread.is_empty() {
            true => self.stream,
            false => Box::new(Prefixed::new(self.unread, self.stream)),
        }
    }
}

/// Makes an offer of a connection whose handshake is done: accepting returns it, refusing drops it.
pub(crate) fn offer(conn: Conn) -> Offer {
    let Conn { transport, info, control, guard } = conn;
    let ahead = Ahead::new(transport.into_bytes(), Vec::new());
    Offer::new(info.clone(), Shaken { ahead, info, control, guard })
}

struct Shaken {
    ahead: Ahead,
    info: Info,
    control: Control,
    guard: SessionGuard,
}

#[async_trait]
impl Decision for Shaken {
    async fn accept(self: Box<Self>, _: Answer) -> Result<Accepted> {
        let Self { ahead, info, control, guard } = *self;
        let transport = Transport::Bytes(ahead.into_stream());
        Ok(Accepted::Session(Conn { transport, info, control, guard }))
    }

    async fn refuse(self: Box<Self>, _: Refusal) {}

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.ahead.poll_left(cx)
    }
}

/// The maximum that is kept of a client that sends before it is answered.
const AHEAD: usize = 4 * 1024;
