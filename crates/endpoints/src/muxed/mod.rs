//! Many sockets in the messages of one connection, each a separate session. `ws2s` and `wisp` share this code.
//!
//! 1. A [`Protocol`] turns messages of the client into [`Step`]s, and events into messages to the client.
//! 2. [`drive`] is the task of one connection: it reads, passes each message to the protocol, and writes the data of
//!    sockets, one message of each in turn.
//! 3. [`state`] is shared by that task and the sessions: for each socket, a queue in each direction.
//! 4. [`stream`] is a session's side of a socket; [`offers`] turns sockets into sessions.
//!
//! Queued data is bounded. A socket holds [`socket::SHARE`] bytes from the client and [`socket::OUT`] for it, a
//! connection [`state::ALL`] from the client in all of its sockets. A stalled destination stalls only its own socket as
//! long as its client keeps to the credit that the protocol gives it, in packets of 8 KiB on average. A client with
//! larger packets fills the share first: then nothing more is read from that connection until the destination takes
//! data. The data of all sockets is sent over one connection, so a client that reads nothing stalls all of them.

mod drive;
mod held;
mod offers;
mod socket;
mod state;
mod stream;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use endpoint::info::Target;
use endpoint::{
    Bound, Conn, Context, End, Info, Local, Offers, Part, Refusal, Result, ServeLayer, Transport,
};
use tracing::Instrument;

use self::drive::Driver;
use self::offers::Sockets;
use self::state::Shared;

/// The messages of a protocol. Only one task calls it.
pub(crate) trait Protocol: Send + 'static {
    /// Returns the messages that are sent before anything else.
    fn begin(&mut self) -> Vec<Part> {
        Vec::new()
    }

    /// Takes a part of a message, and adds what follows from it to `steps`.
    ///
    /// # Errors
    /// The client broke the protocol: the end that the connection is closed with.
    fn receive(&mut self, part: Part, steps: &mut Vec<Step>) -> std::result::Result<(), End>;

    /// Returns `true` if nothing more is read until the newest socket is connected or refused.
    fn waits(&self) -> bool {
        false
    }

    /// A socket is connected; so many `packets` may come for it.
    fn opened(&mut self, socket: u32, packets: u32) -> Option<Part>;

    /// A socket is not connected.
    fn refused(&mut self, socket: u32, refusal: &Refusal) -> Option<Part>;

    /// The destination of a socket has ended.
    fn over(&mut self, socket: u32, end: &End) -> Option<Part>;

    /// The destination of a socket has taken something: from now on, so many `packets` may come.
    fn taken(&mut self, socket: u32, packets: u32) -> Option<Part> {
        let _ = (socket, packets);
        None
    }
}

/// The effect of a client's message.
#[derive(Debug)]
pub(crate) enum Step {
    /// The client is told something.
    Say(Part),
    /// The client wants a socket of this number. Another one of the same number was closed before.
    Open(u32, Target),
    /// Data for a socket. `last` is the end of a packet, of which the client may send so many.
    Data(u32, Bytes, bool),
    /// The client closes a socket. Data sent before is delivered.
    Close(u32, End),
}

/// The limits that a protocol runs with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// The kind's name.
    pub(crate) name: &'static str,
    /// Makes a message of a socket's data.
    pub(crate) encode: fn(u32, &[u8]) -> Part,
    /// The most data of one.
    pub(crate) most: usize,
    /// The maximum number of sockets of a connection.
    pub(crate) sockets: usize,
    /// The maximum number of queued packets of a socket, if the client counts them.
    pub(crate) window: Option<u32>,
}

/// The layer, planned.
pub(crate) struct Muxed<P> {
    pub(crate) terms: Terms,
    pub(crate) protocol: Make<P>,
}

/// Makes a protocol for a connection, of which this is known.
pub(crate) type Make<P> = Arc<dyn Fn(&Info) -> P + Send + Sync>;

impl<P> fmt::Debug for Muxed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Muxed").field("terms", &self.terms).finish_non_exhaustive()
    }
}

#[async_trait]
impl<P: Protocol> ServeLayer for Muxed<P> {
    async fn bind(&self, cx: &Context, beneath: &Local) -> Result<Arc<dyn Bound>> {
        let local = Local::over(self.terms.name, beneath);
        Ok(Arc::new(Listening {
            local,
            terms: self.terms,
            protocol: Arc::clone(&self.protocol),
            cx: cx.clone(),
        }))
    }
}

struct Listening<P> {
    local: Local,
    terms: Terms,
    protocol: Make<P>,
    cx: Context,
}

impl<P: Protocol> Bound for Listening<P> {
    fn local(&self) -> &Local {
        &self.local
    }

    fn serve(&self, conn: Conn) -> Box<dyn Offers> {
        let Conn { transport, info, guard, .. } = conn;
        let stream = match transport {
            Transport::Messages(stream) => stream,
            // Planning has seen to that: the layer takes messages.
            Transport::Bytes(_) => return Box::new(Nothing),
        };
        let protocol = (self.protocol)(&info);
        let shared = Arc::new(Shared::new(self.terms));
        let driver = Driver::new(protocol, stream, Arc::clone(&shared));
        let work = self.cx.working();
        let driving = async move {
            tokio::select! {
                () = driver.run() => {}
                () = work.cut() => {}
            }
            // Its place in the limits of what is beneath is given back last.
            drop((guard, work));
        };
        tokio::spawn(driving.in_current_span());
        Box::new(Sockets { shared, info })
    }
}

struct Nothing;

#[async_trait]
impl Offers for Nothing {
    async fn next(&mut self) -> Result<Option<endpoint::Offer>> {
        Ok(None)
    }
}
