//! Observers of sessions: the log, and whatever else counts them.

use std::sync::Arc;

use endpoint::Info;
use tracing::field::display;
use tracing::{info, warn};

use crate::{Outcome, Side};

/// Is notified when sessions begin. It is called in the session's task, within its span, and must not block.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use forward::{Began, Observer, Outcome, SessionObserver};
///
/// /// The bytes that all clients have sent.
/// #[derive(Clone, Default)]
/// struct Sent(Arc<AtomicU64>);
///
/// impl Observer for Sent {
///     fn began(&self, _: &Began<'_>) -> Option<Box<dyn SessionObserver>> {
///         Some(Box::new(self.clone()))
///     }
/// }
///
/// impl SessionObserver for Sent {
///     fn ended(self: Box<Self>, outcome: &Outcome) {
///         self.0.fetch_add(outcome.sent, Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// Is notified of a session, both of whose sides are open. Returns the observer of its rest, if there is one.
    fn began(&self, session: &Began<'_>) -> Option<Box<dyn SessionObserver>>;
}

/// The facts about a session that begins.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Began<'a> {
    /// The descriptor of the destination, as the log has it.
    pub destination: &'a Arc<str>,
    /// Facts about the client.
    pub near: &'a Info,
    /// Facts about the connection to the destination.
    pub far: &'a Info,
}

impl<'a> Began<'a> {
    pub(crate) fn new(destination: &'a Arc<str>, near: &'a Info, far: &'a Info) -> Self {
        Self { destination, near, far }
    }
}

/// Is notified about one session. Dropped without [`SessionObserver::ended`] if its task panicked or was dropped.
pub trait SessionObserver: Send {
    /// Returns `true` if [`SessionObserver::moved`] is to be called. Asked once, when the session begins.
    fn counts(&self) -> bool {
        false
    }

    /// Is notified of the bytes of payload that the destination (`sent`) and the client (`received`) have taken since the
    /// session began. Called at each wake-up of the session, so the numbers may be those of the last call.
    fn moved(&mut self, sent: u64, received: u64) {
        let _ = (sent, received);
    }

    /// Is notified that a side has ended, and that the session only goes on for the rest of the other's data. Called
    /// once at most.
    fn ending(&mut self) {}

    /// Is notified that the session is over, and that everything it held is released.
    fn ended(self: Box<Self>, outcome: &Outcome);
}

/// Logs a line when a session begins and one when it ends: a warning after an abnormal end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl Observer for Log {
    fn began(&self, session: &Began<'_>) -> Option<Box<dyn SessionObserver>> {
        let facts = session.near.log();
        info!(event = "open", facts = (!facts.is_empty()).then_some(facts), "open");
        Some(Box::new(Self))
    }
}

impl SessionObserver for Log {
    fn ended(self: Box<Self>, outcome: &Outcome) {
        let Outcome { sent, received, cut, .. } = *outcome;
        let (reason, seconds) = (outcome.reason().name(), outcome.duration.as_secs_f64());
        let (event, by) = ("end", outcome.by().map_or("us", Side::name));
        let cause = display(outcome.cause());
        if outcome.is_clean() {
            info!(event, reason, by, sent, received, seconds, cut, cause, "{outcome}");
        } else {
            warn!(event, reason, by, sent, received, seconds, cut, cause, "{outcome}");
        }
    }
}

/// A shared observer is notified by all who share it.
impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn began(&self, session: &Began<'_>) -> Option<Box<dyn SessionObserver>> {
        (**self).began(session)
    }
}

/// Several observers are one.
impl<O: Observer + ?Sized> Observer for Vec<Box<O>> {
    fn began(&self, session: &Began<'_>) -> Option<Box<dyn SessionObserver>> {
        let mut began = self.iter().filter_map(|observer| observer.began(session));
        // The ordinary session has one, and needs no list of them.
        let first = began.next()?;
        let Some(second) = began.next() else { return Some(first) };
        Some(Box::new(Several([first, second].into_iter().chain(began).collect())))
    }
}

struct Several(Vec<Box<dyn SessionObserver>>);

impl SessionObserver for Several {
    fn counts(&self) -> bool {
        self.0.iter().any(|observer| observer.counts())
    }

    fn moved(&mut self, sent: u64, received: u64) {
        self.0.iter_mut().for_each(|observer| observer.moved(sent, received));
    }

    fn ending(&mut self) {
        self.0.iter_mut().for_each(|observer| observer.ending());
    }

    fn ended(self: Box<Self>, outcome: &Outcome) {
        self.0.into_iter().for_each(|observer| observer.ended(outcome));
    }
}
