//! A WebSocket, mounted: requests for it, the reply that switches, and the session.

use std::sync::Arc;

use endpoint::info::Http;
use endpoint::{Accepted, Answer, Conn, Grants, Info, Refusal, Transport};
use websocket::deflate::Params;
use websocket::{CloseCode, CloseFrame, Encoder, Role};

use super::handshake::{self, Handshake};
use super::listening::Listening;
use super::negotiate::{FRAMINGS, Mode};
use super::query::Wishes;
use super::reply::switch;
use super::stream::core::Core;
use super::stream::messages::Messages;
use super::terminal::{self, Face};
use crate::http::mount::{Access, Mount, Outcome, Switched, Upgrade};
use crate::http::page::place;
use crate::http::reply::{self, Reply};
use crate::http::request::{Asked, Head};

/// The WebSocket of a listener.
pub(super) struct WebSocket(pub(super) Arc<Listening>);

impl Mount for WebSocket {
    fn takes(&self, head: &Head) -> bool {
        head.upgrades_to("websocket")
    }

    fn access(&self) -> Access {
        Access::Session
    }

    fn answer(&self, asked: &Asked<'_>) -> Outcome {
        if !place::takes_upgrade(asked.head.path(), self.0.path.as_deref()) {
            return Outcome::Reply(reply::not_found());
        }
        match handshake::check(asked, &self.0) {
            Ok(handshake) => {
                let listening = Arc::clone(&self.0);
                let (http, subprotocol) = (Arc::clone(asked.http), handshake.subprotocol);
                let (params, extension) = handshake.deflate.unzip();
                let Handshake { key, wishes, tells, .. } = handshake;
                Outcome::Upgrade(Box::new(Opening {
                    listening,
                    key,
                    http,
                    wishes,
                    subprotocol,
                    params,
                    extension,
                    tells,
                }))
            }
            Err(refused) => Outcome::Refused(refused),
        }
    }
}

/// A request for a WebSocket that nothing is wrong with.
struct Opening {
    listening: Arc<Listening>,
    key: String,
    http: Arc<Http>,
    /// The settings in the client's query.
    wishes: Wishes,
    /// The chosen subprotocol.
    subprotocol: Option<String>,
    /// The agreed compression, and the header of the answer.
    params: Option<Params>,
    extension: Option<String>,
    /// Set if a refusal is sent as a Close frame.
    tells: bool,
}

impl Upgrade for Opening {
    fn facts(&self, info: Info) -> Info {
        let info = info.with_shared(Arc::clone(&self.http));
        match self.wishes.window {
            Some(window) => info.with(window),
            None => info,
        }
    }

    fn switch(&mut self, answer: &Answer) -> Reply {
        // The far side's subprotocol is used if the client offered it. Names of framings tell nothing about the
        // contents of the frames, and are between two ends alone.
        let settled = answer.subprotocol.as_ref().filter(|name| {
            self.http.subprotocols.contains(name) && !FRAMINGS.contains(&name.as_str())
        });
        if let Some(settled) = settled {
            self.subprotocol = Some(settled.clone());
        }
        let more = self.listening.headers.iter().chain(&answer.headers);
        switch(&self.key, self.subprotocol.as_deref(), self.extension.as_deref(), more)
    }

    fn refuse(&mut self, refusal: &Refusal) -> Option<(Reply, Vec<u8>)> {
        if !self.tells {
            return None;
        }
        let code = CloseCode::from(REFUSED + reply::status(refusal.kind).as_u16());
        let frame = CloseFrame::new(code, &refusal.message);
        let last = Encoder::new(Role::Server).close(frame.as_ref(), || [0; 4]).to_vec();
        Some((switch(&self.key, self.subprotocol.as_deref(), None, [].iter()), last))
    }

    fn open(self: Box<Self>, answer: &Answer, over: Switched) -> Accepted {
        let Self { listening, mut http, wishes, subprotocol, params, .. } = *self;
        let Switched { mut stream, unread, info, mut control, guard, clock } = over;
        if answer.far == Some(Grants::Program) && answer.signals {
            // A terminal, whose client may not acknowledge the data that it has drawn.
            stream.keep_little();
        }
        if !http.subprotocols.iter().eq(&subprotocol) {
            Arc::make_mut(&mut http).subprotocols = subprotocol.into_iter().collect();
        }
        let agreed = http.subprotocols.first().map(|name| &**name);
        let terms =
            listening.options.terms(Role::Server, wishes.encoding, agreed, params.as_ref(), &clock);
        let mode = terms.mode;
        let mut core = Core::new(stream, terms, unread);
        let mut through = None;
        if mode == Mode::Terminal {
            let settled = listening.face(answer, &http);
            through = settled.is_none().then(|| listening.through(answer, &http)).flatten();
            let face = Face::of(answer.far, answer.signals, through.is_some());
            let face = settled.unwrap_or(face);
            let (signals, beside) = terminal::pair(Role::Server, Some(face));
            control = signals;
            core = core.with(beside);
        }
        let transport =
            Transport::Messages(Box::new(Messages(core, listening.options.framing.clone())));
        let conn = Conn { transport, info: info.with_shared(http), control, guard };
        match through {
            Some(layer) => Accepted::Through(conn, layer),
            None => Accepted::Session(conn),
        }
    }
}

/// Added to the status that a refusal has otherwise: a code of the private range (RFC 6455 section 7.4.2).
const REFUSED: u16 = 4000;
