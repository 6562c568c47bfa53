//! An upgrade that waits for its answer, and what becomes of it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::bytes::BytesMut;
use async_trait::async_trait;
use endpoint::{
    Accepted, Answer, Conn, Decision, End, ErrorKind, Reason, Refusal, Result, Transport, describe,
};
use tokio::sync::oneshot;
use websocket::Role;

use super::negotiate::{FRAMINGS, Mode};
use super::request::Upgrade;
use super::serve::{Link, Talk};
use super::stream::core::Core;
use super::stream::messages::Messages;
use super::terminal::{self, Face};
use crate::http::reply;
use crate::patience::timeout;

/// A request that hyper waits to answer.
pub(super) struct Deciding {
    pub(super) talk: Talk,
    pub(super) upgrade: Upgrade,
    pub(super) answer: oneshot::Sender<reply::Reply>,
}

#[async_trait]
impl Decision for Deciding {
    async fn accept(self: Box<Self>, answer: Answer) -> Result<Accepted> {
        let Self { talk, upgrade, answer: decide } = *self;
        let Upgrade { key, mut http, subprotocol, deflate, .. } = upgrade;
        // What the far side has settled on goes, if the client knows it.
        // Names of framings say nothing about what is in the frames, and are between two ends alone.
        let settled = answer
            .subprotocol
            .as_ref()
            .filter(|name| http.subprotocols.contains(name) && !FRAMINGS.contains(&name.as_str()));
        let subprotocol = settled.cloned().or(subprotocol);
        let listening = Arc::clone(&talk.link.listening);
        let more = listening.headers.iter().chain(&answer.headers);
        let (params, extension) = deflate.unzip();
        let switch = reply::switch(&key, subprotocol.as_deref(), extension.as_deref(), more);
        let (link, mut unread) = finish(talk, decide, switch).await?;
        http.subprotocols = subprotocol.into_iter().collect();
        let agreed = http.subprotocols.first().map(|name| &**name);
        let Link { front, info, mut control, hold, clock, .. } = link;
        let terms = listening.options.terms(Role::Server, agreed, params.as_ref(), &clock);
        let mode = terms.mode;
        let (stream, ahead) = front.into_inner();
        unread.unsplit(ahead);
        let mut core = Core::new(stream, terms, unread);
        let mut through = None;
        if mode == Mode::Terminal {
            through = listening.through(&answer, &http);
            let face = Face::of(answer.far, answer.signals, through.is_some());
            let (signals, beside) = terminal::pair(Role::Server, Some(face));
            control = signals;
            core = core.with(beside);
        }
        let transport = Transport::Messages(Box::new(Messages(core)));
        let conn = Conn { transport, info: info.with(http), control, hold };
        Ok(match through {
            Some(layer) => Accepted::Through(conn, layer),
            None => Accepted::Session(conn),
        })
    }

    async fn refuse(self: Box<Self>, refusal: Refusal) {
        let Self { talk, answer: decide, .. } = *self;
        // A peer that has gone needs no answer.
        if let Ok((link, _)) = finish(talk, decide, reply::refusal(&refusal)).await {
            link.close().await;
        }
    }

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let left = || Poll::Ready(End::because(Reason::PeerLeft, "the client left"));
        if Pin::new(&mut *self.talk.http).poll_without_shutdown(cx).is_ready() {
            return left();
        }
        self.talk.link.front.poll_left(cx).is_ready().then(left).unwrap_or(Poll::Pending)
    }
}

/// Has hyper give the answer, and waits until it has left: the connection without HTTP, and what
/// hyper has read beyond the request.
async fn finish(
    talk: Talk,
    decide: oneshot::Sender<reply::Reply>,
    answer: reply::Reply,
) -> Result<(Link, BytesMut)> {
    let Talk { mut http, link } = talk;
    let gone = |words: &str| link.error(ErrorKind::Other, words);
    decide.send(answer).map_err(|_| gone("the client left"))?;
    let done = async {
        let done = poll_fn(|cx| Pin::new(&mut *http).poll_without_shutdown(cx)).await;
        done.map_err(|error| gone(&error.to_string()))?;
        let drained = poll_fn(|cx| link.front.poll_drain(cx)).await;
        drained.map_err(|error| gone(&describe(&error)))
    };
    let done = timeout(link.listening.limit, done).await;
    done.ok_or_else(|| gone("the client does not take its answer"))??;
    // A copy, as hyper's buffer has 8 KiB whatever is in it.
    let unread = BytesMut::from(&*http.into_parts().read_buf);
    Ok((link, unread))
}
