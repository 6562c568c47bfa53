//! The mounts of a front: whatever a listener answers with more than an error.
//!
//! A front asks its mounts in their order, and the first that takes a request answers it. Several mounts share one
//! socket: today a health check, an icon, a WebSocket and a page.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ::bytes::BytesMut;
use endpoint::{
    Accepted, Answer, ByteStream, Clock, Control, ErrorKind, Info, Refusal, SessionGuard,
};
use hyper::{Method, StatusCode};

use super::reply::{self, Reply};
use super::request::{Asked, Head};

/// Something that is reached by HTTP.
pub(crate) trait Mount: Send + Sync {
    /// Returns the methods that it knows. A method that no mount knows gets 405.
    fn methods(&self) -> &'static [Method] {
        &READ
    }

    /// Returns whether a request is its own to answer.
    fn takes(&self, head: &Head) -> bool;

    /// Returns the clients that may use it.
    fn access(&self) -> Access {
        Access::Admitted
    }

    /// Answers a request that it takes, from a client that has this access.
    fn answer(&self, asked: &Asked<'_>) -> Outcome;
}

/// The clients that may use a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everyone, for every host name. The reply contains nothing that an attacker doesn't know.
    Everybody,
    /// Everyone who uses one of the listener's host names and whom the forwarder's gate admits: the reply is part of
    /// the program, and contains nothing of the destination.
    Named,
    /// Clients that were admitted.
    Admitted,
    /// The same, by credentials that were sent on purpose. The answer becomes an offer, for which the forwarder asks
    /// its gate.
    Session,
}

/// The answer to a request.
pub(crate) enum Outcome {
    /// At once. Other requests may follow.
    Reply(Reply),
    /// Once the reply is there.
    Later(Later),
    /// Refused with an error for the log; the connection ends.
    Refused(Box<Refused>),
    /// The stream becomes a session, if the forwarder accepts it.
    Upgrade(Box<dyn Upgrade>),
}

/// A reply that takes time to make.
pub(crate) type Later = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// An error of a request.
pub(crate) struct Refused {
    /// The reply to the client.
    pub(crate) reply: Reply,
    /// The sort of failure, for the log.
    pub(crate) kind: ErrorKind,
    /// The reason, for the log.
    pub(crate) words: String,
}

impl Refused {
    /// Creates a refusal with the same text for the reply and for the log.
    pub(crate) fn new(status: StatusCode, kind: ErrorKind, line: impl Into<String>) -> Box<Self> {
        let words = line.into();
        Box::new(Self { reply: reply::last(status, &words), kind, words })
    }

    /// Makes the refusal of a client that may not come in.
    pub(super) fn not_admitted(refusal: &Refusal, head: &Head) -> Box<Self> {
        let (reply, words) = (reply::refusal_of(refusal, head), refusal.message.clone());
        Box::new(Self { reply, kind: ErrorKind::Refused, words })
    }
}

/// A request to switch to another protocol that nothing is wrong with.
pub(crate) trait Upgrade: Send {
    /// Adds the facts about the request, for the gate, the route and the destination.
    fn facts(&self, info: Info) -> Info;

    /// Returns the reply that switches; called once, when the far side is connected.
    fn switch(&mut self, answer: &Answer) -> Reply;

    /// Returns a reply that switches protocols and the data that follows it at once, if a refusal is sent in the
    /// other protocol.
    fn refuse(&mut self, refusal: &Refusal) -> Option<(Reply, Vec<u8>)> {
        let _ = refusal;
        None
    }

    /// Opens the session, after that reply has left.
    fn open(self: Box<Self>, answer: &Answer, over: Switched) -> Accepted;
}

/// An HTTP connection whose client got the reply to switch protocols.
pub(crate) struct Switched {
    pub(crate) stream: Box<dyn ByteStream>,
    /// The data that the client sent after its request.
    pub(crate) unread: BytesMut,
    pub(crate) info: Info,
    pub(crate) control: Control,
    pub(crate) guard: SessionGuard,
    pub(crate) clock: Clock,
}

/// A path that shows a load balancer that the listener accepts connections.
pub(crate) struct Health(pub(crate) String);

impl Mount for Health {
    fn takes(&self, head: &Head) -> bool {
        head.path() == self.0
    }

    // A health check has no name for the listener and no token.
    fn access(&self) -> Access {
        Access::Everybody
    }

    fn answer(&self, _: &Asked<'_>) -> Outcome {
        Outcome::Reply(reply::healthy())
    }
}

/// The icon that browsers ask for along with every page that names none, such as one line of text.
pub(crate) struct NoIcon;

impl Mount for NoIcon {
    fn takes(&self, head: &Head) -> bool {
        head.path() == "/favicon.ico"
    }

    fn access(&self) -> Access {
        Access::Everybody
    }

    fn answer(&self, _: &Asked<'_>) -> Outcome {
        Outcome::Reply(reply::no_icon())
    }
}

/// All mounts of a listener, in their order.
pub(crate) type Mounts = Vec<Arc<dyn Mount>>;

static READ: [Method; 2] = [Method::GET, Method::HEAD];
