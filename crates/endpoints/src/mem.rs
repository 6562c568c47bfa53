//! `mem:NAME`: connections inside this process, for tests.
//!
//! Whole set-ups run without a socket. Names live in the [`Context`](endpoint::Context), so two
//! tests in one process don't meet. A connection behaves as a socket does: bounded, half-closing,
//! and dropping it without an end is a reset.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use endpoint::control::channel;
use endpoint::{
    Accept, Accepted, Answer, ByteStream, Conn, Connector, Control, Decision, End, Error,
    ErrorKind, Exposure, Grants, Incoming, Info, Life, Listener, Local, MessageStream, Offer, Part,
    Reason, Refusal, Result, SessionGuard, Transport,
};
use futures_core::Stream;
use futures_sink::Sink;
use plan::kind::{
    Args, Example, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, ValueKind,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

use crate::queue::Queue;

/// Connections inside this process.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::bytes(
        &[
            NAME,
            Param::new("messages", ValueKind::Bool, "Carry messages instead of a byte stream.")
                .default("false"),
            Param::new(
                "capacity",
                ValueKind::Size,
                "The bytes that each direction buffers before the writer has to wait.",
            )
            .default("64k"),
        ],
        PlanListen::Leaf(plan_listen),
    )),
    connect: Some(Side::bytes(&[NAME], PlanConnect::Leaf(plan_connect))),
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "mem:service",
            about: "Accepts connections to `mem:service` from the same process.",
        },
        Example {
            role: Role::Connect,
            descriptor: "mem:service",
            about: "Connects to the listener of that name in the same process.",
        },
    ],
    see_also: &["echo", "mock"],
    ..Kind::new("mem", "Connections inside this process, for tests")
};

const NAME: Param =
    Param::new("name", ValueKind::Text, "The name that listener and connector share.")
        .positional()
        .required();

/// The names that are listened on, in one context.
#[derive(Default)]
struct Names(Mutex<HashMap<String, Entry>>);

impl Names {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
struct Entry {
    connections: mpsc::Sender<(Duplex, Control)>,
    messages: bool,
    capacity: usize,
}

// === Listening ===

fn plan_listen(args: &Args) -> Planned<Box<dyn Listener>> {
    let capacity = args.int("capacity").and_then(|capacity| usize::try_from(capacity).ok());
    Ok(Box::new(Listen {
        name: args.text("name").unwrap_or_default().to_owned(),
        messages: args.flag("messages"),
        capacity: capacity.unwrap_or(usize::MAX),
        descriptor: args.descriptor.clone(),
    }))
}

#[derive(Debug)]
struct Listen {
    name: String,
    messages: bool,
    capacity: usize,
    descriptor: String,
}

#[async_trait]
impl Listener for Listen {
    async fn bind(&self, cx: &endpoint::Context) -> Result<Box<dyn Accept>> {
        let names: Arc<Names> = cx.shared();
        let (connections, arrivals) = mpsc::channel(BACKLOG);
        let entry = Entry { connections, messages: self.messages, capacity: self.capacity };
        {
            let mut taken = names.lock();
            if taken.contains_key(&self.name) {
                let words = "another listener has this name";
                return Err(Error::new(ErrorKind::Busy, "bind", &*self.descriptor, words)
                    .with_hint("choose another name"));
            }
            taken.insert(self.name.clone(), entry);
        }
        Ok(Box::new(Accepting {
            local: Local::new(format!("mem:{}", self.name)),
            name: self.name.clone(),
            messages: self.messages,
            names,
            arrivals,
        }))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

struct Accepting {
    local: Local,
    name: String,
    messages: bool,
    names: Arc<Names>,
    arrivals: mpsc::Receiver<(Duplex, Control)>,
}

#[async_trait]
impl Accept for Accepting {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let arrival = self.arrivals.recv().await;
        Ok(arrival.map(|(duplex, control)| {
            let arrived = Arrived { duplex, control, messages: self.messages };
            Incoming::ready(Offer::new(Info::new(), arrived))
        }))
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.names.lock().remove(&self.name);
    }
}

struct Arrived {
    duplex: Duplex,
    control: Control,
    messages: bool,
}

#[async_trait]
impl Decision for Arrived {
    async fn accept(self: Box<Self>, _: Answer) -> Result<Accepted> {
        Ok(Accepted::Session(self.duplex.into_conn(self.messages, self.control)))
    }

    async fn refuse(self: Box<Self>, _: Refusal) {}

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let left = self.duplex.incoming().poll_reset(cx);
        left.map(|()| End::because(Reason::PeerLeft, "the peer is gone"))
    }
}

// === Connecting ===

fn plan_connect(args: &Args) -> Planned<Box<dyn Connector>> {
    Ok(Box::new(Connect {
        name: args.text("name").unwrap_or_default().to_owned(),
        descriptor: args.descriptor.clone(),
    }))
}

#[derive(Debug)]
struct Connect {
    name: String,
    descriptor: String,
}

#[async_trait]
impl Connector for Connect {
    async fn connect(&self, cx: &endpoint::Context, _: &Info) -> Result<Conn> {
        let refused = || {
            let words = "no listener has this name";
            Error::new(ErrorKind::Refused, "connect", &*self.descriptor, words)
                .with_hint("`mem` names exist within one process; open the listener first")
        };
        let names: Arc<Names> = cx.shared();
        let entry = names.lock().get(&self.name).cloned().ok_or_else(refused)?;
        let (near, far) = Duplex::pair(entry.capacity);
        let (to_far, from_near) = channel();
        let (to_near, from_far) = channel();
        let far_control = Control { outgoing: Some(from_near), incoming: Some(to_near) };
        let near_control = Control { outgoing: Some(from_far), incoming: Some(to_far) };
        entry.connections.send((far, far_control)).await.map_err(|_| refused())?;
        Ok(near.into_conn(entry.messages, near_control))
    }

    fn grants(&self) -> Grants {
        Grants::Service
    }
}

// === The connection ===

/// One end of a connection; bytes or messages as it is used.
struct Duplex {
    incoming: Arc<Mutex<Queue>>,
    outgoing: Arc<Mutex<Queue>>,
}

impl Duplex {
    fn pair(capacity: usize) -> (Self, Self) {
        let [a, b] = [(); 2].map(|()| Arc::new(Mutex::new(Queue::new(capacity))));
        let near = Self { incoming: Arc::clone(&a), outgoing: Arc::clone(&b) };
        (near, Self { incoming: b, outgoing: a })
    }

    fn into_conn(self, messages: bool, control: Control) -> Conn {
        let stream = Box::new(self);
        let transport =
            if messages { Transport::Messages(stream) } else { Transport::Bytes(stream) };
        Conn { transport, info: Info::new(), control, guard: SessionGuard::default() }
    }

    fn incoming(&self) -> MutexGuard<'_, Queue> {
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outgoing(&self) -> MutexGuard<'_, Queue> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Duplex {
    fn drop(&mut self) {
        self.incoming().drop_reader();
        self.outgoing().drop_writer();
    }
}

impl Stream for Duplex {
    type Item = io::Result<Part>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming().poll_part(cx)
    }
}

impl Sink<Part> for Duplex {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.outgoing().poll_room(cx))?;
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        self.outgoing().push(part);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl AsyncRead for Duplex {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.incoming().poll_read(cx, buf)
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.outgoing().poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Duplex {
    fn poll_finish(&mut self, _: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        self.outgoing().finish(end);
        Poll::Ready(Ok(()))
    }

    fn abort(&mut self) {
        self.outgoing().finish(&End::of(Reason::Failed).cutting());
    }

    fn end(&mut self) -> End {
        self.incoming().end()
    }
}

impl MessageStream for Duplex {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        self
    }
}

/// Connections that wait to be accepted, as many as for sockets.
const BACKLOG: usize = 50;
