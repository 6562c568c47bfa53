//! The seam between a front and the version of HTTP that a client speaks.
//!
//! A front sees requests, replies and streams that are handed over. [`http1`](super::http1) is the version there is;
//! HTTP/2 fits behind the same traits: a request of it hands over one stream, and the connection goes on.

use std::sync::Arc;
use std::task::{Context, Poll};

use ::bytes::BytesMut;
use async_trait::async_trait;
use tokio::sync::oneshot;

use super::mount::Later;
use super::reply::Reply;
use super::request::Head;
use super::wire::Wire;

/// An HTTP connection. Nothing moves unless it is polled.
pub(super) trait Protocol: Send {
    /// Drives the connection: reads, writes replies, and returns the next request or the end.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Event>;

    /// Returns a handle that a reply made as it leaves holds until it has left.
    fn sending(&self) -> Arc<()>;

    /// Returns `true` if such a handle is held.
    fn is_sending(&self) -> bool;

    /// Ends the connection after the reply that is being sent.
    fn shut_down(&mut self);

    /// Hands over the stream of a request: with HTTP/1.1 the whole connection, after which there are no more requests.
    fn hand_over(&mut self, responder: Responder) -> Box<dyn Handover>;
}

/// The next event of a connection.
pub(super) enum Event {
    Request(Requested),
    /// There will be no more requests.
    Done(Result<(), Fault>),
}

/// A request that waits for its reply.
pub(super) struct Requested {
    pub(super) head: Head,
    pub(super) responder: Responder,
}

/// The receiver of the reply to one request. Dropping it closes the connection.
pub(super) struct Responder(pub(super) oneshot::Sender<Replying>);

/// A reply, or one that is being made.
pub(super) enum Replying {
    Now(Reply),
    Later(Later),
}

impl Responder {
    /// Sends the reply; `false` if the client has left.
    pub(super) fn send(self, reply: Replying) -> bool {
        self.0.send(reply).is_ok()
    }
}

/// The stream of a request that becomes a session, or is refused.
#[async_trait]
pub(super) trait Handover: Send {
    /// Ready once the client has left.
    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Sends the reply and waits until it has left; returns the stream, and what was read behind the request.
    ///
    /// # Errors
    /// The client left; in words.
    async fn reply(self: Box<Self>, reply: Reply) -> Result<(Wire, BytesMut), String>;
}

/// The reason why a connection ended.
pub(super) enum Fault {
    /// The received data isn't a request of this protocol.
    NotHttp(String),
    /// A header is longer than is allowed.
    TooLarge,
    /// The connection was lost.
    Lost(String),
}
