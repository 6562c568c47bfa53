//! Helpers for every test of the kinds: planning, binding, connecting, accepting.

// Each test binary uses a part of it.
#![expect(dead_code, reason = "every test binary compiles this file and uses what it needs")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod messages;
pub(crate) mod programs;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use descriptor::{Report, Syntax};
use endpoint::{
    Accept, Accepted, Answer, Conn, Connector, Context, Error, Info, Listener, Offer, Result,
};
use endpoints::KINDS;
use plan::{Plan, Registry};

pub(crate) fn registry() -> Registry {
    Registry::with(KINDS)
}

pub(crate) fn listener(text: &str) -> Plan<dyn Listener> {
    registry()
        .listener(text, Syntax::Extended)
        .unwrap_or_else(|found| panic!("{}", Report::new(text, &found)))
}

pub(crate) fn connector(text: &str) -> Plan<dyn Connector> {
    registry()
        .connector(text, Syntax::Extended)
        .unwrap_or_else(|found| panic!("{}", Report::new(text, &found)))
}

pub(crate) async fn bind(cx: &Context, text: &str) -> Box<dyn Accept> {
    try_bind(cx, text).await.unwrap()
}

pub(crate) async fn try_bind(cx: &Context, text: &str) -> Result<Box<dyn Accept>> {
    listener(text).endpoint.bind(cx).await
}

pub(crate) async fn connect(cx: &Context, text: &str) -> Conn {
    try_connect(cx, text).await.unwrap()
}

pub(crate) async fn try_connect(cx: &Context, text: &str) -> Result<Conn> {
    connector(text).endpoint.connect(cx, &Info::new()).await
}

/// The next connection's offer.
pub(crate) async fn offer(accept: &mut dyn Accept) -> Offer {
    let mut incoming = accept.accept().await.unwrap().expect("there are more connections");
    incoming.next().await.unwrap().expect("there is an offer")
}

pub(crate) async fn accepted(offer: Offer) -> Conn {
    match offer.accept(Answer::default()).await.unwrap() {
        Accepted::Session(conn) => conn,
        other => panic!("{other:?} is not a session of bytes or messages"),
    }
}

/// Returns both ends of a connection through the listener `text`: the connecting end, then the accepted one.
pub(crate) async fn pair(cx: &Context, text: &str) -> (Conn, Conn) {
    pair_with(cx, text, "").await
}

/// The same, with `more` behind the descriptor that is connected to.
pub(crate) async fn pair_with(cx: &Context, text: &str, more: &str) -> (Conn, Conn) {
    let mut accept = bind(cx, text).await;
    let to = accept.local().descriptor.clone() + more;
    let connector = connector(&to);
    let near = async { connector.endpoint.connect(cx, &Info::new()).await.unwrap() };
    let far = async { accepted(offer(&mut *accept).await).await };
    tokio::join!(near, far)
}

/// An error with what to do about it, on two lines.
pub(crate) fn shown(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{error}\n{hint}"),
        None => error.to_string(),
    }
}

/// The error of something that must fail.
pub(crate) fn failure<T>(result: Result<T>) -> Error {
    match result {
        Ok(_) => panic!("this should have failed"),
        Err(error) => error,
    }
}

/// A context in which programs are found.
pub(crate) fn with_path() -> Context {
    Context::with_environment([("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())])
}

/// Far more than anything here takes; a test that hangs fails instead.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Returns data for a test to send: the same for the same seed, and no two stretches alike.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    std::iter::repeat_with(|| {
        // Knuth's MMIX generator; its upper bits are good enough for telling bytes apart.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(length)
    .collect()
}

/// The log's text.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// For this thread, which is all that a test's runtime has.
    pub(crate) fn install(&self) -> tracing::subscriber::DefaultGuard {
        let to = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || to.clone())
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Write::write(&mut *self.0.lock().unwrap(), bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
