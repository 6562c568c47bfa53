//! `tee:{A}:{B}`: sends the data that passes through `A` to `B` as well.
//!
//! `B` can't stall `A`: data that it doesn't read waits in a bounded queue, and the rest is lost and counted. It is
//! connected in parallel to the session, and if it fails, the session goes on without it.
//!
//! 1. [`stream`] wraps the session's end of `A` and sees what it reads and writes.
//! 2. [`queue`] is what waits for `B`.
//! 3. [`copying`] writes it there, in a separate task.

mod copying;
mod queue;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{
    Accept, Conn, Connector, Context, Error, ErrorKind, Exposure, Grants, HOW_TO_ALLOW, Info,
    Listener, MappedAccept, Missing, Result, Transport, exposed,
};
use plan::kind::{
    Args, Assemble, Example, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, Topic,
    ValueKind,
};

use self::copying::Copying;
use self::queue::Queue;
use self::stream::Seen;

/// A second destination for what passes.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::alike(PARAMS, PlanListen::Over(plan_listen))),
    connect: Some(Side::alike(PARAMS, PlanConnect::Over(plan_connect))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "tee:{tcp:127.0.0.1:23}:{file:/tmp/session.log:access=append:create=600}",
            about: "Appends all data between clients and a server to a file.",
        },
        Example {
            role: Role::Connect,
            descriptor: "tee:{serial:/dev/ttyUSB0:4800:framing=lines}:{udp:192.0.2.7:10110}:copy=received",
            about: "Sends each line of a GPS receiver as a datagram, too.",
        },
        Example {
            role: Role::Listen,
            descriptor: "tee:{tcp:9000:interface=127.0.0.1}:{tcp:127.0.0.1:9001}:copy=received:buffer=64k",
            about: "Copies what clients send to another server, as far as that server keeps up.",
        },
    ],
    see_also: &["file", "udp", "framed"],
    ..Kind::new("tee", "An endpoint whose data is also copied to another endpoint")
};

const PARAMS: &[Param] = &[
    Param::new("endpoint", ValueKind::Endpoint, "The endpoint whose data is copied.")
        .positional()
        .required(),
    Param::new(
        "to",
        ValueKind::Connector,
        "The endpoint that receives the copy, opened once for each session. Data from it is discarded. If it can't \
         be opened or fails, the session goes on without it.",
    )
    .positional()
    .required(),
    Param::new(
        "copy",
        ValueKind::Choice(&["both", "received", "sent"]),
        "The data to copy: data `received` from the endpoint, data `sent` to it, or `both`, in order.",
    )
    .default("both"),
    Param::new(
        "buffer",
        ValueKind::Size,
        "The bytes that may wait for the copy. When the limit is reached, further data is missing from the copy, and \
         the log has its amount.",
    )
    .topic(Topic::Limits)
    .default("1M"),
    Param::new(
        "grace",
        ValueKind::Duration,
        "The grace period for writing the rest of the copy after the end of the session.",
    )
    .topic(Topic::Limits)
    .default("5"),
];

/// The direction to copy, and the limits.
#[derive(Clone, Copy, Debug)]
struct Policy {
    received: bool,
    sent: bool,
    buffer: usize,
    grace: Duration,
    /// Set if `auth=none` is stated.
    is_stated: bool,
}

fn policy(args: &Args) -> Policy {
    let copy = args.text("copy").unwrap_or_default();
    let buffer = args.int("buffer").and_then(|buffer| usize::try_from(buffer).ok());
    Policy {
        received: copy != "sent",
        sent: copy != "received",
        buffer: buffer.unwrap_or(usize::MAX),
        grace: args.duration("grace").expect("`grace` has a default"),
        is_stated: args.is_given("auth"),
    }
}

fn plan_listen(args: &Args) -> Planned<Assemble<dyn Listener>> {
    let (policy, descriptor) = (policy(args), args.descriptor.clone());
    Ok(Box::new(move |mut beneath| {
        let name = beneath.descriptors("to").next().unwrap_or_default().to_owned();
        let copy = Copy { to: beneath.connector("to").into(), name, policy };
        Box::new(Tee { inner: beneath.listener("endpoint"), copy, descriptor })
    }))
}

fn plan_connect(args: &Args) -> Planned<Assemble<dyn Connector>> {
    let (policy, descriptor) = (policy(args), args.descriptor.clone());
    Ok(Box::new(move |mut beneath| {
        let name = beneath.descriptors("to").next().unwrap_or_default().to_owned();
        let copy = Copy { to: beneath.connector("to").into(), name, policy };
        Box::new(Tee { inner: beneath.connector("endpoint"), copy, descriptor })
    }))
}

/// An endpoint with a copy.
#[derive(Debug)]
struct Tee<E: ?Sized> {
    inner: Box<E>,
    copy: Copy,
    descriptor: String,
}

/// The destination of copies.
#[derive(Clone, Debug)]
struct Copy {
    to: Arc<dyn Connector>,
    name: String,
    policy: Policy,
}

impl Copy {
    /// The connection, seen by a task that brings what passes to the copy's endpoint.
    fn of(&self, cx: &Context, mut conn: Conn) -> Conn {
        let Policy { received, sent, buffer, .. } = self.policy;
        let queue = Arc::new(Queue::new(buffer));
        Copying::begin(self, cx, conn.info.clone(), Arc::clone(&queue));
        let seen = Seen { queue, received, sent };
        conn.transport = match conn.transport {
            Transport::Bytes(inner) => Transport::Bytes(Box::new(stream::Bytes::new(inner, seen))),
            Transport::Messages(inner) => {
                Transport::Messages(Box::new(stream::Messages::new(inner, seen)))
            }
        };
        conn
    }
}

#[async_trait]
impl Connector for Tee<dyn Connector> {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let conn = self.inner.connect(cx, info).await?;
        Ok(self.copy.of(cx, conn))
    }

    fn patience(&self) -> Option<Duration> {
        self.inner.patience()
    }

    fn takes_datagrams(&self) -> bool {
        self.inner.takes_datagrams()
    }

    fn grants(&self) -> Grants {
        self.inner.grants().max(self.copy.to.grants())
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        let mut all = Missing::within("endpoint", 0, self.inner.missing(cx));
        all.extend(Missing::within("to", 0, self.copy.to.missing(cx)));
        all
    }
}

#[async_trait]
impl Listener for Tee<dyn Listener> {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        // Planning knows of the destination alone. Clients reach what gets the copy as well.
        let grants = self.copy.to.grants();
        if !self.copy.policy.is_stated && !self.inner.exposure().allows(grants) {
            let words = exposed(grants, &self.copy.name);
            return Err(Error::new(ErrorKind::Permission, "bind", &*self.descriptor, words)
                .with_hint(HOW_TO_ALLOW));
        }
        let cx = cx.in_front_of(cx.behind().max(grants));
        let inner = self.inner.bind(&cx).await?;
        let mut local = inner.local().clone();
        local.descriptor = format!("tee:{{{}}}:{{{}}}", local.descriptor, self.copy.name);
        let copy = self.copy.clone();
        Ok(Box::new(MappedAccept::new(inner, local, move |conn| copy.of(&cx, conn))))
    }

    fn exposure(&self) -> Exposure {
        self.inner.exposure()
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        let mut all = Missing::within("endpoint", 0, self.inner.missing(cx));
        all.extend(Missing::within("to", 0, self.copy.to.missing(cx)));
        all
    }
}
