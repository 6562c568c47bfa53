//! Takes what listeners accept, and sees every offer through.
//!
//! [`Forwarder::serve`] is one loop over three things: the acceptor, its results (incoming
//! connections and their offers), and the tasks that handle these. Every handshake and every
//! session is a separate task; the loop owns them all, so nothing outlives it.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use endpoint::{Accept, Context, ErrorKind, Exposure, Incoming, Offer};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tracing::field::display;
use tracing::{Instrument, debug, error, info, info_span};

use crate::accept::accept_all;
use crate::endings::Endings;
use crate::offer::{At, OfferOutcome, serve_offer};
use crate::refusals::{Refusals, Refused, reason};
use crate::shared::{Shared, Work};
use crate::undecided::{ListenerId, Place, Undecided};
use crate::{Gate, Log, Observer, Route, Stop, Summary, Timers};

/// The configuration of a forwarder.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Limits of time.
    pub timers: Timers,
    /// Sessions at the same time, of all listeners together; one more is refused as busy. `None`:
    /// as many as the system takes.
    pub max_sessions: Option<usize>,
    /// Connections of one listener that are in their handshakes or wait for a decision at the same
    /// time: 1024. For one more, the one that has been silent for longest is closed, of the peer
    /// network (/24 of IPv4, /64 of IPv6) that has the most of them.
    pub max_undecided: usize,
    /// The same for all listeners together: 4096. The listener with the most of them pays.
    pub max_undecided_total: usize,
    /// Serve exactly one session, then accept no more. An offer that comes while another one is
    /// undecided waits for its outcome.
    pub once: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timers: Timers::default(),
            max_sessions: None,
            max_undecided: 1024,
            max_undecided_total: 4096,
            once: false,
        }
    }
}

/// Forwards the connections of any number of listeners. Cheap to clone; clones share their limits.
#[derive(Clone)]
pub struct Forwarder {
    shared: Arc<Shared>,
}

impl Forwarder {
    /// Creates a forwarder that asks `gate` and connects to the destinations of `route`, with the context `cx`.
    ///
    /// Listeners answer some requests without an offer, with a page for example. Those that are bound with
    /// [`Context::guarded_by`] the same gate ask it for these, too.
    pub fn new(
        cx: Context,
        gate: impl Gate + 'static,
        route: impl Route + 'static,
        config: Config,
    ) -> Self {
        Self::observed(cx, gate, route, config, Log)
    }

    /// Creates a forwarder as [`Forwarder::new`] does, with another observer than the [`Log`]; a `Vec` of observers is one
    /// too.
    pub fn observed(
        cx: Context,
        gate: impl Gate + 'static,
        route: impl Route + 'static,
        config: Config,
        observer: impl Observer + 'static,
    ) -> Self {
        // More than a semaphore counts is no limit.
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(MOST)));
        let shared = Shared {
            cx,
            gate: Box::new(gate),
            route: Box::new(route),
            timers: config.timers,
            places: config.max_sessions.map(semaphore),
            undecided: Undecided::new(config.max_undecided, config.max_undecided_total),
            once: config.once.then(|| semaphore(1)),
            enough: watch::Sender::new(false),
            ids: AtomicU64::new(1),
            endings: Endings::default(),
            refusals: Refusals::default(),
            observer: Box::new(observer),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Serves one listener until it ends or `stop` is set, and then until its sessions have ended.
    ///
    /// A stop closes the listener at once. Handshakes that are still going on are given up, offers
    /// that are undecided are refused as busy, and sessions have their grace.
    ///
    /// It may run for several listeners at once, which then share the limits. Dropping the future
    /// closes everything that came in here, without words to the peers.
    pub async fn serve(&self, accept: Box<dyn Accept>, stop: Stop) -> Summary {
        self.serve_exposed(accept, Exposure::Local, stop).await
    }

    /// Serves a listener as [`Forwarder::serve`] does, which these peers can reach without a stated `auth`. An offer that
    /// is routed to a destination that they must not reach is refused.
    pub async fn serve_exposed(
        &self,
        accept: Box<dyn Accept>,
        exposure: Exposure,
        stop: Stop,
    ) -> Summary {
        let listener: Arc<str> = accept.local().descriptor.as_str().into();
        let (works, mut work) = mpsc::channel(WORKS);
        let id = self.shared.undecided.listener();
        let mut accepting = pin!(accept_all(&self.shared, accept, id, &stop, works.clone()));
        let mut is_accepting = true;
        let mut reporting = pin!(self.shared.refusals.report());
        // The loop's own sender goes, so that the channel ends with the last of the other senders.
        let mut works = Some(works);
        let mut tasks = JoinSet::new();
        let mut summary = Summary::default();
        let begin = |tasks: &mut JoinSet<OfferOutcome>, offer: Offer, place: Place| {
            let span = self.span(&offer, &listener);
            let shared = Arc::clone(&self.shared);
            let at = At { listener: Arc::clone(&listener), exposure };
            let session = serve_offer(shared, offer, place, at, stop.clone());
            tasks.spawn(session.instrument(span));
        };
        loop {
            tokio::select! {
                () = &mut accepting, if is_accepting => {
                    is_accepting = false;
                    works = None;
                }
                Some(done) = tasks.join_next() => count(&mut summary, done, &stop),
                Some(next) = work.recv() => match (next, &works) {
                    (Work::Incoming(mut incoming, mut place), Some(works)) => {
                        // Without a handshake, there is no task for it.
                        if let Some(offer) = incoming.take_ready() {
                            place.offered();
                            begin(&mut tasks, offer, place);
                            continue;
                        }
                        let shared = Arc::clone(&self.shared);
                        let (works, stop) = (works.clone(), stop.clone());
                        tasks.spawn(run_handshakes(shared, id, incoming, place, works, stop));
                    }
                    // It came in just before the end.
                    (Work::Incoming(..), None) => summary.lost += 1,
                    (Work::Offer(offer, place), _) => begin(&mut tasks, offer, place),
                },
                () = &mut reporting, if is_accepting || !tasks.is_empty() => {}
                else => {
                    self.shared.refusals.end();
                    return summary;
                }
            }
        }
    }

    /// The one place where a session's span is opened.
    fn span(&self, offer: &Offer, listener: &str) -> tracing::Span {
        let id = self.shared.ids.fetch_add(1, Ordering::Relaxed);
        // Standard input has none, and a field without a value is left out.
        let peer = offer.info.peer().map(display);
        info_span!("session", id, peer, listener, destination = tracing::field::Empty)
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder").field("timers", &self.shared.timers).finish_non_exhaustive()
    }
}

fn count(summary: &mut Summary, done: Result<OfferOutcome, JoinError>, stop: &Stop) {
    match done {
        Ok(OfferOutcome::Session(outcome)) => summary.add(outcome, stop.is_stopped()),
        Ok(OfferOutcome::Refused) => summary.refused += 1,
        Ok(OfferOutcome::Unreachable) => {
            summary.refused += 1;
            summary.unreachable += 1;
        }
        Ok(OfferOutcome::Lost) => summary.lost += 1,
        Ok(OfferOutcome::Attached | OfferOutcome::Over) => {}
        // Its message may quote data; a panic hook, if one is set, has it already.
        Err(panic) => {
            error!("a session was lost: its task panicked");
            summary.panicked += u64::from(panic.is_panic());
        }
    }
}

/// Sees one connection's handshakes through, and hands its offers to the loop.
async fn run_handshakes(
    shared: Arc<Shared>,
    listener: ListenerId,
    mut incoming: Incoming,
    place: Place,
    works: mpsc::Sender<Work>,
    stop: Stop,
) -> OfferOutcome {
    let mut place = Some(place);
    let mut closing = pin!(shared.closing(&stop));
    loop {
        let next = tokio::select! {
            biased;
            () = &mut closing => return OfferOutcome::Over,
            next = handshake(&mut incoming, &mut place) => next,
        };
        let offer = match next {
            None => {
                let peer = incoming.info.peer().map(display);
                debug!(peer, "closed: another connection needs its place");
                return OfferOutcome::Lost;
            }
            Some(Ok(Some(offer))) => offer,
            Some(Ok(None)) => return OfferOutcome::Over,
            Some(Err(error)) => {
                let peer = incoming.info.peer().map(display);
                // The operator wants to know of a policy's refusals, but not of peers' mistakes.
                if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Permission) {
                    let refused = info_span!("refused", peer);
                    refused.in_scope(|| shared.refusals.log(Refused::by(&error)));
                    return OfferOutcome::Refused;
                }
                let (event, reason, cause) =
                    ("refused", reason(error.kind()).name(), error.cause());
                info!(peer, event, endpoint = error.endpoint(), reason, cause, "{error}");
                return OfferOutcome::Lost;
            }
        };
        // The first offer takes its connection's place among the undecided. A connection that
        // outlives its sessions doesn't count; an offer that it makes later does.
        let again = || Place::again(&shared.undecided, listener, &incoming.info);
        let Some(mut place) = place.take().or_else(again) else { return OfferOutcome::Over };
        place.offered();
        if works.send(Work::Offer(offer, place)).await.is_err() {
            return OfferOutcome::Over;
        }
    }
}

/// The next offer; `None` if the connection has lost its place.
async fn handshake(
    incoming: &mut Incoming,
    place: &mut Option<Place>,
) -> Option<endpoint::Result<Option<Offer>>> {
    match place {
        Some(place) => place.keep(incoming.next()).await,
        None => Some(incoming.next().await),
    }
}

/// The number of work items that wait for the loop, which never waits itself.
const WORKS: usize = 16;

/// The maximum count of tokio's semaphore.
const MOST: usize = Semaphore::MAX_PERMITS;
