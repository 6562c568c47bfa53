//! The front of a listener that is reached by HTTP: its plan, and how it answers a request.
//!
//! A request passes these stages:
//!
//! 1. a [`Protocol`](super::protocol::Protocol) reads it;
//! 2. a method that no [`Mount`](super::mount::Mount) knows gets 405;
//! 3. its credentials are taken out ([`admission`](super::admission));
//! 4. a mount that all clients may ask answers;
//! 5. the name that the listener is called by is checked, as a trusted proxy passes it on if there is one;
//! 6. the client is authenticated;
//! 7. the first mount that takes it answers: a reply, an error that ends the connection, or an upgrade, which becomes
//!    an offer ([`decision`](super::decision)).

use std::sync::Arc;
use std::time::Duration;

use endpoint::gate::{Credentials, Ticket};
use endpoint::info::Proxied;
use endpoint::{Clock, Control, Error, ErrorKind, Info, Local, Refusal, SessionGuard};
use hyper::StatusCode;

use super::admission::Admission;
use super::document;
use super::hosts::{Hosts, check_host};
use super::mount::{Access, Mounts, Outcome, Refused};
use super::proxy::Proxies;
use super::reply::{self, Reply};
use super::request::{Asked, Head};
use super::sign_in::SignIn;

/// The settings of a front, whatever is mounted on it.
pub(crate) struct Settings {
    pub(crate) hosts: Hosts,
    pub(crate) proxies: Proxies,
    /// The most bytes of a request's header, for the buffer.
    pub(crate) max_header: usize,
    /// The time limit for a request, and for a client that doesn't read its reply.
    pub(crate) limit: Duration,
    /// The time that a refused client has to read its reply, if it is set.
    pub(crate) close: Option<Duration>,
}

/// A listener that is open.
pub(crate) struct Front {
    pub(crate) settings: Arc<Settings>,
    pub(crate) local: Local,
    pub(crate) mounts: Mounts,
    pub(crate) admission: Admission,
    /// The page on which browsers are let in, if there is one.
    pub(crate) enters: Option<SignIn>,
    pub(crate) clock: Clock,
}

impl Front {
    /// Returns whether only this machine's programs reach it; a listener without an address is behind a proxy, which
    /// sees to names itself.
    fn is_loopback(&self) -> bool {
        self.local.address.is_some_and(|address| address.ip().is_loopback())
    }

    /// Answers a request of the connection that `info` is about.
    pub(super) async fn answer(&self, mut head: Head, sending: &Arc<()>, info: &Info) -> Answered {
        if !self.mounts.iter().any(|mount| mount.methods().contains(&head.method)) {
            let methods = self.mounts.iter().flat_map(|mount| mount.methods());
            let outcome = Outcome::Reply(reply::not_allowed(methods));
            let info = info.clone();
            return Answered { outcome, info, credentials: None, proxied: None, ticket: None };
        }
        let credentials = self.admission.take(&mut head);
        let (head, http) = (&head, Arc::new(head.facts()));
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
        let mut outcome = self.outcome(&asked, &mut info, &mut ticket).await;
        if self.admission.is_guarded() {
            outcome = with_reply(outcome, reply::keep_to_own_pages);
        }
        if reply::shows_pages(head) {
            outcome = shown(outcome);
        }
        let credentials = self.admission.for_gate(credentials);
        Answered { outcome, info, credentials, proxied, ticket }
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
            // A refused request spends nothing.
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
        let enters = self.enters.as_ref().filter(|_| reply::shows_pages(head));
        let page = enters.and_then(|page| page.show(StatusCode::FORBIDDEN, ""));
        page.map_or_else(|| Outcome::Refused(Refused::not_admitted(refusal, head)), Outcome::Reply)
    }
}

/// Changes a reply that is no refusal, at once or when it is there.
fn with_reply(outcome: Outcome, change: fn(&mut Reply)) -> Outcome {
    match outcome {
        Outcome::Reply(mut reply) => {
            change(&mut reply);
            Outcome::Reply(reply)
        }
        Outcome::Later(later) => Outcome::Later(Box::pin(async move {
            let mut reply = later.await;
            change(&mut reply);
            reply
        })),
        other => other,
    }
}

/// Makes pages of errors, for a browser that shows them.
fn shown(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Refused(mut refused) => {
            document::show(&mut refused.reply);
            Outcome::Refused(refused)
        }
        other => with_reply(other, document::show),
    }
}

/// Returns `true` if a reply shows nothing. A line of text about how to connect is a page, too.
fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() && status != StatusCode::UPGRADE_REQUIRED
}

/// The answer to a request.
pub(super) struct Answered {
    pub(super) outcome: Outcome,
    /// The facts about the connection, and who its client was found to be.
    pub(super) info: Info,
    /// The client's credentials, if the forwarder's gate checks them.
    pub(super) credentials: Option<Credentials>,
    pub(super) proxied: Option<Proxied>,
    pub(super) ticket: Option<Ticket>,
}

/// A connection, HTTP aside.
pub(super) struct Link {
    pub(super) front: Arc<Front>,
    pub(super) info: Info,
    pub(super) control: Control,
    pub(super) guard: SessionGuard,
}

impl Link {
    /// Makes an error of the listener's.
    pub(super) fn error(&self, kind: ErrorKind, words: impl Into<String>) -> Error {
        Error::new(kind, "accept", &*self.front.local.descriptor, words)
    }
}
