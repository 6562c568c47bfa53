//! The front of a listener that is reached by HTTP.
//!
//! A request passes these stages:
//!
//! 1. a [`Protocol`] reads it;
//! 2. a method that no [`Mount`](super::mount::Mount) knows gets 405;
//! 3. its credentials are taken out ([`admission`](super::admission));
//! 4. a mount that everybody may ask answers;
//! 5. the name that the listener is called by is checked, as a trusted proxy passes it on if there is one;
//! 6. the client is authenticated;
//! 7. the first mount that takes it answers: a reply, an error that ends the connection, or an upgrade, which becomes
//!    an offer ([`decision`](super::decision)).
//!
//! The caller that waits for the next offer drives the connection: there is no task and no queue.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::gate::Ticket;
use endpoint::info::Proxied;
use endpoint::{
    Bound, Clock, Conn, Control, Error, ErrorKind, Info, Local, Offer, Offers, Refusal, Result,
    SessionGuard,
};
use hyper::StatusCode;
use tokio::time::Instant;
use tracing::debug;

use super::admission::Admission;
use super::decision::Deciding;
use super::hosts::Hosts;
use super::http1::Http1;
use super::mount::{Access, Mounts, Outcome, Refused};
use super::protocol::{Event, Fault, Protocol, Replying, Requested, Responder};
use super::proxy::Proxies;
use super::reply::{self, Reply};
use super::request::{Asked, Head, check_host};
use super::wire::Wire;
use crate::patience;

/// What a front is planned with, whatever is mounted on it.
pub(crate) struct Settings {
    pub(crate) hosts: Hosts,
    pub(crate) proxies: Proxies,
    /// The most bytes of a request's header, for the buffer.
    pub(crate) max_header: usize,
    /// How long a request, and a client that takes nothing of a reply, may take.
    pub(crate) limit: Duration,
    /// How long a refused client has to take its reply, if that was said.
    pub(crate) close: Option<Duration>,
}

/// A listener that is open.
pub(crate) struct Front {
    pub(crate) settings: Arc<Settings>,
    pub(crate) local: Local,
    pub(crate) mounts: Mounts,
    pub(crate) admission: Admission,
    /// What makes the page on which browsers are let in, if there is one.
    pub(crate) enters: Option<fn() -> Option<Reply>>,
    pub(crate) clock: Clock,
}

impl Front {
    /// Returns whether only this machine's programs reach it; a listener without an address is behind a proxy, which
    /// sees to names itself.
    fn is_loopback(&self) -> bool {
        self.local.address.is_some_and(|address| address.ip().is_loopback())
    }

    /// Answers a request of the connection that `info` is about.
    async fn answer(&self, mut head: Head, sending: &Arc<()>, info: &Info) -> Answered {
        if !self.mounts.iter().any(|mount| mount.methods().contains(&head.method)) {
            let methods = self.mounts.iter().flat_map(|mount| mount.methods());
            let outcome = Outcome::Reply(reply::not_allowed(methods));
            return Answered { outcome, info: info.clone(), proxied: None, ticket: None };
        }
        let credentials = self.admission.take(&mut head);
        let (head, http) = (&head, head.facts());
        let proxied = self.settings.proxies.ask(info, &head.headers);
        let mut info = info.clone();
        if let Some(proxied) = &proxied {
            info = info.with(proxied.clone());
        }
        let (http, credentials) = (&http, &credentials);
        let known = info.clone();
        let proxied_by = proxied.as_ref();
        let asked = Asked { head, http, credentials, proxied: proxied_by, info: &known, sending };
        let mut ticket = None;
        let outcome = self.outcome(&asked, &mut info, &mut ticket).await;
        Answered { outcome, info, proxied, ticket }
    }

    /// Chooses the mount, and asks it if the client may.
    async fn outcome(
        &self,
        asked: &Asked<'_>,
        info: &mut Info,
        ticket: &mut Option<Ticket>,
    ) -> Outcome {
        let Asked { head, http, credentials, proxied, .. } = *asked;
        let takes = |mount: &&Arc<dyn super::mount::Mount>| {
            mount.methods().contains(&head.method) && mount.takes(head)
        };
        let mount = self.mounts.iter().find(takes);
        let access = mount.map_or(Access::Admitted, |mount| mount.access());
        if let (Some(mount), Access::Everybody) = (mount, access) {
            return mount.answer(asked);
        }
        let named = check_host(head, proxied, &self.settings.hosts, self.is_loopback());
        if let Err(refused) = named {
            return Outcome::Refused(refused);
        }
        let limit = self.settings.limit;
        let admitted = match self.admission.check(credentials, http, info, access, limit).await {
            Ok(admitted) => admitted,
            Err(refusal) => return self.not_admitted(&refusal, head),
        };
        *info = admitted.mark(std::mem::take(info));
        let outcome =
            mount.map_or_else(|| Outcome::Reply(reply::not_found()), |mount| mount.answer(asked));
        let Some(one) = admitted.ticket else { return outcome };
        match outcome {
            // It is spent once there is a session.
            Outcome::Upgrade(_) => *ticket = Some(one),
            // What is refused spends nothing.
            Outcome::Refused(_) => {}
            Outcome::Reply(ref reply) if is_refusal(reply.status()) => {}
            Outcome::Reply(_) | Outcome::Later(_) => {
                if let Err(refusal) = one.spend() {
                    return self.not_admitted(&refusal, head);
                }
            }
        }
        outcome
    }

    /// Says no: to a browser with a page that lets it in if it can, which is no refusal yet.
    fn not_admitted(&self, refusal: &Refusal, head: &Head) -> Outcome {
        let page = self.enters.filter(|_| reply::shows_pages(head)).and_then(|page| page());
        page.map_or_else(|| Outcome::Refused(Refused::not_admitted(refusal, head)), Outcome::Reply)
    }
}

/// Whether a reply shows nothing. A line of text that says how to connect is a page, too.
fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() && status != StatusCode::UPGRADE_REQUIRED
}

/// How a request was answered.
struct Answered {
    outcome: Outcome,
    /// The facts about the connection, and who its client was found to be.
    info: Info,
    proxied: Option<Proxied>,
    ticket: Option<Ticket>,
}

/// A front that connections come to.
pub(crate) struct Serving(pub(crate) Arc<Front>);

impl Bound for Serving {
    fn local(&self) -> &Local {
        &self.0.local
    }

    fn serve(&self, conn: Conn) -> Box<dyn Offers> {
        let Conn { transport, info, control, guard } = conn;
        let front = Arc::clone(&self.0);
        let wire = Wire::new(transport.into_bytes());
        let protocol = Box::new(Http1::new(wire.clone(), front.settings.max_header));
        let link = Link { front, info, control, guard };
        let began = Instant::now();
        let talk = Talk { protocol, wire, link };
        Box::new(Requests { talk: Some(talk), served: false, began })
    }
}

/// A connection that HTTP is spoken on.
struct Talk {
    protocol: Box<dyn Protocol>,
    wire: Wire,
    link: Link,
}

/// A connection, HTTP aside.
pub(super) struct Link {
    pub(super) front: Arc<Front>,
    pub(super) info: Info,
    pub(super) control: Control,
    pub(super) guard: SessionGuard,
}

/// The offers of one connection: at most one with HTTP/1.1, because it ends HTTP.
struct Requests {
    talk: Option<Talk>,
    /// Whether a request was answered.
    served: bool,
    began: Instant,
}

#[async_trait]
impl Offers for Requests {
    async fn next(&mut self) -> Result<Option<Offer>> {
        let mut refused = None;
        while let Some(talk) = &mut self.talk {
            let limit = talk.link.front.settings.limit;
            let next = poll_fn(|cx| talk.protocol.poll_next(cx));
            let next = patience::timeout(limit, next).await;
            // A reply may be of any length, and its client as slow as it likes; when places run out, the most silent
            // one loses its. A client that only sends requests would keep that place from one that wants a session.
            let sends = self.served && (talk.protocol.is_sending() || talk.wire.is_pending());
            let late = !sends && self.began.elapsed() > limit * REQUESTS;
            let goes_on =
                if sends { talk.wire.may_take() } else { self.served && talk.wire.has_moved() };
            if next.is_none() && !late && goes_on {
                continue;
            }
            match next {
                Some(Event::Request(requested)) => {
                    let Requested { head, responder } = requested;
                    let (front, sending) = (Arc::clone(&talk.link.front), talk.protocol.sending());
                    let left = poll_fn(|cx| talk.wire.poll_left(cx));
                    let answered = tokio::select! {
                        biased;
                        answered = front.answer(head, &sending, &talk.link.info) => answered,
                        () = left => return Ok(None),
                    };
                    drop(sending);
                    let Answered { outcome, info, proxied, ticket } = answered;
                    let reply = match outcome {
                        Outcome::Reply(reply) => Replying::Now(reply),
                        Outcome::Later(reply) => Replying::Later(reply),
                        Outcome::Refused(why) => {
                            let Refused { reply, kind, words } = *why;
                            let words = told(words, proxied.as_ref());
                            refused = Some(talk.link.error(kind, words));
                            responder.send(Replying::Now(reply));
                            continue;
                        }
                        Outcome::Upgrade(upgrade) => {
                            let mut talk =
                                self.talk.take().expect("it was there at the loop's start");
                            talk.link.info = info;
                            return Ok(Some(talk.offer(upgrade, responder, ticket)));
                        }
                    };
                    responder.send(reply);
                    self.served = true;
                    if late {
                        talk.protocol.shut_down();
                    }
                }
                Some(Event::Done(done)) => {
                    let talk = self.talk.take().expect("it was there at the loop's start");
                    return talk.over(done, refused).await;
                }
                None => {
                    let Talk { link, .. } =
                        self.talk.take().expect("it was there at the loop's start");
                    return link.timed_out(refused, sends, self.served);
                }
            }
        }
        Ok(None)
    }
}

/// The reason of a refusal. The connection's own peer, which the log shows, is the proxy.
fn told(mut words: String, proxied: Option<&Proxied>) -> String {
    if let Some(client) = proxied.and_then(|proxied| proxied.client) {
        words.push_str(&format!(" (asked for by {client})"));
    }
    words
}

impl Talk {
    /// Makes an offer of an upgrade.
    fn offer(
        self,
        upgrade: Box<dyn super::mount::Upgrade>,
        responder: Responder,
        ticket: Option<Ticket>,
    ) -> Offer {
        let Self { mut protocol, wire, link } = self;
        let info = link.info.clone().with(upgrade.http().clone());
        let stream = protocol.hand_over(responder);
        drop((protocol, wire));
        Offer::new(info, Deciding { link, stream, upgrade, ticket })
    }

    /// HTTP has ended without an offer.
    async fn over(
        self,
        done: std::result::Result<(), Fault>,
        refused: Option<Error>,
    ) -> Result<Option<Offer>> {
        let Self { protocol, wire, link } = self;
        drop(protocol);
        wire.deliver(link.front.settings.limit).await;
        wire.taken().await;
        wire.close(link.front.settings.close).await;
        let not_http = |words| match wire.diagnosis() {
            Some(words) => words.to_owned(),
            None => words,
        };
        match (refused, done) {
            (Some(error), _) => Err(error),
            (None, Err(Fault::NotHttp(error))) => {
                let words = not_http(format!("what came is not HTTP: {error}"));
                Err(link.error(ErrorKind::Protocol, words))
            }
            (None, Err(Fault::TooLarge)) => {
                let words = not_http(format!(
                    "a request's header has more than {} bytes or 100 lines; `max-header` allows \
                     more bytes",
                    link.front.settings.max_header
                ));
                Err(link.error(ErrorKind::Protocol, words))
            }
            (None, Err(Fault::Lost(error))) => {
                debug!("{}: {error}", link.front.local.descriptor);
                Ok(None)
            }
            (None, Ok(())) => Ok(None),
        }
    }
}

impl Link {
    /// Says why nothing is waited for any more.
    fn timed_out(
        &self,
        refused: Option<Error>,
        sends: bool,
        served: bool,
    ) -> Result<Option<Offer>> {
        match refused {
            Some(error) => Err(error),
            None if sends => {
                let words = "the client takes nothing more of the answer";
                Err(self.error(ErrorKind::Timeout, words))
            }
            // An idle keep-alive is nothing to report.
            None if served => Ok(None),
            None => {
                let limit = self.front.settings.limit.as_secs_f64();
                let words = format!("no HTTP request came within {limit} s");
                Err(self.error(ErrorKind::Timeout, words))
            }
        }
    }

    pub(super) fn error(&self, kind: ErrorKind, words: impl Into<String>) -> Error {
        Error::new(kind, "accept", &*self.front.local.descriptor, words)
    }
}

/// How many of the time limits a connection may go on asking without becoming a session.
const REQUESTS: u32 = 6;
