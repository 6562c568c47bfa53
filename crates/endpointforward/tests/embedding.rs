//! Forwarders inside of a program: a gate, observers, and kinds without a handshake.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use endpointforward::gate::{Admitted, Gate, Identity, Role};
use endpointforward::kind::{
    Args, Assemble, Kind, Param, PlanConnect, PlanListen, Planned, Side, ValueKind,
};
use endpointforward::{
    Began, Connector, End, Endpoints, Forwarder, Info, Listener, Mapped, Observer, Outcome, Reason,
    Refusal, RefusalKind, SessionObserver, async_trait, registry,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Admits clients that ask for one path.
struct OnePath;

#[async_trait]
impl Gate for OnePath {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        match info.lookup("http", "path").as_deref() {
            Some("/in") => Ok(Admitted::new(info, Identity::user("ada"), Role::ReadWrite)),
            _ => Err(Refusal::new(RefusalKind::Forbidden, "not here")),
        }
    }
}

/// The lines of all sessions.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Observer for Lines {
    fn began(&self, session: &Began<'_>) -> Option<Box<dyn SessionObserver>> {
        let user = session.near.identity().and_then(Identity::name).unwrap_or_default();
        self.0.lock().unwrap().push(format!("{user} to {}", session.destination));
        Some(Box::new(self.clone()))
    }
}

impl SessionObserver for Lines {
    fn ended(self: Box<Self>, outcome: &Outcome) {
        self.0.lock().unwrap().push(format!("{} {}", outcome.sent, outcome.received));
    }
}

#[tokio::test]
async fn a_gate_admits_and_observers_see_the_sessions() {
    let (endpoints, lines) = (Endpoints::new(), Lines::default());
    let forwarder = Forwarder::with(endpoints.clone(), &["ws:{mem:gated}"], "echo").unwrap();
    let forwarding = forwarder.gate(OnePath).observer(lines.clone()).bind().await.unwrap();
    let stop = forwarding.stop();
    let running = tokio::spawn(forwarding.run());

    let refused = endpoints.connect("ws:{mem:gated}:path=/out").await.unwrap_err();
    assert!(refused.to_string().contains("403"), "{refused}");
    let mut io = endpoints.connect("ws:{mem:gated}:path=/in").await.unwrap().into_io();
    io.write_all(b"hello").await.unwrap();
    io.shutdown().await.unwrap();
    let mut said = String::new();
    io.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "hello");

    stop.drain(End::of(Reason::Stopping));
    let summary = running.await.unwrap();
    assert_eq!((summary.sessions, summary.refused), (1, 1));
    assert_eq!(*lines.0.lock().unwrap(), ["ada to echo", "5 5"]);
}

/// A page is an answer without a session: the gate is asked for it, too.
#[tokio::test]
async fn a_gate_is_asked_before_a_page() {
    let endpoints = Endpoints::new();
    let forwarder = Forwarder::with(endpoints.clone(), &["ws:{mem:page}"], "echo").unwrap();
    let forwarding = forwarder.gate(OnePath).bind().await.unwrap();
    let running = tokio::spawn(forwarding.run());
    let mut io = endpoints.connect("mem:page").await.unwrap().into_io();
    io.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    io.read_to_end(&mut said).await.unwrap();
    assert!(said.starts_with(b"HTTP/1.1 403 "), "{}", String::from_utf8_lossy(&said));
    running.abort();
}

/// A kind that changes nothing, without a handshake.
static SAME: Kind = Kind {
    listen: Some(Side::alike(BENEATH, PlanListen::Over(listen))),
    connect: Some(Side::alike(BENEATH, PlanConnect::Over(connect))),
    ..Kind::new("same", "No change")
};

const BENEATH: &[Param] =
    &[Param::new("endpoint", ValueKind::Endpoint, "The endpoint beneath.").positional().required()];

fn listen(_: &Args) -> Planned<Assemble<dyn Listener>> {
    Ok(Box::new(|mut beneath| {
        Box::new(Mapped::new("same", beneath.listener("endpoint"), |_, conn| conn))
    }))
}

fn connect(_: &Args) -> Planned<Assemble<dyn Connector>> {
    Ok(Box::new(|mut beneath| {
        Box::new(Mapped::new("same", beneath.connector("endpoint"), |_, conn| conn))
    }))
}

/// Without a handshake, the client is not accepted before the destination is connected: it gets the status of that.
#[tokio::test]
async fn a_kind_without_a_handshake_leaves_the_decision_beneath() {
    let endpoints = Endpoints::new().registry(registry().add(&SAME));
    let forwarder =
        Forwarder::with(endpoints.clone(), &["same:{ws:{mem:same}}"], "same:{mem:nowhere}");
    let forwarding = forwarder.unwrap().bind().await.unwrap();
    assert_eq!(forwarding.locals()[0].descriptor, "same:{ws:{mem:same}}");
    let running = tokio::spawn(forwarding.run());
    let refused = endpoints.connect("ws:{mem:same}").await.unwrap_err();
    assert!(refused.to_string().contains("502"), "{refused}");
    running.abort();
}
