//! The connections of a front: each yields at most one offer, and other requests are answered meanwhile.
//!
//! The caller that waits for the next offer drives the connection: there is no task and no queue.

use std::future::poll_fn;
use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Credentials, Ticket};
use endpoint::info::Proxied;
use endpoint::{Bound, Conn, Error, ErrorKind, Local, Offer, Offers, Result};
use hyper::header::UPGRADE;
use tokio::time::Instant;
use tracing::debug;

use super::decision::Deciding;
use super::front::{Answered, Front, Link};
use super::http1::Http1;
use super::mount::{Outcome, Refused, Upgrade};
use super::protocol::{Event, Fault, Protocol, Replying, Requested, Responder};
use super::wire::Wire;
use crate::patience;

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

/// An HTTP connection.
struct Talk {
    protocol: Box<dyn Protocol>,
    wire: Wire,
    link: Link,
}

/// The offers of one connection: at most one with HTTP/1.1, because it ends HTTP.
struct Requests {
    talk: Option<Talk>,
    /// Set if a request was answered.
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
                    // A WebSocket has no half of an end; any other request may be the last thing that its client sends.
                    let is_whole = head.headers.contains_key(UPGRADE);
                    let left = poll_fn(|cx| match is_whole {
                        true => talk.wire.poll_left(cx),
                        false => talk.wire.poll_lost(cx),
                    });
                    let answered = tokio::select! {
                        biased;
                        answered = front.answer(head, &sending, &talk.link.info) => answered,
                        () = left => return Ok(None),
                    };
                    drop(sending);
                    let Answered { outcome, info, credentials, proxied, ticket } = answered;
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
                            return Ok(Some(talk.offer(upgrade, responder, credentials, ticket)));
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
        words.push_str(&format!(" (requested by {client})"));
    }
    words
}

impl Talk {
    /// Makes an offer of an upgrade.
    fn offer(
        self,
        upgrade: Box<dyn Upgrade>,
        responder: Responder,
        credentials: Option<Credentials>,
        ticket: Option<Ticket>,
    ) -> Offer {
        let Self { mut protocol, wire, link } = self;
        let info = upgrade.facts(link.info.clone());
        // The session's own facts never have them.
        let info = match credentials {
            Some(credentials) => info.with(credentials),
            None => info,
        };
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
                let words = not_http(format!("received data that is not HTTP: {error}"));
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
                let words = "the client stopped reading the reply";
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
}

/// The number of time limits for which a connection may go on with requests without becoming a
/// session.
const REQUESTS: u32 = 6;
